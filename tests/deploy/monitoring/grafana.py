"""Holds a dashboard against Grafana's own types: a field that Grafana does not know is ignored there, without a word.

The schemas are closed, and made by `tools`. What a field must have beside others is not asked: Grafana fills in what is
left out. What a data source puts into its targets and annotations is not in the types.
"""

import functools
import json
import os
from pathlib import Path

import jsonschema

SCHEMAS = Path(os.environ["DEPLOY_TOOLS"]) / "schemas"
# Fields of an annotation that the Prometheus data source reads.
OF_PROMETHEUS = {"expr", "step", "textFormat", "titleFormat", "useValueForTime"}


def faults(dashboard):
    """Fields that Grafana does not know, or reads otherwise."""
    whole = json.loads(json.dumps(dashboard))
    for annotation in whole["annotations"]["list"]:
        for name in OF_PROMETHEUS & annotation.keys():
            del annotation[name]
    yield from of_schema("Dashboard", whole)
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        kind = f"grafana.{panel['type'].replace('-', '')}"
        if not (SCHEMAS / f"{kind}.Options.json").exists():
            yield f"{panel['title']}: there is no schema of a panel {panel['type']}: name it in tests/deploy/tools"
            continue
        yield from (f"{panel['title']}: options: {fault}" for fault in of_schema(f"{kind}.Options", panel["options"]))
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if (SCHEMAS / f"{kind}.FieldConfig.json").exists():
            yield from (f"{panel['title']}: custom: {fault}" for fault in of_schema(f"{kind}.FieldConfig", custom))
        elif custom:
            yield f"{panel['title']}: custom: a panel {panel['type']} has none"


def of_schema(name, value):
    for error in validator(name).iter_errors(value):
        best = jsonschema.exceptions.best_match([error])
        yield ": ".join([*filter(None, [".".join(map(str, best.absolute_path))]), best.message])


@functools.cache
def validator(name):
    return jsonschema.Draft7Validator(without_demands(json.loads((SCHEMAS / f"{name}.json").read_text())))


def without_demands(schema):
    """The schema with nothing that has to be there."""
    if isinstance(schema, list):
        return [without_demands(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_demands(value) for key, value in schema.items() if key != "required" or not isinstance(value, list)}
