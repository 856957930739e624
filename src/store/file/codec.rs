//! How lists, ends and calls stand in the tables, byte by byte. See `schema/`.

use std::iter;

use crate::domain::{AddressKey, Chunk, ClientName, ClientTag, Entry, InvalidReason, ResendId};

/// Bytes of an end: a code and its argument.
pub(super) const END_BYTES: usize = 9;
const KEY_BYTES: usize = 16;
const CLAIM_BYTES: usize = 16 + 4 + KEY_BYTES;
const TAG_BYTES: usize = 8;
const KIND_FRESH: u8 = 0;
const KIND_REPEAT: u8 = 1;
const KIND_INVALID: u8 = 2;

/// One address of a call, as its mark names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose it is.
    pub resend: ResendId,
    /// Where it stands there.
    pub index: u32,
    /// What it is known by.
    pub key: AddressKey,
    /// For whom it is called.
    pub by: ClientTag,
}

/// The columns of a chunk.
pub(super) struct ChunkColumns {
    pub(super) emails: String,
    pub(super) kinds: Vec<u8>,
    pub(super) keys: Vec<u8>,
}

/// Writes a chunk.
pub(super) fn chunk_columns(chunk: &Chunk) -> ChunkColumns {
    let texts: Vec<&str> = chunk.entries().map(|(text, _)| text).collect();
    // Strings always become JSON.
    let emails = serde_json::to_string(&texts).unwrap_or_default();
    let (mut kinds, mut keys) =
        (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len() * KEY_BYTES));
    for (_, entry) in chunk.entries() {
        let (kind, key) = match entry {
            Entry::Fresh(key) => (KIND_FRESH, key),
            Entry::Repeat => (KIND_REPEAT, AddressKey::default()),
            Entry::Invalid(reason) => (KIND_INVALID + reason as u8, AddressKey::default()),
        };
        kinds.push(kind);
        keys.extend(key.0.to_be_bytes());
    }
    ChunkColumns { emails, kinds, keys }
}

/// Reads a chunk; `None` when the columns do not fit each other.
pub(super) fn chunk(emails: &str, kinds: &[u8], keys: &[u8]) -> Option<Chunk> {
    let texts: Vec<String> = serde_json::from_str(emails).ok()?;
    if texts.len() != kinds.len() || keys.len() != kinds.len() * KEY_BYTES {
        return None;
    }
    let mut chunk = Chunk::default();
    for ((text, kind), key) in texts.iter().zip(kinds).zip(keys.chunks_exact(KEY_BYTES)) {
        let entry = match *kind {
            KIND_FRESH => Entry::Fresh(AddressKey(u128::from_be_bytes(key.try_into().ok()?))),
            KIND_REPEAT => Entry::Repeat,
            reason => Entry::Invalid(*InvalidReason::ALL.get(usize::from(reason - KIND_INVALID))?),
        };
        chunk.push(text, entry).ok()?;
    }
    Some(chunk)
}

/// The kinds of a chunk after these of its rows (by offset) were found to be repeats.
pub(super) fn with_repeats(mut kinds: Vec<u8>, repeats: &[(u16, u32)]) -> Vec<u8> {
    for (offset, _) in repeats {
        if let Some(kind) = kinds.get_mut(usize::from(*offset)) {
            *kind = KIND_REPEAT;
        }
    }
    kinds
}

/// Writes pairs of an offset and a number.
pub(super) fn pairs(pairs: &[(u16, u32)]) -> Vec<u8> {
    pairs
        .iter()
        .flat_map(|(offset, number)| [&offset.to_be_bytes()[..], &number.to_be_bytes()].concat())
        .collect()
}

/// Reads what [`pairs`] wrote.
pub(super) fn read_pairs(bytes: &[u8]) -> Vec<(u16, u32)> {
    let pair = |bytes: &[u8]| {
        let (offset, number) = bytes.split_at(2);
        Some((u16::from_be_bytes(offset.try_into().ok()?), u32::from_be_bytes(number.try_into().ok()?)))
    };
    bytes.chunks_exact(6).filter_map(pair).collect()
}

/// Writes the members of a call.
pub(super) fn claims(claims: &[Claim]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(claims.len() * CLAIM_BYTES);
    for claim in claims {
        bytes.extend(claim.resend.0.to_be_bytes());
        bytes.extend(claim.index.to_be_bytes());
        bytes.extend(claim.key.0.to_be_bytes());
    }
    bytes
}

/// Writes for whom the members of a call are called.
pub(super) fn clients(claims: &[Claim]) -> Vec<u8> {
    claims.iter().flat_map(|claim| claim.by.0.to_be_bytes()).collect()
}

/// Reads what [`claims`] and [`clients`] wrote.
pub(super) fn read_claims(bytes: &[u8], clients: &[u8]) -> Vec<Claim> {
    let tag = |bytes: &[u8]| bytes.try_into().map(|bytes| ClientTag(u64::from_be_bytes(bytes)));
    let tags = clients.chunks_exact(TAG_BYTES).map(|bytes| tag(bytes).unwrap_or(ClientTag::NOBODY));
    let claim = |(bytes, by): (&[u8], ClientTag)| {
        Some(Claim {
            resend: ResendId(u128::from_be_bytes(bytes.get(..16)?.try_into().ok()?)),
            index: u32::from_be_bytes(bytes.get(16..20)?.try_into().ok()?),
            key: AddressKey(u128::from_be_bytes(bytes.get(20..36)?.try_into().ok()?)),
            by,
        })
    };
    let tags = tags.chain(iter::repeat(ClientName::anonymous().tag()));
    bytes.chunks_exact(CLAIM_BYTES).zip(tags).filter_map(claim).collect()
}

/// An id as a column.
pub(super) fn id(resend: ResendId) -> [u8; 16] {
    resend.0.to_be_bytes()
}

/// An id from a column.
pub(super) fn read_id(bytes: &[u8]) -> Option<ResendId> {
    Some(ResendId(u128::from_be_bytes(bytes.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_reads_back_as_written() {
        let mut written = Chunk::default();
        let key = AddressKey(u128::MAX - 5);
        for (text, entry) in [
            ("ann@example.com", Entry::Fresh(key)),
            ("\"quoted\"\n", Entry::Invalid(InvalidReason::BadCharacter)),
            ("", Entry::Invalid(InvalidReason::Empty)),
            ("Ann@example.com", Entry::Repeat),
        ] {
            written.push(text, entry).unwrap();
        }

        let columns = chunk_columns(&written);
        let read = chunk(&columns.emails, &columns.kinds, &columns.keys).unwrap();

        assert!(read.entries().eq(written.entries()));
        assert!(chunk(&columns.emails, &columns.kinds[1..], &columns.keys).is_none());
        assert!(chunk("[1]", &columns.kinds, &columns.keys).is_none());
    }

    #[test]
    fn a_row_that_repeats_is_known_as_one() {
        let kinds = with_repeats(vec![KIND_FRESH; 3], &[(1, 0), (900, 0)]);

        assert_eq!(kinds, [KIND_FRESH, KIND_REPEAT, KIND_FRESH]);
    }

    #[test]
    fn pairs_and_claims_read_back_as_written() {
        let told = [(0, 7), (999, u32::MAX)];
        let claim =
            Claim { resend: ResendId(u128::MAX), index: 9, key: AddressKey(1), by: ClientTag(u64::MAX) };
        let members = claims(&[claim, claim]);

        assert_eq!(read_pairs(&pairs(&told)), told);
        assert_eq!(read_claims(&members, &clients(&[claim, claim])), [claim, claim]);
        assert_eq!(read_claims(b"short", &[]), []);
        let before = Claim { by: ClientName::anonymous().tag(), ..claim };
        assert_eq!(read_claims(&members, &[]), [before, before], "from before there were clients");
    }
}
