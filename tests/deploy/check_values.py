"""Every value is declared, in the schema, and does something.

What templates read as `.Values.…` must be declared in values.yaml, and what is declared must be in the schema. That a
value does something is tried and not guessed: it is changed in the values files of ci/ until a rendering changes.
"""

import concurrent.futures
import json
import re

import jsonschema
import values_file
import yaml
from common import CHART, HelmError, Wrong, ci_values, main, template

READ = re.compile(r"\$?\.Values((?:\.[A-Za-z][A-Za-z0-9_]*)+)")
# Texts for a changed value; those that the schema takes are tried.
TEXTS = ("other", "7Gi", "7s", "7m", "/other", "sha256:" + 64 * "7", "77%", "IPv4")


def reads(chart):
    """What templates read, with where."""
    for path in sorted((chart / "templates").rglob("*")):
        if path.is_file():
            for found in READ.finditer(path.read_text()):
                yield tuple(found[1].strip(".").split(".")), path.relative_to(chart)


def below(path, default):
    """The path of a value, and those of what its default has in it: a map in one line has one comment."""
    yield path
    for key, value in default.items() if isinstance(default, dict) else ():
        yield from below((*path, key), value)


def declared(chart, entries):
    """Everything that is read is declared."""
    paths = {path for entry in entries for path in below(entry.path, entry.default)}
    opened = {entry.path for entry in entries if not entry.is_group}
    for path, where in reads(chart):
        into_open_map = any(path[: len(start)] == start for start in opened)
        if path not in paths and not into_open_map:
            raise Wrong(where, f"reads .Values.{'.'.join(path)}, which values.yaml does not have", "declare it, or correct the name")


def schema_of(whole, path):
    """The schema of the value at `path`, with what it refers to; None when there is none."""
    here = whole
    for key in path:
        here = whole["definitions"].get(here.get("$ref", "").rpartition("/")[2], here)
        if key in here.get("properties", {}):
            here = here["properties"][key]
        elif (rest := here.get("additionalProperties", {})) is not False:
            here = rest
        else:
            return None
    return here


def other_values(default, schema, definitions):
    """Values that differ from the default and that the schema takes."""
    if isinstance(default, bool):
        tries = [not default]
    elif isinstance(default, (int, float)):
        tries = [default + 1, default - 1, default + 0.05]
    elif isinstance(default, dict):
        tries = [{"changed": "yes"}]
    elif isinstance(default, list):
        tries = [[], default[:-1]]
    else:
        tries = [*schema.get("enum", []), *TEXTS, 30000]
    takes = jsonschema.Draft7Validator({"definitions": definitions, **schema}).is_valid
    return [value for value in tries if value != default and takes(value)] or ([[]] if default == [] else [])


def merged(values, path, value):
    """The values of a file with one of them changed."""
    values = json.loads(json.dumps(values))
    here = values
    for key in path[:-1]:
        if not isinstance(here.get(key), dict):
            here[key] = {}
        here = here[key]
    here[path[-1]] = value
    return yaml.safe_dump(values)


def has_effect(chart, entry, schema, bases, definitions):
    """Some change of it changes the rendering of some values file, or makes the chart refuse it."""
    for value in other_values(entry.default, schema, definitions):
        for values, rendered in bases:
            text = merged(values, entry.path, value)
            try:
                if template(text, chart=chart) != rendered:
                    return
            except HelmError as error:
                if "can't be used" in str(error):
                    return
                raise Wrong(f"{entry.dotted}={value!r}", str(error), "a value that the schema takes must render, or be refused in words") from error
    where = f"values.yaml, {entry.dotted}"
    raise Wrong(where, "changing it changes nothing, in no file of ci/", "use it, remove it, or give it a place in a file of ci/")


def check(chart=CHART, only=""):
    """All values, or those whose place has `only` in it."""
    entries = values_file.read(chart)
    declared(chart, entries)
    whole = json.loads((chart / "values.schema.json").read_text())
    # The largest first: most values show there.
    files = sorted(ci_values(chart), key=lambda path: -path.stat().st_size)
    bases = [(yaml.safe_load(path.read_text()), template(path, chart=chart)) for path in files]
    leaves = [entry for entry in entries if not entry.is_group and only in entry.dotted]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        tried = []
        for entry in leaves:
            schema = schema_of(whole, entry.path)
            if schema is None:
                raise Wrong(f"values.yaml, {entry.dotted}", "is not in values.schema.json", "describe it there")
            if entry.dotted != "global":  # read in parts, which ci/under-a-parent.yaml sets
                tried.append(pool.submit(has_effect, chart, entry, schema, bases, whole["definitions"]))
        for one in tried:
            one.result()
    return f"{len(leaves)} values are declared, in the schema, and each changes what is rendered"


if __name__ == "__main__":
    main(check)
