"""Renders every values file of ci/ with both helms for each Kubernetes version, and looks at every object: against the
schemas, against the restricted profile, and at how they fit together. Both helms must make the same of the same."""

import concurrent.futures

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


def check(chart=CHART):
    files = ci_values(chart)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        lints = [pool.submit(lint, chart, values, version) for values in files for version in HELMS]
        looks = [pool.submit(look_at, chart, values, kubernetes) for values in files for kubernetes in KUBERNETES]
        for one in lints:
            one.result()
        seen = sum(one.result() for one in looks)
    return (
        f"{len(files)} values files x helm 3 and 4 x Kubernetes {', '.join(KUBERNETES)}: {seen} objects are valid, "
        "restricted, and fit together"
    )


if __name__ == "__main__":
    main(check)
