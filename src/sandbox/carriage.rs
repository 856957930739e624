//! Carries an answer as a delivery says: other fields, another clock, another framing, gzip.
//!
//! Pure. Refuses nothing; what no head can hold was refused with the rule.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use flate2::{Compression, write::GzEncoder};

use super::answer::{Answer, Connection, Field, has_body, write_head};
use super::faults::{Delivery, Encoding, Framing, Target};

/// What an answer depends on in its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) target: Target,
    pub(super) connection: Connection,
    pub(super) accepts_gzip: bool,
}

/// An answer as it goes over the wire.
pub(super) struct Carried {
    pub(super) status: u16,
    pub(super) bytes: Vec<u8>,
    /// Whether the connection ends behind it.
    pub(super) connection: Connection,
}

/// Puts an answer into bytes.
pub(super) fn carry(mut answer: Answer, delivery: &Delivery, asked: Asked) -> Carried {
    let gzips = match delivery.encoding {
        Encoding::Identity => false,
        Encoding::Gzip => true,
        Encoding::GzipIfAccepted => asked.accepts_gzip,
    };
    if gzips && !answer.body.is_empty() && has_body(answer.status) {
        match gzip(&answer.body) {
            Ok(body) => answer = Answer { body, ..answer }.with_header("content-encoding", "gzip"),
            Err(error) => answer = Answer::error(500, "unwritable_answer", &error.to_string()),
        }
    }
    let (version, connection) = match delivery.framing {
        Framing::Length | Framing::Chunked => ("HTTP/1.1", asked.connection),
        Framing::Close => ("HTTP/1.1", Connection::Close),
        Framing::Http10 => ("HTTP/1.0", Connection::Close),
    };
    let mut fields = answer.fields(connection, framing(&answer, delivery.framing));
    if delivery.framing == Framing::Http10 {
        set(&mut fields, "connection", &[]);
    }
    set_clock(&mut fields, delivery);
    for (name, values) in &delivery.headers {
        set(&mut fields, name, values);
    }
    let mut bytes = write_head(version, answer.status, &fields);
    if has_body(answer.status) {
        match delivery.framing {
            Framing::Chunked => bytes.extend(chunks(&answer.body)),
            Framing::Length | Framing::Close | Framing::Http10 => bytes.extend_from_slice(&answer.body),
        }
    }
    Carried { status: answer.status, bytes, connection }
}

fn framing(answer: &Answer, framing: Framing) -> Option<Field> {
    match framing {
        Framing::Length => answer.length(),
        Framing::Chunked => answer.chunked(),
        Framing::Close | Framing::Http10 => None,
    }
}

/// Puts these values in place of all fields of this name.
fn set(fields: &mut Vec<Field>, name: &str, values: &[String]) {
    fields.retain(|field| !field.0.eq_ignore_ascii_case(name));
    fields.extend(values.iter().map(|value| (Cow::Owned(name.to_owned()), value.clone())));
}

/// The server's own time, and a `Retry-After` that is reckoned from it.
fn set_clock(fields: &mut Vec<Field>, delivery: &Delivery) {
    let date = shifted(SystemTime::now(), delivery.clock_offset_seconds);
    if delivery.clock_offset_seconds != 0 || delivery.retry_after_date_seconds.is_some() {
        set(fields, "date", &[httpdate::fmt_http_date(date)]);
    }
    if let Some(seconds) = delivery.retry_after_date_seconds {
        set(fields, "retry-after", &[httpdate::fmt_http_date(shifted(date, seconds))]);
    }
}

fn shifted(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time - by } else { time + by }
}

/// The body in two chunks, or as many as it has bytes for.
fn chunks(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in body.chunks(body.len().div_ceil(2).max(1)) {
        bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}
