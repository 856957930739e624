"""Renders every values file of ci/ with both helms for each Kubernetes version, and looks at every object: against the
schemas, against the restricted profile, and at how they fit together. Both helms must make the same of the same, and the
chart must do as a part of another one."""

import concurrent.futures
import json
import pathlib
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
        return objects(template(values, chart=chart, version=version, kubernetes=kubernetes), where), where
    except HelmError as error:
        raise Wrong(where, str(error), "values in ci/ must install") from error


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
    files = ci_values(chart)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        lints = [pool.submit(lint, chart, values, version) for values in files for version in HELMS]
        looks = [pool.submit(look_at, chart, values, kubernetes) for values in files for kubernetes in KUBERNETES]
        for one in lints:
            one.result()
        seen = sum(one.result() for one in looks)
    return (
        f"{len(files)} values files x helm 3 and 4 x Kubernetes {', '.join(KUBERNETES)}: {seen} objects are valid, "
        "restricted, and fit together; the chart does as a part of another"
    )


if __name__ == "__main__":
    main(check)
