//! The keyed hash under which the gateway knows an address once it has left the intake.

use std::fmt;

/// 128-bit keyed hash of an address in its dedupe form.
///
/// The dispatch thread and the memory of recent sends hold keys, never addresses. Two addresses with
/// one key are one person; with 128 bits and a secret key nobody can make them collide on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AddressKey(pub u128);

impl fmt::Debug for AddressKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AddressKey(..)")
    }
}
