//! One HTTP answer, and the documented words of fax.plus for it.
//!
//! Pure: an answer becomes bytes here, the connection writes them. Refuses nothing: a simulated fault may
//! need headers and statuses that no honest server would send.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::json;

/// The name and the value of a header field.
pub(super) type Field = (Cow<'static, str>, String);

/// A status, headers and a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<Field>,
    pub(super) body: Vec<u8>,
}

/// What the rendered head says of the connection's future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    /// It stays open.
    Keep,
    /// `connection: close`.
    Close,
}

impl Answer {
    /// A body as it stands.
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.to_owned())], body: body.into() }
    }

    /// Neither body nor content type.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A value as JSON.
    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::new(status, "application/json", body),
            Err(error) => Self::error(500, "unwritable_answer", &error.to_string()),
        }
    }

    /// fax.plus' error object.
    pub(super) fn error(status: u16, error: &str, description: &str) -> Self {
        Self::json(status, &json!({ "error": error, "description": description }))
    }

    /// The error object of the token endpoint: the member of OAuth, and that of fax.plus beside it.
    pub(super) fn oauth_error(status: u16, error: &str, description: &str) -> Self {
        let body = json!({ "error": error, "error_description": description, "description": description });
        Self::json(status, &body)
    }

    /// The error object with the usual words for this status.
    pub(super) fn refusal(status: u16) -> Self {
        let (error, description) = words(status);
        Self::error(status, error, description)
    }

    /// The documented 200.
    pub(super) fn resent() -> Self {
        Self::json(200, &json!({ "message": "Invitations resent successfully" }))
    }

    /// The same with one more header.
    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Head and body as they go over the wire.
    pub(super) fn render(&self, connection: Connection) -> Vec<u8> {
        let mut bytes = self.render_head(connection);
        if has_body(self.status) {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// The head alone; its `content-length` is the body's.
    pub(super) fn render_head(&self, connection: Connection) -> Vec<u8> {
        self.head(connection, self.length())
    }

    /// The head alone, for a body that follows in chunks.
    pub(super) fn render_chunked_head(&self, connection: Connection) -> Vec<u8> {
        self.head(connection, self.chunked())
    }

    /// The field that frames the body by its length; `None` when the status has no body.
    pub(super) fn length(&self) -> Option<Field> {
        has_body(self.status).then(|| ("content-length".into(), self.body.len().to_string()))
    }

    /// The field that frames the body by chunks; `None` when the status has no body.
    pub(super) fn chunked(&self) -> Option<Field> {
        has_body(self.status).then(|| ("transfer-encoding".into(), "chunked".to_owned()))
    }

    /// Every field of the head, in order.
    pub(super) fn fields(&self, connection: Connection, framing: Option<Field>) -> Vec<Field> {
        let date = ("date".into(), httpdate::fmt_http_date(SystemTime::now()));
        let close = (connection == Connection::Close).then(|| ("connection".into(), "close".to_owned()));
        [date].into_iter().chain(self.headers.iter().cloned()).chain(framing).chain(close).collect()
    }

    /// The head alone, for a body that lasts to the end of the connection.
    pub(super) fn render_unframed_head(&self) -> Vec<u8> {
        self.head(Connection::Close, None)
    }

    fn head(&self, connection: Connection, framing: Option<Field>) -> Vec<u8> {
        write_head("HTTP/1.1", self.status, &self.fields(connection, framing))
    }
}

/// A status line, these fields and the empty line.
pub(super) fn write_head(version: &str, status: u16, fields: &[Field]) -> Vec<u8> {
    let mut head = format!("{version} {status} {}\r\n", reason(status));
    for (name, value) in fields {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Whether an answer of this status can have a body.
pub(super) fn has_body(status: u16) -> bool {
    !matches!(status, 100..=199 | 204 | 304)
}

/// `error` and `description` for a status: documented for 401, 403 and 500, else in the same manner.
pub(super) fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("invalid_request", "The request is not valid."),
        401 => (
            "unauthorized",
            "The access token provided is expired, revoked, malformed, or invalid for other reasons.",
        ),
        403 => ("forbidden", "You are not allowed to access this resource."),
        404 => ("not_found", "There is nothing here."),
        405 => ("method_not_allowed", "This method is not allowed here."),
        408 => ("request_timeout", "The request took too long."),
        409 => ("conflict", "The request conflicts with the present state."),
        413 => ("payload_too_large", "The body is longer than one mebibyte."),
        422 => ("unprocessable_entity", "The request cannot be carried out."),
        429 => ("too_many_requests", "Too many requests, slow down."),
        431 => ("head_too_large", "The head is longer than 16 KiB or has more than 64 fields."),
        500 => ("internal_server_error", "An unexpected error happened, please contact support"),
        502 => ("bad_gateway", "The server behind this one gave no good answer."),
        503 => ("service_unavailable", "The service is not available."),
        504 => ("gateway_timeout", "The server behind this one gave no answer."),
        _ => ("simulated_fault", "The simulated fax.plus was told to answer this."),
    }
}

/// The reason phrase of a status line.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        520 => "Web Server Returned an Unknown Error",
        521 => "Web Server Is Down",
        522 => "Connection Timed Out",
        523 => "Origin Is Unreachable",
        524 => "A Timeout Occurred",
        525 => "SSL Handshake Failed",
        526 => "Invalid SSL Certificate",
        527 => "Railgun Error",
        530 => "Origin DNS Error",
        _ => "Simulated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &Answer, connection: Connection) -> String {
        String::from_utf8(answer.render(connection)).unwrap()
    }

    #[test]
    fn the_body_is_framed_by_its_length() {
        let rendered = text(&Answer::resent(), Connection::Keep);

        assert!(rendered.starts_with("HTTP/1.1 200 OK\r\ndate: "), "{rendered}");
        assert!(rendered.contains("\r\ncontent-type: application/json\r\ncontent-length: 45\r\n\r\n{"));
        assert!(!rendered.contains("connection"));
        assert!(rendered.ends_with(r#"{"message":"Invitations resent successfully"}"#));
    }

    #[test]
    fn a_status_without_body_has_no_length() {
        let rendered = text(&Answer::empty(204), Connection::Close);

        assert!(!rendered.contains("content-length"));
        assert!(rendered.ends_with("\r\nconnection: close\r\n\r\n"));
    }

    #[test]
    fn errors_use_the_documented_words() {
        let documented = br#"{"description":"An unexpected error happened, please contact support","error":"internal_server_error"}"#;

        assert_eq!(Answer::refusal(500).body, documented);
    }
}
