"""What the checks share: where things are, how a mistake is told, how the chart is rendered and read."""

import os
import pathlib
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "faxplus-gateway"
TOOLS = pathlib.Path(os.environ["DEPLOY_TOOLS"])
HELMS = ("helm3", "helm4")
# The oldest version that Chart.yaml allows, one in between, and the newest whose schemas are at hand.
KUBERNETES = ("1.29", "1.33", "1.37")
# Hypothesis would keep what it finds out about Unicode in the working directory.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(TOOLS / "hypothesis"))
RELEASE, NAMESPACE = "fax", "post"


class Wrong(Exception):
    """Something that must hold and does not: what it is, where, and what to do about it."""

    def __init__(self, where, what, remedy):
        super().__init__(f"{where}\n    {what}\n    -> {remedy}")


class HelmError(Exception):
    """What helm said when it refused."""


def main(check):
    """Runs `check`, which gives one sentence of what it found to hold; ends with 1 at the first thing that is wrong."""
    start = time.monotonic()
    try:
        told = check()
    except Wrong as wrong:
        sys.exit(f"\nWRONG: {wrong}")
    print(f"   {told} ({time.monotonic() - start:.1f} s)")


def ci_values(chart=CHART):
    """The values files that stand for whole set-ups."""
    return sorted((chart / "ci").glob("*.yaml"))


def helm(arguments, version="helm4", values=None):
    """Runs helm, with values on its standard input if there are any, and gives its standard output."""
    done = subprocess.run([TOOLS / version, *arguments], input=values, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def template(values=None, *, chart=CHART, version="helm4", kubernetes=KUBERNETES[-1], release=RELEASE, more=()):
    """The rendered chart as text. `values` is a file, a text, or nothing."""
    command = ["template", release, str(chart), "--namespace", NAMESPACE, "--kube-version", f"{kubernetes}.0", *more]
    if isinstance(values, pathlib.Path):
        return helm([*command, "--values", str(values)], version)
    return helm([*command, "--values", "-"], version, values) if values else helm(command, version)


class StrictLoader(yaml.CSafeLoader):
    """Refuses a key that stands twice in a map; other readers silently take the last."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {', '.join(map(str, twice))} stands twice")
        return super().construct_mapping(node, deep)


def objects(text, where):
    """The objects of a rendered chart."""
    try:
        return [found for found in yaml.load_all(text, StrictLoader) if found]
    except yaml.YAMLError as error:
        raise Wrong(where, f"is not YAML as Kubernetes reads it: {error}", "look at the template's indentation") from error


def name_of(found):
    """How an object is called in messages."""
    return f"{found['kind']}/{found['metadata']['name']}"


def pods_of(found):
    """The pod specs in a list of objects, each with its object, test pods included."""
    for one in found:
        if one["kind"] == "Pod":
            yield one, one["metadata"], one["spec"]
        elif "template" in one.get("spec", {}):
            yield one, one["spec"]["template"]["metadata"], one["spec"]["template"]["spec"]


def containers_of(spec):
    """All containers of a pod, those that run before it included."""
    return spec.get("initContainers", []) + spec["containers"] + spec.get("ephemeralContainers", [])
