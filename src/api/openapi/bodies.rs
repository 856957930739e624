//! Media types of the document with their schemas and examples.

use serde_json::{Value, json};

/// A JSON body by the name of its schema.
pub(super) fn json_of(schema: &str, example: &Value) -> Value {
    json!({"application/json": {"schema": reference(schema), "example": example}})
}

/// A schema by name.
pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// A JSON object that has to be sent, or may be.
pub(super) fn order(schema: &str, example: &Value, required: &Value) -> Value {
    json!({"required": required, "content": json_of(schema, example)})
}

/// A list in each form that is read. What is neither JSON nor plain text has no schema: none says what is CSV.
pub(super) fn list() -> Value {
    json!({
        "required": true,
        "description": "A list of addresses in UTF-8. Nothing is sent before all of it was read and found \
            well-formed. May be compressed: see `Content-Encoding`. NDJSON is a string or `{\"email\": \"...\"}` a \
            line, text an address a line; CSV has a column called `email`, `e-mail`, `email address`, \
            `e-mail address` or `mail` (any case; spaces, `_` and `-` alike; `email` wins), or is a single column \
            without header. Lines end with LF, CRLF, CR CR LF or CR. A byte order mark at the beginning is passed \
            over; blank lines, and CSV rows without any text, are no addresses. White space and invisible characters \
            around an address are left out when it is sent. Semicolons or tabs between columns, `sep=` lines, UTF-16 \
            and other encodings than UTF-8 are refused with their place.",
        "content": {
            "application/json": {"schema": reference("List"), "examples": {
                "array": {"value": ["ann@example.com", "bob@example.com"]},
                "object": {"value": {"emails": ["ann@example.com"]}},
            }},
            "application/x-ndjson": {
                "schema": {"contentMediaType": "application/x-ndjson"},
                "example": "{\"email\": \"ann@example.com\"}\n\"bob@example.com\"\n",
            },
            "text/plain": {
                "schema": {"type": "string", "minLength": 1},
                "example": "ann@example.com\nbob@example.com\n",
            },
            "text/csv": {
                "schema": {"contentMediaType": "text/csv"},
                "example": "name,email\r\nAnn,ann@example.com\r\n",
            },
        },
    })
}

/// Results in each form that is written.
pub(super) fn results() -> Value {
    let row = rows()[1].clone();
    let text = |example: &str| json!({"schema": {"type": "string"}, "example": example});
    json!({
        "application/json": {"schema": {"type": "array", "items": reference("Row")}, "example": rows()},
        "application/x-ndjson": text(&format!("{row}\n")),
        "text/csv": text("index,email,outcome,reason,detail,sent_at\r\n1,nobody,invalid,no_at_sign,,\r\n"),
        "text/plain": text("nobody\n"),
    })
}

/// A resend as it stands in examples.
pub(super) fn resend(status: &str, counts: &Value) -> Value {
    let mut resend = json!({
        "id": "01a2080c-1bde-7729-9bf7-d3526cb5556d", "status": status, "client": "billing",
        "created_at": "2026-11-23T10:55:40.672Z", "counts": counts, "upstream_calls": 1,
    });
    let (name, at) = match status {
        "finished" => ("finished_at", "2026-11-23T10:55:40.708Z"),
        _ => ("estimated_finish_at", "2026-11-23T10:56:01.023Z"),
    };
    resend[name] = at.into();
    resend
}

/// Counts by what is not 0.
pub(super) fn counts(told: &[(&str, u64)]) -> Value {
    let mut counts = json!({"received": 0, "sent": 0, "duplicate": 0, "invalid": 0, "rejected": 0, "not_sent": 0,
        "unknown": 0, "pending": 0});
    for (word, count) in told {
        counts[*word] = (*count).into();
    }
    counts["received"] = told.iter().map(|(_, count)| count).sum::<u64>().into();
    counts
}

/// A finished resend with results of its own.
pub(super) fn finished(told: &[(&str, u64)], results: &Value) -> Value {
    let mut resend = resend("finished", &counts(told));
    resend["results"] = results.clone();
    resend
}

/// Two results.
pub(super) fn rows() -> Value {
    json!([
        {"index": 0, "email": "ann@example.com", "outcome": "sent"},
        {"index": 1, "email": "nobody", "outcome": "invalid", "reason": "no_at_sign"},
    ])
}

/// A dry run.
pub(super) fn plan() -> Value {
    json!({
        "dry_run": true, "status": "finished", "client": "billing", "created_at": "2026-11-23T10:55:40.672Z",
        "counts": {"received": 1, "would_send": 1, "duplicate": 0, "invalid": 0, "unknown": 0},
        "upstream_calls": 1, "estimated_seconds": 0.2,
        "results": [{"index": 0, "email": "ann@example.com", "outcome": "would_send"}],
    })
}
