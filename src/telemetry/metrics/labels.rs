//! The label values that no other room has words for. Closed sets.

use crate::domain::CallResult;

/// Declares a closed set of label values.
macro_rules! labels {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in metrics and logs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

labels! {
    /// Why addresses are called again.
    RetryReason {
        /// Their call was refused for what it held: it is split.
        Rejected => "rejected",
        /// Upstream refused the credential.
        Unauthorized => "unauthorized",
        /// Upstream said the credential may not do this.
        Forbidden => "forbidden",
        /// Upstream asked for fewer calls.
        Throttled => "throttled",
        /// Upstream said it did nothing.
        Unavailable => "unavailable",
        /// Upstream answered like something that is not fax.plus.
        Misconfigured => "misconfigured",
        /// The call was never written.
        ConnectFailed => "connect_failed",
        /// The call ended in doubt, and the settings say to resend.
        Unknown => "unknown",
    }
}

labels! {
    /// What kept an address from being sent again.
    DedupeHit {
        /// Accepted inside the window.
        Recent => "recent",
        /// In a call right now.
        InFlight => "in_flight",
        /// Earlier in the same list.
        SameRequest => "same_request",
        /// Its last call ended in doubt, inside the window.
        Doubt => "doubt",
    }
}

labels! {
    /// Why a recent send is forgotten.
    EvictionCause {
        /// Its time was over.
        Expired => "expired",
        /// There was no room: protection was lost early.
        Size => "size",
    }
}

labels! {
    /// What the store's file is used for.
    StoreOperation {
        /// Something is written.
        Commit => "commit",
        /// Something is read.
        Read => "read",
        /// What was written is carried from the log into the database.
        Checkpoint => "checkpoint",
    }
}

/// Where the breaker stands; the number is the value of its gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls go through.
    Closed = 0,
    /// One call tries.
    HalfOpen = 1,
    /// No call goes through.
    Open = 2,
}

impl RetryReason {
    /// The reason to call again after a call that ended like this; `None` when there is none.
    pub fn after(result: CallResult) -> Option<Self> {
        match result {
            CallResult::Ok => None,
            CallResult::Rejected => Some(Self::Rejected),
            CallResult::Unauthorized => Some(Self::Unauthorized),
            CallResult::Forbidden => Some(Self::Forbidden),
            CallResult::Throttled => Some(Self::Throttled),
            CallResult::Unavailable => Some(Self::Unavailable),
            CallResult::Misconfigured => Some(Self::Misconfigured),
            CallResult::ConnectFailed => Some(Self::ConnectFailed),
            CallResult::ServerError
            | CallResult::Timeout
            | CallResult::ConnectionLost
            | CallResult::UnreadableAnswer => Some(Self::Unknown),
        }
    }
}
