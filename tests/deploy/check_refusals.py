"""Values that must be refused, each by both helms and in words that name what is wrong. The first half is refused by the
schema, the second by the chart, which has to say more. What only comes close to one of them is taken."""

import concurrent.futures
import json
import pathlib
import re
import tempfile

import yaml

from check_empty import parent_of
from common import CHART, HELMS, HelmError, Wrong, main, template
from wrong_values import BY_CHART, BY_SCHEMA, TAKEN

GOOD = "{credentials: {existingSecret: faxplus}, auth: {allowAnonymous: true}}"
# Releases whose names make none that Kubernetes takes for a Service; with fullnameOverride they are taken.
BAD_RELEASES = ("1fax", "my.fax")
# Wrong values all at once: each must be told in the same answer.
TOGETHER = "{replicaCount: 3, ingress: {enabled: true}, config: {store: {path: a}}}"
TOGETHER_SAID = ["replicaCount", r"credentials\.existingSecret", "auth: nobody", r"ingress\.hosts", r"config\.store\.path"]


def refused(chart, values, added, pattern):
    """Both helms refuse `added` over `values`, and their words match."""
    for version in HELMS:
        where = f"{version} with {added}"
        try:
            template(chart=chart, version=version, more=sets(values) + sets(added))
        except HelmError as error:
            said = " ".join(str(error).split())
            if not re.search(pattern, said):
                raise Wrong(where, f"is refused, but nothing says {pattern!r}: {said}", "say it in _refusals.tpl or the schema") from error
            if "hush" in said:
                raise Wrong(where, "the refusal tells the secret", "leave the value out of the message") from error
            continue
        raise Wrong(where, "is taken", "refuse it, in values.schema.json or in _refusals.tpl")


def taken(chart, added):
    """Both helms take `added` over good values."""
    for version in HELMS:
        try:
            template(chart=chart, version=version, more=sets(GOOD) + sets(added))
        except HelmError as error:
            raise Wrong(f"{version} with {added}", f"is refused: {error}", "refuse no more than what can't be used") from error


def refused_release(chart, release):
    """Both helms refuse a release whose name can't be that of a Service, and take it with another one."""
    for version in HELMS:
        where, good = f"{version} with the release {release}", sets(GOOD)
        try:
            template(chart=chart, version=version, release=release, more=good)
        except HelmError as error:
            if not re.search(r"fullnameOverride: is needed", str(error)):
                raise Wrong(where, f"is refused in other words: {error}", "look at _refusals.tpl") from error
        else:
            raise Wrong(where, "is taken, and an API server would refuse its Services", "refuse it in _refusals.tpl")
        template(chart=chart, version=version, release=release, more=[*good, "--set", "fullnameOverride=fax"])


def refused_alias(chart):
    """The same of a parent chart that calls it by a name with capitals."""
    with tempfile.TemporaryDirectory() as directory:
        parent = parent_of(chart, pathlib.Path(directory), alias="Fax")
        for version in HELMS:
            told = {"sandbox": {"enabled": True}}
            try:
                template(json.dumps({"Fax": told}), chart=parent, version=version)
            except HelmError as error:
                if "fullnameOverride: is needed" not in str(error):
                    raise Wrong(f"{version} with the alias Fax", f"is refused in other words: {error}", "look at _refusals.tpl") from error
            else:
                raise Wrong(f"{version} with the alias Fax", "is taken", "refuse it in _refusals.tpl")
            template(json.dumps({"Fax": {**told, "fullnameOverride": "fax"}}), chart=parent, version=version)


def sets(values):
    """Values as arguments: `--set-json` of each key at the root, because it merges as values files do."""
    return [word for key, value in yaml.safe_load(values).items() for word in ("--set-json", f"{key}={json.dumps(value)}")]


def check(chart=CHART, only=""):
    """All wrong values, or those that have `only` in them."""
    cases = [(GOOD, added, pattern) for added, pattern in (BY_SCHEMA | BY_CHART).items()]
    cases += [("{}", TOGETHER, pattern) for pattern in TOGETHER_SAID]
    cases += [("{}", "{}", r"credentials\.existingSecret"), ("{}", "{}", r"auth\.existingSecret")]
    cases = [case for case in cases if only in case[1]]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        tried = [pool.submit(refused, chart, *case) for case in cases]
        tried += [pool.submit(refused_release, chart, release) for release in BAD_RELEASES if not only]
        tried += [pool.submit(refused_alias, chart)] if not only else []
        near = [pool.submit(taken, chart, added) for added in TAKEN if only in added]
        for one in tried + near:
            one.result()
    return f"{len(tried)} wrong values and names are refused by both helms, in words that say which; {len(near)} near them are taken"


if __name__ == "__main__":
    main(check)
