"""A key with nothing behind it, or with comments alone, is null, and helm takes the default away. The chart either does
without, or refuses it in words that name the key; never in those of a template that stumbled. A null in a values file
over another takes away what that one says, in each map of any keys and each setting. Both helms, also as a part of a
parent chart."""

import concurrent.futures
import difflib
import json
import pathlib
import tempfile

import documents
import restricted
import schemas
import values_file
import wiring
import yaml
from common import CHART, HELMS, KUBERNETES, HelmError, Wrong, main, objects, template

# What the restricted profile and the checks of wiring demand, and people may give up.
KEPT = ("podSecurityContext", "securityContext", "resources", "tests.resources")
# A mount needs its volume, and a volume that is not mounted is not for these checks: both go together.
PAIRED = ("extraVolumes", "extraVolumeMounts")
# Values files over which each key alone is empty: what one of them makes is left out of another.
BASES = ("everything", "minimal", "sandbox")
# A key that no values file has.
ANY = "taken-away"


def without(values, path):
    """The values with nothing behind the key at `path`."""
    values = json.loads(json.dumps(values))
    here = values
    for key in path[:-1]:
        if not isinstance(here.get(key), dict):
            here[key] = {}
        here = here[key]
    here[path[-1]] = None
    return values


def parent_of(chart, directory, **more):
    """A chart with the chart as its part, of which there may be `more` to say."""
    (directory / "charts").mkdir()
    (directory / "charts" / chart.name).symlink_to(chart)
    part = {"name": chart.name, "version": "*", **more}
    (directory / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": "parent", "version": "0.1.0", "dependencies": [part]}))
    return directory


def renderings(chart, parent, values):
    """What each helm makes of the values, of the chart alone and of the parent: where, and the text or the error."""
    for version in HELMS:
        for place, told in ((chart, values), (parent, {chart.name: values})):
            where = f"{version}{', as a part of another chart' if place == parent else ''}"
            try:
                yield where, template(json.dumps(told), chart=place, version=version), None
            except HelmError as error:
                yield where, None, error


def refused(chart, parent, values, names):
    """All of `names` are empty in the values, and each is named in the refusal."""
    for where, _, error in renderings(chart, parent, values):
        if error is None:
            raise Wrong(f"{where}, {', '.join(names)} empty", "is taken", "run tests/deploy/run --write, or look at refuseEmpty")
        for name in names:
            if f"- {name}: is empty" not in str(error):
                raise Wrong(where, f"{name} is empty, and nothing says so: {error}", "look at refuseEmpty")


def taken(chart, base, values, name):
    """The chart does without one."""
    where = f"ci/{base}.yaml with {name} empty"
    try:
        rendered = template(json.dumps(values), chart=chart)
        # What is made of fewer values is made of "everything", too.
        if base == BASES[0]:
            good(rendered, where, name)
    except HelmError as error:
        raise Wrong(where, f"error: {error}", "let the template do without, or require it in documents.py") from error


def all_taken(chart, parent, values, what="all of them"):
    """The chart does without all of them, and so does each helm."""
    for where, rendered, error in renderings(chart, parent, values):
        if error is not None:
            raise Wrong(f"{where}, {what} empty", f"error: {error}", "look at what only shows together")
        good(rendered, f"{where}, {what} empty")


def to_take_away(schema, definitions, *known, path=()):
    """Places of keys that a values file may add: any key in a map of such, and settings; each with a value. Not those that
    are `known`, to values files or to the defaults."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    is_open = isinstance(schema.get("additionalProperties"), dict)
    if is_open:
        yield (*path, ANY), "1"
    for key, value in schema.get("properties", {}).items():
        below = [values.get(key) if isinstance(values, dict) else None for values in known]
        if not is_open and (len(path) < 2 or path[0] != "config"):
            yield from to_take_away(value, definitions, *below, path=(*path, key))
        elif all(value is None for value in below):
            yield (*path, key), value.get("default", "1")


def taken_away(chart, parent, base, version, keys):
    """A file that takes away what another one adds leaves what was there before."""
    adds, takes = {}, {}
    for path, value in keys:
        for values, one in ((adds, value), (takes, None)):
            for key in path[:-1]:
                values = values.setdefault(key, {})
            values[path[-1]] = one
    for place in (chart, parent):
        where = f"{version}{', as a part of another chart' if place == parent else ''}, a values file with null for {len(keys)} keys over one that has them"
        base, adds, takes = (one if place == chart else {chart.name: one} for one in (base, adds, takes))
        with tempfile.NamedTemporaryFile("w") as first, tempfile.NamedTemporaryFile("w") as second:
            for file, values in ((first, base), (second, adds)):
                file.write(json.dumps(values))
                file.flush()
            try:
                made = template(json.dumps(takes), chart=place, version=version, more=["--values", first.name, "--values", second.name])
            except HelmError as error:
                raise Wrong(where, str(error), "take null in the schema, and use faxplus-gateway.kept") from error
        before = template(json.dumps(base), chart=place, version=version)
        if before != made:
            told = "\n".join(difflib.unified_diff(before.splitlines(), made.splitlines(), lineterm=""))
            raise Wrong(where, f"leaves something:\n{told}", "use faxplus-gateway.kept where the map is rendered")


def check_overlays(chart):
    """Both helms; gives the number of keys."""
    base = yaml.safe_load((chart / "ci" / "everything.yaml").read_text())
    whole = json.loads((chart / "values.schema.json").read_text())
    keys = list(to_take_away(whole, whole["definitions"], base, yaml.safe_load((chart / "values.yaml").read_text())))
    with tempfile.TemporaryDirectory() as directory:
        parent = parent_of(chart, pathlib.Path(directory))
        for version in HELMS:
            taken_away(chart, parent, base, version, keys)
    return len(keys)


def good(rendered, where, name=""):
    """What is rendered is good."""
    found = objects(rendered, where)
    schemas.check(found, where, KUBERNETES[-1])
    if name not in KEPT:
        restricted.check(found, where)
        wiring.check(found, where)


def check(chart=CHART, only=""):
    """With `only`, the keys with this in their names alone, and no overlays."""
    bases = {name: yaml.safe_load((chart / "ci" / f"{name}.yaml").read_text()) for name in BASES}
    base = bases["everything"]
    entries = [entry for entry in values_file.read(chart) if entry.dotted != "global"]
    needed = [entry for entry in entries if documents.is_required(entry)]
    choice = [entry for entry in entries if not documents.is_required(entry) and (
        entry.dotted in documents.MAY_BE_EMPTY or not any(entry.dotted.startswith(f"{place}.") for place in documents.MAY_BE_EMPTY))]
    # These are refused for what they mean, not for being empty.
    choice = [entry for entry in choice if entry.dotted not in ("credentials.existingSecret", "auth.existingSecret", "httpRoute.parentRefs", "ingress.hosts")]
    choice = [entry for entry in choice if only in entry.dotted]
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor() as pool:
        parent = parent_of(chart, pathlib.Path(directory))
        tried = []
        # All of one depth together: each must be told in the same answer.
        for depth in {len(entry.path) for entry in needed}:
            values, names = base, [entry.dotted for entry in needed if len(entry.path) == depth]
            for name in names:
                values = without(values, name.split("."))
            tried.append(pool.submit(refused, chart, parent, values, names))
        for entry in choice:
            for name, values in bases.items():
                for path in [[other] for other in PAIRED] if entry.dotted in PAIRED else [entry.path]:
                    values = without(values, path)
                tried.append(pool.submit(taken, chart, name, values, entry.dotted))
        values = base
        for entry in choice:
            if entry.dotted not in KEPT:
                values = without(values, entry.path)
        tried.append(pool.submit(all_taken, chart, parent, values))
        # Sections of `config` have no place in values.yaml, but people write them, too; the chart has a word in some.
        sections = {section: None for section in documents.settings()}
        for more in ({}, {"persistence": {**base["persistence"], "enabled": False}}, {"sandbox": {"enabled": True}}):
            tried.append(pool.submit(all_taken, chart, parent, {**base, **more, "config": sections}, "each section of config"))
        for one in tried:
            one.result()
        overlaid = 0 if only else check_overlays(chart)
    return (
        f"{len(needed)} values are refused in words when they are empty, and without {len(choice)} others the chart is a good one, "
        f"over {len(bases)} values files; {overlaid} keys are taken away by a null in another file"
    )


if __name__ == "__main__":
    main(check)
