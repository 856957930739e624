"""Strict validation of every object: Kubernetes' own against the schemas of a version, custom resources against closed
schemas made of their published types. An unknown field or kind is wrong. What only an API server knows is not looked at."""

import functools
import json

import jsonschema
import kubernetes_validate

from common import TOOLS, Wrong, name_of

GROUPS = {"monitoring.coreos.com", "gateway.networking.k8s.io"}


def check(found, where, kubernetes):
    """Refuses an object that a Kubernetes of this version would refuse, or whose fields it would drop."""
    for one in found:
        if one["apiVersion"].split("/")[0] in GROUPS:
            check_custom(one, where)
            continue
        try:
            kubernetes_validate.validate(one, kubernetes, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(map(str, error.path))
            raise Wrong(f"{where}, {name_of(one)}", f"{path}: {error.message}", f"look the field up for {kubernetes}") from error
        except kubernetes_validate.SchemaNotFoundError as error:
            what = f"{one['apiVersion']} {one['kind']} is not in Kubernetes {kubernetes}"
            raise Wrong(f"{where}, {name_of(one)}", what, "take a version that all of them have") from error


@functools.cache
def custom(kind):
    """The schema of a custom resource, made by `tools`."""
    path = TOOLS / "schemas" / f"{kind}.json"
    if not path.exists():
        raise Wrong(kind, "there is no schema for this custom resource", "add its type to tests/deploy/npm/kinds.ts")
    return jsonschema.Draft7Validator(json.loads(path.read_text()))


def check_custom(one, where):
    error = jsonschema.exceptions.best_match(custom(one["kind"]).iter_errors(one))
    if error:
        path = ".".join(map(str, error.absolute_path))
        raise Wrong(f"{where}, {name_of(one)}", f"{path}: {error.message}", "look the field up in the resource's reference")
