"""Whatever the schema takes either renders to objects that are valid, restricted and fit together, with every setting of
`config` arriving as it was given, or is refused by the chart in its own words.

Hypothesis changes up to eight values of a file of ci/ to others that the schema takes, with a liking for what YAML and
TOML could mistake for something else. Where the schema is open (`affinity`, a list of volumes) nothing can be said of
what people put there, so that stays. The same examples come every time; EXAMPLES=1000 looks for more.
"""

import json
import os
import re
import threading
import tomllib

import restricted
import schemas
import wiring
import yaml
from common import CHART, KUBERNETES, HelmError, Wrong, ci_values, main, objects, template
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

# Hypothesis is not made for two threads at once, as check_checks has them.
ONE_AT_A_TIME = threading.Lock()
EXAMPLES = int(os.environ.get("EXAMPLES", "80"))
# What the other checks demand of the defaults, and people may give up.
KEPT = ("resources", "tests.resources", "config.upstream.ca_file", "podLabels", "prometheusRule", "dashboards")
TRICKY = ("true", "null", "no", "123", "1e5", "0x10", "0o7", "-", "~", "a.b", "2Gi", "7s", "80%", "/v1 #", 'a"b', "a\\b", "é", "{{ .x }}", "")

LETTERS = st.characters(exclude_categories=["Cs", "Cc"])


def leaves(schema, definitions, path=()):
    """Paths to what is not a map, with the values that the schema takes there."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if ".".join(path) in KEPT:
        return
    if "properties" in schema:
        for key, value in schema["properties"].items():
            yield from leaves(value, definitions, (*path, key))
    elif (made := of(schema, definitions)) is not None:
        yield path, made


def of(schema, definitions):
    """Values that a schema takes; None where it is open."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    kind = schema.get("type")
    if isinstance(kind, list):
        made = [of({**schema, "type": one}, definitions) for one in kind]
        return None if None in made else st.one_of(made)
    if kind == "null":
        return st.none()
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "oneOf" in schema:
        return st.one_of([of(one, definitions) for one in schema["oneOf"]])
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        low = schema.get("minimum", -5)
        return st.integers(low, schema.get("maximum", low + 10_000_000))
    if kind == "number":
        return st.floats(0.001, 1e15, allow_nan=False) | st.integers(0, 2**50)
    if kind == "string":
        return text(schema)
    if kind == "array" and (items := of(schema.get("items", {}), definitions)) is not None:
        return st.lists(items, max_size=schema.get("maxItems", 2), unique=schema.get("uniqueItems", False))
    if kind == "object" and isinstance(values := schema.get("additionalProperties"), dict):
        return st.dictionaries(st.sampled_from(["a", "b.c/d", "123", "true"]), of(values, definitions), max_size=2)
    if kind == "object" and schema.get("additionalProperties") is False:
        parts = {key: of(value, definitions) for key, value in schema["properties"].items()}
        wanted = schema.get("required", [])
        optional = {key: value for key, value in parts.items() if value is not None and key not in wanted}
        if not wanted and not optional:
            return None
        made = st.fixed_dictionaries({key: parts[key] for key in wanted}, optional=optional)
        return made.filter(lambda value: len(value) >= schema.get("minProperties", 0))
    return None


def text(schema):
    """Texts that the pattern takes, tricky ones first."""
    pattern = re.compile(schema.get("pattern", ""))
    tricky = [word for word in TRICKY if pattern.search(word)]
    if "[^" in pattern.pattern or not pattern.pattern:
        made = st.text(LETTERS, max_size=9)
    else:
        made = st.from_regex(pattern.pattern.replace("$", r"\Z"), alphabet=LETTERS)
        made = made.filter(lambda word: len(word) <= schema.get("maxLength", 1024))
    return st.sampled_from(tricky) | made if tricky else made


def changed(values, changes):
    """The values of a file with some of them changed."""
    values = json.loads(json.dumps(values))
    for path, value in changes:
        here = values
        for key in path[:-1]:
            if not isinstance(here.get(key), dict):
                here[key] = {}
            here = here[key]
        here[path[-1]] = value
    return values


def accepted(rendered, values):
    """What must hold of a rendering."""
    where = f"values {json.dumps(values)}"
    found = objects(rendered, where)
    schemas.check(found, where, KUBERNETES[-1])
    restricted.check(found, where)
    wiring.check(found, where)
    text = next(one["data"]["gateway.toml"] for one in found if "gateway.toml" in one.get("data", {}))
    told = tomllib.loads(text)
    for section, keys in (values.get("config") or {}).items():
        for key, value in (keys or {}).items():
            if value is None:  # the setting keeps its own default
                continue
            arrived = told[section][key]
            if arrived != value or isinstance(arrived, bool) != isinstance(value, bool):
                raise Wrong(where, f"config.{section}.{key} arrives as {arrived!r}", "look at _settings.tpl")


def check(chart=CHART, only=""):
    """All places where values stand, or those that have `only` in them."""
    whole = json.loads((chart / "values.schema.json").read_text())
    places = sorted(leaves(whole, whole["definitions"]), key=lambda place: place[0])
    places = [place for place in places if only in ".".join(place[0])]
    given_values = [made.map(lambda value, path=path: (path, value)) for path, made in places]
    # Among them a key with nothing behind it: itself, or all that stands below the root.
    empty = st.sampled_from([path for place, _ in places for path in (place, place[:1])]).map(lambda path: (path, None))
    change = st.one_of([*given_values, empty])
    bases = [yaml.safe_load(path.read_text()) for path in ci_values(chart)]
    told = {"rendered": 0, "refused": 0}

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(bases), st.lists(change, min_size=1, max_size=8))
    def holds(base, changes):
        values = changed(base, changes)
        try:
            rendered = template(json.dumps(values, ensure_ascii=False), chart=chart)
        except HelmError as error:
            if "can't be used" not in str(error):
                raise Wrong(f"values {json.dumps(values)}", str(error), "refuse it in words, or render it") from error
            told["refused"] += 1
            return
        accepted(rendered, values)
        told["rendered"] += 1

    with ONE_AT_A_TIME:
        holds()
    if told["rendered"] < EXAMPLES // 4:
        raise Wrong("the examples", f"only {told['rendered']} were rendered, so little was tried", "make fewer of them wrong")
    return (
        f"{sum(told.values())} times other values that the schema takes: {told['rendered']} render to good objects, "
        f"{told['refused']} are refused in words"
    )


if __name__ == "__main__":
    main(check)
