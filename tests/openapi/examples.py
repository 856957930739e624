"""Reads the document on standard input and holds each of its examples against the schema it stands beside."""

import json
import sys

import jsonschema_rs


def examples(node):
    """Every schema with an example beside it, and where."""
    if isinstance(node, dict):
        if "schema" in node:
            if "example" in node:
                yield node["schema"], node["example"]
            for named in node.get("examples", {}).values():
                if "value" in named:
                    yield node["schema"], named["value"]
            for example in node["schema"].get("examples", []):
                yield node["schema"], example
        for name, member in node.items():
            if name not in ("example", "examples", "value"):
                yield from examples(member)
    elif isinstance(node, list):
        for item in node:
            yield from examples(item)


def main():
    document = json.load(sys.stdin)
    seen = faults = 0
    for schema, example in examples(document):
        seen += 1
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"]}
        whole["allOf"] = [schema]
        for error in jsonschema_rs.Draft202012Validator(whole, validate_formats=True).iter_errors(example):
            faults += 1
            print(f"{json.dumps(example)[:120]}: {error.message} at {error.instance_path}", file=sys.stderr)
    print(f"{seen} examples, {faults} faults")
    return 1 if faults or not seen else 0


sys.exit(main())
