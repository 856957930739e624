//! The names of a resend: its id, its owner, its state.

use std::{fmt, str::FromStr, sync::Arc};

/// Identifies a resend: a UUID (version 7 when the gateway made it), so ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResendId(pub u128);

impl fmt::Display for ResendId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (id >> 96) as u32,
            (id >> 80) as u16,
            (id >> 64) as u16,
            (id >> 48) as u16,
            id & 0xffff_ffff_ffff
        )
    }
}

impl FromStr for ResendId {
    type Err = ();

    /// Reads the form that `Display` writes: 36 characters, hyphens in place.
    fn from_str(text: &str) -> Result<Self, ()> {
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if !well_formed {
            return Err(());
        }
        u128::from_str_radix(&text.replace('-', ""), 16).map(Self).map_err(|_| ())
    }
}

/// The name of an internal caller: `anonymous` when authentication is off. Never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientName(Arc<str>);

impl ClientName {
    /// A client by name.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The caller of a gateway without authentication.
    pub fn anonymous() -> Self {
        Self::new("anonymous")
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A short stand-in for the name, where many are kept.
    pub fn tag(&self) -> ClientTag {
        // FNV-1a: the same in every process, and names are no secrets.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        ClientTag(self.0.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// Stands for the name of a client, on disk, too. Those of two clients differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientTag(pub u64);

impl ClientTag {
    /// A client that is not known any more; nobody's.
    pub const NOBODY: Self = Self(0);
}

/// Where a resend stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Accepted; none of its addresses was looked at yet.
    Queued,
    /// Under way.
    Running,
    /// Every address has its outcome.
    Finished,
    /// Stopped early; every address has its outcome.
    Cancelled,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Finished, Self::Cancelled];

    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this word, or `None`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more will happen to it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Finished | Self::Cancelled => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = ResendId(0x0198_c9f2_0000_7abc_8def_0123_4567_89ab);

        assert_eq!(id.to_string(), "0198c9f2-0000-7abc-8def-0123456789ab");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_forms_of_an_id_are_refused() {
        for text in
            ["", "0198c9f2", "0198c9f200007abc8def0123456789ab0000", "+198c9f2-0000-7abc-8def-0123456789ab"]
        {
            assert_eq!(text.parse::<ResendId>(), Err(()), "{text}");
        }
    }
}
