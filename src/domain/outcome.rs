//! What became of one address: six words, each with its closed set of reasons.

use std::sync::Arc;

use super::Timestamp;

/// What became of one address. Final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Upstream accepted a call that held it.
    Sent,
    /// Not sent, because it was already accepted; the time when that is known.
    Duplicate(Option<Timestamp>),
    /// Not an address; never left the gateway.
    Invalid(InvalidReason),
    /// Upstream refused a call that held this address alone.
    Rejected(Arc<Refusal>),
    /// Certainly not sent.
    NotSent(NotSentReason),
    /// It may have been sent.
    Unknown(UnknownReason),
}

/// The words of fax.plus about an address it refused, already bounded and cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Its `error` code; in lists of earlier versions perhaps a stand-in made from the status.
    pub code: String,
    /// Upstream's `description`.
    pub detail: Option<String>,
}

/// The outcome without its reason: the `outcome` label of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// See [`Outcome::Sent`].
    Sent,
    /// See [`Outcome::Duplicate`].
    Duplicate,
    /// See [`Outcome::Invalid`].
    Invalid,
    /// See [`Outcome::Rejected`].
    Rejected,
    /// See [`Outcome::NotSent`].
    NotSent,
    /// See [`Outcome::Unknown`].
    Unknown,
}

impl Outcome {
    /// The word without the reason.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Sent => OutcomeKind::Sent,
            Self::Duplicate(_) => OutcomeKind::Duplicate,
            Self::Invalid(_) => OutcomeKind::Invalid,
            Self::Rejected(_) => OutcomeKind::Rejected,
            Self::NotSent(_) => OutcomeKind::NotSent,
            Self::Unknown(_) => OutcomeKind::Unknown,
        }
    }

    /// What a later occurrence of the same address in the same list is told; `sent_at` is when the
    /// first was sent, if it was.
    pub fn of_repeat(&self, sent_at: Option<Timestamp>) -> Self {
        match self {
            Self::Sent => Self::Duplicate(sent_at),
            Self::Duplicate(_)
            | Self::Invalid(_)
            | Self::Rejected(_)
            | Self::NotSent(_)
            | Self::Unknown(_) => self.clone(),
        }
    }
}

impl OutcomeKind {
    /// Every word, in the order of the contract.
    pub const ALL: [Self; 6] =
        [Self::Sent, Self::Duplicate, Self::Invalid, Self::Rejected, Self::NotSent, Self::Unknown];

    /// The word in answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::Rejected => "rejected",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome with this word, or `None`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Declares a closed set of snake_case reasons.
macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every reason, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in answers and metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

reasons! {
    /// Why something is not an address.
    InvalidReason {
        /// Nothing that shows.
        Empty => "empty",
        /// Longer than any address can be.
        TooLong => "too_long",
        /// No `@`.
        NoAtSign => "no_at_sign",
        /// The part before the `@` is no dot-atom of at most 64 bytes.
        BadLocalPart => "bad_local_part",
        /// The part after the `@` is no host name with two labels or more.
        BadDomain => "bad_domain",
        /// A character that no plain address has, visible or not.
        BadCharacter => "bad_character",
    }
}

reasons! {
    /// Why an address was certainly not sent; also the words for what holds work.
    NotSentReason {
        /// Upstream could not be reached, or is not answering calls.
        UpstreamUnavailable => "upstream_unavailable",
        /// Upstream asked for fewer calls.
        Throttled => "throttled",
        /// Upstream refuses the credential.
        CredentialsRejected => "credentials_rejected",
        /// Upstream says the credential may not do this.
        Forbidden => "forbidden",
        /// Upstream refuses one lone address after the other.
        UpstreamRefusing => "upstream_refusing",
        /// Upstream answers like something that is not fax.plus.
        Misconfigured => "misconfigured",
        /// An operator paused the gateway.
        Paused => "paused",
        /// Its time was over before its turn came.
        Expired => "expired",
        /// The caller cancelled.
        Cancelled => "cancelled",
        /// The gateway stopped.
        Shutdown => "shutdown",
    }
}

reasons! {
    /// Why nobody can say whether an address was sent.
    UnknownReason {
        /// No answer in time.
        Timeout => "timeout",
        /// The connection ended before a clear answer.
        ConnectionLost => "connection_lost",
        /// Upstream failed after it may have acted.
        ServerError => "server_error",
        /// The answer says neither yes nor no.
        UnreadableAnswer => "unreadable_answer",
        /// A shared call was refused and splitting is off.
        RefusedBatch => "refused_batch",
        /// The gateway stopped while the call was in flight.
        Interrupted => "interrupted",
        /// An earlier call with it ended unknown, inside the window.
        EarlierDoubt => "earlier_doubt",
    }
}
