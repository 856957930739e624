"""What schemathesis can't know: NDJSON is sent as the text it is, and half of the strings in lists are addresses."""

import zlib

import schemathesis
from schemathesis.core.transforms import to_wire_text


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return value if isinstance(value, bytes) else to_wire_text(value).encode()


def addressed(text):
    """A string as it is, or an address of its own: the schema takes either."""
    number = zlib.crc32(text.encode(errors="replace"))
    return text if number % 2 else f"user{number}@example.com"


@schemathesis.hook
def map_body(ctx, body):
    if isinstance(body, list) and all(isinstance(item, str) for item in body):
        return [addressed(item) for item in body]
    if isinstance(body, dict) and list(body) == ["emails"]:
        return {"emails": map_body(ctx, body["emails"])}
    return body
