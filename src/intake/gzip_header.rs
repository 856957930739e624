//! Reads the header of a gzip member (RFC 1952), byte by byte, and keeps none of it.
//!
//! Refuses what is no gzip, reserved flags, a wrong header checksum and headers longer than
//! [`HEADER_BYTES`].

use flate2::Crc;

use super::gzip::GzipFault::{self, HeaderTooLong, NotGzip, WrongChecksum};

/// Most bytes of a header, with the file name and the comment it may hold.
const HEADER_BYTES: u32 = 65_536;

const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0b1110_0000;

/// A header under way.
#[derive(Debug, Default)]
pub(super) struct Header {
    part: Part,
    /// Bytes read of this part.
    at: u16,
    /// Two bytes that belong together, the lower one first.
    pair: u16,
    flags: u8,
    length: u32,
    checksum: Crc,
}

/// What the next byte belongs to, in the order of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Checksum,
    Complete,
}

impl Header {
    /// Whether no byte of it was read.
    pub(super) fn is_untouched(&self) -> bool {
        self.length == 0
    }

    /// Takes the next byte; true when the header is complete with it.
    pub(super) fn push(&mut self, byte: u8) -> Result<bool, GzipFault> {
        self.length += 1;
        if self.length > HEADER_BYTES {
            return Err(HeaderTooLong);
        }
        let is_over = match self.part {
            Part::Fixed => self.fixed(byte)?,
            Part::ExtraLength | Part::Checksum => {
                self.pair = self.pair >> 8 | u16::from(byte) << 8;
                self.at == 1
            }
            Part::Extra => self.at + 1 == self.pair,
            Part::Name | Part::Comment => byte == 0,
            Part::Complete => true,
        };
        if self.part == Part::Checksum {
            if is_over && self.pair != self.checksum.sum() as u16 {
                return Err(WrongChecksum);
            }
        } else {
            self.checksum.update(&[byte]);
        }
        self.at = self.at.wrapping_add(1);
        if is_over {
            self.next_part();
        }
        Ok(self.part == Part::Complete)
    }

    fn fixed(&mut self, byte: u8) -> Result<bool, GzipFault> {
        let fits = match self.at {
            0 => byte == 0x1f,
            1 => byte == 0x8b,
            2 => byte == 8,
            3 => {
                self.flags = byte;
                byte & RESERVED == 0
            }
            _ => true,
        };
        if fits { Ok(self.at == 9) } else { Err(NotGzip) }
    }

    fn next_part(&mut self) {
        self.at = 0;
        loop {
            let (next, is_there) = match self.part {
                Part::Fixed => (Part::ExtraLength, self.flags & HAS_EXTRA != 0),
                Part::ExtraLength => (Part::Extra, self.pair > 0),
                Part::Extra => (Part::Name, self.flags & HAS_NAME != 0),
                Part::Name => (Part::Comment, self.flags & HAS_COMMENT != 0),
                Part::Comment => (Part::Checksum, self.flags & HAS_CHECKSUM != 0),
                Part::Checksum | Part::Complete => (Part::Complete, true),
            };
            self.part = next;
            if is_there {
                return;
            }
        }
    }
}
