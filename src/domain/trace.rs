//! Which trace a request belongs to (W3C Trace Context, version 00).
//!
//! Taken over from a well-formed `traceparent`, else made. Of the flags only `sampled` is kept; a trace
//! that starts here is not sampled, because the gateway itself records no spans. `tracestate` is dropped:
//! it is for vendors, and callers could write anything into it.

use std::fmt;

const VERSION: std::ops::Range<usize> = 0..2;
const TRACE: std::ops::Range<usize> = 3..35;
const PARENT: std::ops::Range<usize> = 36..52;
const FLAGS: std::ops::Range<usize> = 53..55;
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;

/// A trace, without the span of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    is_sampled: bool,
}

/// The id of a trace: 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(u128);

impl TraceContext {
    /// A trace that starts here, with an id made of `random`.
    pub fn new(random: u128) -> Self {
        Self { trace_id: random.max(1), is_sampled: false }
    }

    /// Reads the value of `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, no id all zeros. Of a
    /// later version the part that this one knows is read, whatever follows it after a hyphen; `ff` is none.
    pub fn parse(header: &str) -> Option<Self> {
        let bytes = header.as_bytes();
        if bytes.len() < LENGTH || ![2, 35, 52].iter().all(|hyphen| bytes[*hyphen] == b'-') {
            return None;
        }
        match (&bytes[VERSION], bytes.get(LENGTH)) {
            (b"00", Some(_)) | (b"ff", _) => return None,
            (_, None | Some(b'-')) => {}
            (_, Some(_)) => return None,
        }
        hex(&bytes[VERSION])?;
        let (trace_id, parent, flags) = (hex(&bytes[TRACE])?, hex(&bytes[PARENT])?, hex(&bytes[FLAGS])?);
        if trace_id == 0 || parent == 0 {
            return None;
        }
        Some(Self { trace_id, is_sampled: flags as u8 & SAMPLED != 0 })
    }

    /// The id of the trace.
    pub fn id(&self) -> TraceId {
        TraceId(self.trace_id)
    }

    /// The `traceparent` of a call made as a span of its own, with an id made of `random`.
    pub fn traceparent(&self, random: u64) -> String {
        let span = random.max(1);
        format!("00-{}-{span:016x}-{:02x}", self.id(), u8::from(self.is_sampled))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// The number that lower-case hex digits stand for.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn id(header: &str) -> Option<String> {
        TraceContext::parse(header).map(|trace| trace.id().to_string())
    }

    #[test]
    fn a_trace_is_taken_over_and_passed_on_with_a_span_of_its_own() {
        for (flags, passed) in [("00", "00"), ("01", "01"), ("02", "00"), ("ff", "01")] {
            let trace = TraceContext::parse(&format!("00-{ID}-00f067aa0ba902b7-{flags}")).unwrap();

            assert_eq!(trace.id().to_string(), ID);
            assert_eq!(trace.traceparent(0xab), format!("00-{ID}-00000000000000ab-{passed}"));
        }
    }

    #[test]
    fn of_a_later_version_the_known_part_is_read() {
        for header in [
            format!("01-{ID}-00f067aa0ba902b7-01"),
            format!("cc-{ID}-00f067aa0ba902b7-01-what-ever"),
            format!("fe-{ID}-00f067aa0ba902b7-01-"),
        ] {
            assert_eq!(id(&header).as_deref(), Some(ID), "{header}");
        }
    }

    #[test]
    fn whatever_is_not_well_formed_is_refused() {
        let parent = "00f067aa0ba902b7";
        for header in [
            String::new(),
            "00".to_owned(),
            format!("00-{ID}-{parent}"),
            format!("00-{ID}-{parent}-"),
            format!("00-{ID}-{parent}-1"),
            format!("00-{ID}-{parent}-01-"),
            format!("00-{ID}-{parent}-01-more"),
            format!("00-{ID}-{parent}-0x"),
            format!("00-{ID}-{parent}-0F"),
            format!("00_{ID}-{parent}-01"),
            format!("00-{ID}_{parent}-01"),
            format!("ff-{ID}-{parent}-01"),
            format!("cc-{ID}-{parent}-01.more"),
            format!("0g-{ID}-{parent}-01"),
            format!("00-{}-{parent}-01", ID.to_uppercase()),
            format!("00-{}-{parent}-01", "0".repeat(32)),
            format!("00-{ID}-{}-01", "0".repeat(16)),
            format!("00-{ID}-{}-01", parent.to_uppercase()),
            format!("00-{}é-{parent}-01", &ID[2..]),
            format!(" 00-{ID}-{parent}-01"),
        ] {
            assert_eq!(id(&header), None, "{header:?}");
        }
    }

    #[test]
    fn ids_that_are_made_are_never_zero() {
        assert_eq!(TraceContext::new(0).traceparent(0), format!("00-{:032x}-{:016x}-00", 1, 1));
        assert_eq!(TraceContext::new(u128::MAX).id().to_string(), "f".repeat(32));
    }
}
