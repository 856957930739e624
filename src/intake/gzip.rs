//! Undoes gzip as it comes in, in pieces of at most [`PIECE_BYTES`], whatever it grows to.
//!
//! Several members one after the other are one body (RFC 1952). Refuses truncated and corrupt streams,
//! wrong checksums and anything else behind a member. What was decoded before a fault has been handed on.

use std::fmt;

use flate2::{Crc, Decompress, FlushDecompress, Status};
use thiserror::Error;

use super::error::IntakeError;
use super::gzip_header::Header;

/// Most bytes handed on at once: the window of deflate.
pub(super) const PIECE_BYTES: usize = 32 * 1024;
const TRAILER_BYTES: usize = 8;

/// What is wrong with a gzip stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GzipFault {
    /// It does not begin like gzip.
    #[error("the body is not gzip, as Content-Encoding says; leave that header out, or compress the list")]
    NotGzip,
    /// What comes out of it is gzip again.
    #[error("the body is compressed with gzip twice; compress it once")]
    Twice,
    /// The header does not end.
    #[error("the gzip header is too long")]
    HeaderTooLong,
    /// The compressed data cannot be read.
    #[error("the gzip stream is corrupt")]
    Corrupt,
    /// The data does not have the checksum or the length that the stream says.
    #[error("the gzip stream does not match its checksum")]
    WrongChecksum,
    /// It ends too early.
    #[error("the gzip stream is cut short")]
    Truncated,
    /// Something that is no gzip follows.
    #[error("something that is not gzip follows the gzip stream")]
    TrailingData,
}

/// Decodes a gzip stream piece by piece.
pub struct Gunzip {
    state: State,
    inflate: Decompress,
    checksum: Crc,
    piece: Box<[u8]>,
    /// Whether a member was read to its end.
    has_member: bool,
}

enum State {
    Header(Header),
    Data,
    Trailer { read: [u8; TRAILER_BYTES], at: usize },
}

impl Default for Gunzip {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Gunzip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Gunzip(..)")
    }
}

impl Gunzip {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self {
            state: State::Header(Header::default()),
            inflate: Decompress::new(false),
            checksum: Crc::new(),
            piece: vec![0; PIECE_BYTES].into_boxed_slice(),
            has_member: false,
        }
    }

    /// Decodes all of `compressed` and hands the result to `out`, piece by piece.
    ///
    /// # Errors
    /// [`IntakeError::Gzip`], or the error of `out`. After one, the decoder is of no more use.
    pub fn feed(
        &mut self,
        mut compressed: &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), IntakeError>,
    ) -> Result<(), IntakeError> {
        while self.step(&mut compressed, out)? {}
        Ok(())
    }

    /// Decodes some of `compressed`, takes that away from it, and hands at most one piece to `out`.
    /// True when there is more to do before the next bytes of the stream are needed.
    ///
    /// # Errors
    /// As [`Gunzip::feed`].
    pub fn step(
        &mut self,
        compressed: &mut &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), IntakeError>,
    ) -> Result<bool, IntakeError> {
        if matches!(self.state, State::Data) {
            return self.data(compressed, out);
        }
        while let [byte, rest @ ..] = *compressed {
            *compressed = rest;
            self.frame(*byte).map_err(|fault| IntakeError::Gzip { fault })?;
            if matches!(self.state, State::Data) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The stream is over.
    ///
    /// # Errors
    /// [`IntakeError::Gzip`] when it is cut short.
    pub fn finish(self) -> Result<(), IntakeError> {
        match self.state {
            State::Header(header) if self.has_member && header.is_untouched() => Ok(()),
            State::Header(_) | State::Data | State::Trailer { .. } => {
                Err(IntakeError::Gzip { fault: GzipFault::Truncated })
            }
        }
    }

    /// Takes a byte around the compressed data.
    fn frame(&mut self, byte: u8) -> Result<(), GzipFault> {
        match &mut self.state {
            State::Header(header) => {
                let is_complete = header.push(byte).map_err(|fault| match fault {
                    GzipFault::NotGzip if self.has_member => GzipFault::TrailingData,
                    other => other,
                })?;
                if is_complete {
                    self.inflate.reset(false);
                    self.checksum.reset();
                    self.state = State::Data;
                }
            }
            State::Trailer { read, at } => {
                read[*at] = byte;
                *at += 1;
                if *at == TRAILER_BYTES {
                    let [a, b, c, d, e, f, g, h] = *read;
                    let (sum, length) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
                    if (sum, length) != (self.checksum.sum(), self.checksum.amount()) {
                        return Err(GzipFault::WrongChecksum);
                    }
                    self.has_member = true;
                    self.state = State::Header(Header::default());
                }
            }
            State::Data => {}
        }
        Ok(())
    }

    fn data(
        &mut self,
        compressed: &mut &[u8],
        out: &mut impl FnMut(&[u8]) -> Result<(), IntakeError>,
    ) -> Result<bool, IntakeError> {
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        // miniz decodes up to the end of its window at once, and at a fault forgets what found no room.
        // With room up to that end, what came before a fault is handed on however the stream was split.
        let room = PIECE_BYTES - total_out as usize % PIECE_BYTES;
        let status = self.inflate.decompress(compressed, &mut self.piece[..room], FlushDecompress::None);
        let taken = (self.inflate.total_in() - total_in) as usize;
        let made = (self.inflate.total_out() - total_out) as usize;
        *compressed = &compressed[taken..];
        let piece = &self.piece[..made];
        self.checksum.update(piece);
        if made > 0 {
            out(piece)?;
        }
        let corrupt = || IntakeError::Gzip { fault: GzipFault::Corrupt };
        match status.map_err(|_| corrupt())? {
            Status::StreamEnd => {
                self.state = State::Trailer { read: [0; TRAILER_BYTES], at: 0 };
                Ok(!compressed.is_empty())
            }
            Status::Ok | Status::BufError if taken == 0 && made == 0 && !compressed.is_empty() => {
                Err(corrupt())
            }
            Status::Ok | Status::BufError => Ok(made == room || !compressed.is_empty()),
        }
    }
}
