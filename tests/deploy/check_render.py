"""Renders every values file of ci/ with both helms for each Kubernetes version, and looks at every object: against the
schemas, against the restricted profile, and at how they fit together. Both helms must make the same of the same, large
numbers must stay numbers, and the chart must do as a part of another one."""

import concurrent.futures
import json
import pathlib
import re
import tempfile

import restricted
import schemas
import wiring
from common import CHART, HELMS, KUBERNETES, HelmError, Wrong, ci_values, helm, main, objects, template


def lint(chart, values, version):
    where = f"{version} lint --strict with ci/{values.name}"
    try:
        helm(["lint", "--strict", str(chart), "--values", str(values)], version)
    except HelmError as error:
        raise Wrong(where, str(error), "helm's own words say where") from error


def render(chart, values, version, kubernetes):
    """The objects of one rendering."""
    where = f"{version}, Kubernetes {kubernetes}, ci/{values.name}"
    try:
        text = template(values, chart=chart, version=version, kubernetes=kubernetes)
    except HelmError as error:
        raise Wrong(where, str(error), "values in ci/ must install") from error
    no_exponent(text, where)
    return objects(text, where), where


def look_at(chart, values, kubernetes):
    """All that is to be said of one values file and one version of Kubernetes; gives the number of objects."""
    made = {version: render(chart, values, version, kubernetes) for version in HELMS}
    (old, where), (new, _) = made.values()
    if old != new:
        raise Wrong(where, "helm 3 and helm 4 make different objects of it", "compare what `template` of both prints")
    schemas.check(new, where, kubernetes)
    restricted.check(new, where)
    wiring.check(new, where)
    return len(new)


def no_exponent(text, where):
    """No number is written as 1e+06: a template does so with a million, and an API server takes that for no integer."""
    if found := re.search(r"[0-9]e\+", text):
        line = text[:found.end()].count("\n")
        raise Wrong(where, f"has {text.splitlines()[line].strip()[:99]!r}", "write it with int64 or toJson")


def largest(schema, definitions):
    """The largest number that the schema takes, wherever it takes one, as values have it; ten millions without a bound."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "properties" in schema:
        made = {key: largest(value, definitions) for key, value in schema["properties"].items()}
        return {key: value for key, value in made.items() if value is not None}
    for one in schema.get("oneOf", [schema]):
        kinds = one["type"] if isinstance(one.get("type"), list) else [one.get("type")]
        if "integer" in kinds or "number" in kinds:
            beyond = one.get("exclusiveMaximum", 10_000_001)
            return one.get("maximum", beyond - 1 if "integer" in kinds or beyond > 1 else beyond / 2)
    return None


def check_numbers(chart):
    """Large numbers are written as they are, wherever one can stand."""
    whole = json.loads((chart / "values.schema.json").read_text())
    values = largest(whole, whole["definitions"])
    values["replicaCount"] = 1
    values["service"]["type"] = "NodePort"
    for owned in ("drain_delay_seconds", "drain_timeout_seconds"):
        del values["config"]["server"][owned]
    window = {"long": "1h", "short": "5m", "factor": 10_000_000, "for": "2m", "severity": "page"}
    # So large a factor makes sense of an objective that allows almost nothing.
    values["prometheusRule"]["slo"] |= {"windows": [window], "target": 99.999999}
    # The one takes over from the other.
    values["prometheusRule"]["alerts"]["credentialExpiringSoon"]["withinSeconds"] -= 1
    values["persistence"]["size"] = "1Ti"
    for monitor in ("serviceMonitor", "podMonitor"):
        turned_on = ["--set", f"serviceMonitor.enabled=false,podMonitor.enabled=false,{monitor}.enabled=true"]
        for version in HELMS:
            where = f"{version}, the largest numbers with a {monitor}"
            more = ["--values", str(chart / "ci" / "everything.yaml"), *turned_on]
            text = template(json.dumps(values), chart=chart, version=version, more=more)
            no_exponent(text, where)
            schemas.check(objects(text, where), where, KUBERNETES[-1])


def check_class(chart):
    """The storage class "-" is none, which is another thing than to name none."""
    for given, wanted in (("-", [""]), ("", []), ("a.b", ["a.b"])):
        values = json.dumps({"persistence": {"storageClass": given}})
        text = template(values, chart=chart, more=["--values", str(chart / "ci" / "minimal.yaml")])
        workload = next(one for one in objects(text, given) if one["kind"] == "StatefulSet")
        made = [claim["spec"]["storageClassName"] for claim in workload["spec"]["volumeClaimTemplates"] if "storageClassName" in claim["spec"]]
        if made != wanted:
            raise Wrong(f"persistence.storageClass={given!r}", f"makes {made}", "look at statefulset.yaml")


def check_as_part(chart):
    """A parent chart may take it as a part: turn it on by a condition, and share globals of its own."""
    with tempfile.TemporaryDirectory() as directory:
        parent = pathlib.Path(directory)
        (parent / "charts").mkdir()
        (parent / "charts" / chart.name).symlink_to(chart)
        part = {"name": chart.name, "version": "*", "condition": f"{chart.name}.enabled"}
        (parent / "Chart.yaml").write_text(json.dumps(
            {"apiVersion": "v2", "name": "parent", "version": "0.1.0", "dependencies": [part]}))
        shared = {"global": {"platform": {"project": "p-1"}, "imageRegistry": "mirror.example.com"}}
        for version in HELMS:
            for turned_on in (True, False):
                values = {**shared, chart.name: {"enabled": turned_on, "sandbox": {"enabled": True}}}
                where = f"{version}, as a part that is {'on' if turned_on else 'off'}"
                try:
                    found = objects(template(json.dumps(values), chart=parent, version=version), where)
                except HelmError as error:
                    raise Wrong(where, str(error), "a parent's `enabled` and `global` must pass the schema") from error
                if bool(found) != turned_on:
                    raise Wrong(where, f"makes {len(found)} objects", "look at the condition")


def check(chart=CHART):
    check_as_part(chart)
    check_numbers(chart)
    check_class(chart)
    files = ci_values(chart)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        lints = [pool.submit(lint, chart, values, version) for values in files for version in HELMS]
        looks = [pool.submit(look_at, chart, values, kubernetes) for values in files for kubernetes in KUBERNETES]
        for one in lints:
            one.result()
        seen = sum(one.result() for one in looks)
    return (
        f"{len(files)} values files x helm 3 and 4 x Kubernetes {', '.join(KUBERNETES)}: {seen} objects are valid, "
        "restricted, and fit together; the largest numbers stay numbers, and the chart does as a part of another"
    )


if __name__ == "__main__":
    main(check)
