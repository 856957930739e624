//! How an upstream call ended, as one word: the `result` label of the metrics.

/// The closed set of ends of an upstream call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallResult {
    /// Accepted.
    Ok,
    /// Refused by fax.plus for what it held (400, 404, 409, 410, 413, 422).
    Rejected,
    /// 401.
    Unauthorized,
    /// 403 of fax.plus.
    Forbidden,
    /// 429.
    Throttled,
    /// 408, a 503 that says it did nothing, or an edge that did not reach fax.plus.
    Unavailable,
    /// Another 4xx, a redirect, or a refusal that is not by fax.plus: this is not the endpoint we think it is.
    Misconfigured,
    /// Another 5xx: it may have acted.
    ServerError,
    /// Written, and no answer in time.
    Timeout,
    /// Never written: refused, DNS, TLS, no connection in time.
    ConnectFailed,
    /// Written, and the connection ended before a clear answer.
    ConnectionLost,
    /// An answer that says neither yes nor no.
    UnreadableAnswer,
}

impl CallResult {
    /// Every word, in the order of the contract.
    pub const ALL: [Self; 12] = [
        Self::Ok,
        Self::Rejected,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Throttled,
        Self::Unavailable,
        Self::Misconfigured,
        Self::ServerError,
        Self::Timeout,
        Self::ConnectFailed,
        Self::ConnectionLost,
        Self::UnreadableAnswer,
    ];

    /// The word in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::ConnectFailed => "connect_failed",
            Self::ConnectionLost => "connection_lost",
            Self::UnreadableAnswer => "unreadable_answer",
        }
    }
}
