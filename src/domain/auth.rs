//! Why nobody is let in, as a closed set of words.

/// Why a caller is none of the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthFailure {
    /// No token was given.
    Missing,
    /// What was given is no `Bearer` token.
    Malformed,
    /// No client has this token, or no longer.
    Unknown,
}

impl AuthFailure {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Missing, Self::Malformed, Self::Unknown];

    /// The word in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
        }
    }
}
