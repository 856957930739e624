//! Parameters and headers of the document.

use serde_json::{Map, Value, json};

use crate::api::media::ENCODINGS;

/// A parameter of a query that may be left out.
pub(super) fn query(name: &str, description: &str, schema: &Value, example: impl Into<Value>) -> Value {
    optional("query", name, description, schema, example.into())
}

/// Its example stands in its schema: with one beside it Swagger UI would send it unless it is taken out, and a body
/// that is not gzip as gzip.
fn optional(place: &str, name: &str, description: &str, schema: &Value, example: Value) -> Value {
    let mut schema = schema.clone();
    schema["examples"] = json!([example]);
    json!({"name": name, "in": place, "required": false, "description": description, "schema": schema})
}

/// A switch in a query.
pub(super) fn flag(name: &str, description: &str) -> Value {
    query(name, description, &json!({"type": "boolean", "default": false}), true)
}

fn header(name: &str, description: &str, schema: &Value, example: &str) -> Value {
    optional("header", name, description, schema, example.into())
}

/// Parameters that several operations have.
pub(super) fn shared() -> Value {
    // Visible text; what is not meant for the gateway is passed over.
    let text = json!({"type": "string", "pattern": "^[\\x20-\\x7e]*$"});
    let any = json!({"type": "string"});
    let encoding = json!({"type": "string", "enum": ENCODINGS.map(|(word, _)| word)});
    let key = json!({"type": "string", "pattern": KEY});
    json!({
        "id": {"name": "id", "in": "path", "required": true, "description": "The id of a resend",
            "schema": {"type": "string", "format": "uuid"}, "example": "01a2080c-1bde-7729-9bf7-d3526cb5556d"},
        "request_id": header("X-Request-Id", "Names the request in answers and logs: 1 to 128 of \
            `A-Z a-z 0-9 . _ -`. Anything else is replaced.", &any, "req-7"),
        "traceparent": header("traceparent", "W3C Trace Context. Taken over when well-formed, else made anew.",
            &any, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        "prefer": header("Prefer", "RFC 7240: `wait=N` waits at most so many seconds for the end (cut to \
            `server.max_wait_seconds`), `respond-async` not at all. Other preferences are passed over.",
            &text, "wait=60"),
        "idempotency_key": header("Idempotency-Key", "The same list under the same key is the same resend: joined \
            while it runs, and afterwards what was `not_sent` runs again. 1 to 255 visible ASCII characters, as they \
            are or in double quotes.", &key, "monday"),
        "content_encoding": header("Content-Encoding", "How the body is compressed.", &encoding, "gzip"),
        "last_event_id": header("Last-Event-ID", "The last event that was heard, as a browser's `EventSource` says \
            it.", &any, "end-1795429600452"),
    })
}

/// A key as it is, which does not begin with a quote, or in quotes.
const KEY: &str = r#"^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"#;

/// Headers of answers.
pub(super) fn headers() -> Value {
    let all = [
        ("X-Request-Id", "The id of the request", r"^[A-Za-z0-9._-]{1,128}$", "req-7"),
        ("Cache-Control", "Nothing is to be kept", "^no-store$", "no-store"),
        ("X-Content-Type-Options", "The media type is as told", "^nosniff$", "nosniff"),
        ("WWW-Authenticate", "What is asked for", "^Bearer", "Bearer"),
        (
            "Preference-Applied",
            "What of `Prefer` was done (RFC 7240)",
            r"^(respond-async|wait=\d+|respond-async, wait=\d+)$",
            "wait=60",
        ),
        ("X-Accel-Buffering", "Proxies pass the events on at once", "^no$", "no"),
        ("Content-Security-Policy", "What the page may do", "^default-src 'none'", "default-src 'none'"),
    ];
    // Told only when it was asked for; all others stand wherever they are listed.
    let is_there = |name: &str| name != "Preference-Applied";
    let mut headers: Map<String, Value> = all
        .into_iter()
        .map(|(name, description, pattern, example)| {
            let schema = json!({"type": "string", "pattern": pattern});
            let header = json!({"description": description, "required": is_there(name), "schema": schema,
                "example": example});
            (name.to_owned(), header)
        })
        .collect();
    headers.insert(
        "Retry-After".to_owned(),
        json!({"description": "Seconds until it is worth coming back",
        "required": true, "schema": {"type": "integer", "minimum": 1}, "example": 5}),
    );
    headers.insert(
        "Location".to_owned(),
        json!({"description": "Where to go on", "required": true,
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/v1/resends/01a2080c-1bde-7729-9bf7-d3526cb5556d"}),
    );
    headers.insert(
        "Allow".to_owned(),
        json!({"description": "The methods of this path", "required": true, "schema": {"type": "string"},
        "example": "GET, HEAD, POST"}),
    );
    headers.into()
}
