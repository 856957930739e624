//! Turns an address into the key under which the gateway knows it from here on.
//!
//! Owns the secret of the hash; shows it to nobody.

use siphasher::sip128::SipHasher13;

use crate::domain::AddressKey;

use super::address::{ADDRESS_BYTES, Address, Parts};

/// Hashes addresses in their dedupe form: the form they are sent in, by default without regard to the
/// case of the local part. Dots and `+tags` count.
#[derive(Clone)]
pub struct KeyHasher {
    hasher: SipHasher13,
    ignore_local_part_case: bool,
}

impl KeyHasher {
    /// A hasher with a secret of its own. Everything that compares keys must share the secret and the rule.
    pub fn new(secret: [u8; 16], ignore_local_part_case: bool) -> Self {
        Self { hasher: SipHasher13::new_with_key(&secret), ignore_local_part_case }
    }

    /// The secret, for hashing other things than addresses.
    pub(super) fn secret(&self) -> SipHasher13 {
        self.hasher
    }

    /// The key of an address.
    pub fn key(&self, address: &Address) -> AddressKey {
        self.hash(address.local_part(), address.domain())
    }

    /// The same key, before an [`Address`] was made.
    pub(super) fn key_of(&self, parts: &Parts<'_>) -> AddressKey {
        self.hash(parts.local, &parts.domain)
    }

    fn hash(&self, local: &str, domain: &str) -> AddressKey {
        let mut form = [0; ADDRESS_BYTES];
        let (at, end) = (local.len(), local.len() + 1 + domain.len());
        form[..at].copy_from_slice(local.as_bytes());
        form[at] = b'@';
        form[at + 1..end].copy_from_slice(domain.as_bytes());
        let lowered = if self.ignore_local_part_case { 0 } else { at };
        form[lowered..end].make_ascii_lowercase();
        AddressKey(self.hasher.hash(&form[..end]).as_u128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hasher: &KeyHasher, text: &str) -> AddressKey {
        let key = hasher.key(&Address::parse(text).unwrap());
        assert_eq!(hasher.key_of(&Parts::scan(text).unwrap()), key, "both ways to a key agree");
        key
    }

    #[test]
    fn the_case_of_the_domain_never_counts() {
        for ignore_case in [true, false] {
            let hasher = KeyHasher::new([7; 16], ignore_case);
            assert_eq!(key(&hasher, "a@Example.COM"), key(&hasher, " a@example.com\n"));
            assert_eq!(key(&hasher, "a@BÜCHER.example"), key(&hasher, "a@xn--bcher-kva.example"));
        }
    }

    #[test]
    fn the_case_of_the_local_part_counts_when_told() {
        let (ignoring, minding) = (KeyHasher::new([7; 16], true), KeyHasher::new([7; 16], false));

        assert_eq!(key(&ignoring, "Ann@example.com"), key(&ignoring, "aNN@example.com"));
        assert_ne!(key(&minding, "Ann@example.com"), key(&minding, "ann@example.com"));
        assert_eq!(key(&ignoring, "ann@example.com"), key(&minding, "ann@example.com"));
    }

    #[test]
    fn dots_tags_and_the_place_of_the_at_sign_count() {
        let hasher = KeyHasher::new([7; 16], true);
        let texts =
            ["ab@example.com", "a.b@example.com", "ab+x@example.com", "a@b.example.com", "ab@xexample.com"];

        let mut keys: Vec<_> = texts.iter().map(|text| key(&hasher, text)).collect();
        keys.sort_unstable();
        keys.dedup();

        assert_eq!(keys.len(), texts.len());
    }

    #[test]
    fn another_secret_makes_other_keys() {
        let text = "a@example.com";

        assert_ne!(key(&KeyHasher::new([1; 16], true), text), key(&KeyHasher::new([2; 16], true), text));
    }

    #[test]
    fn the_longest_address_has_a_key() {
        let text = format!("{}@{}.{}.{}", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(61));

        assert_eq!(text.len(), ADDRESS_BYTES);
        assert_ne!(key(&KeyHasher::new([1; 16], true), &text), AddressKey::default());
    }
}
