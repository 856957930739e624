//! A body from its first byte to its last: decoded, bounded, parsed into a sink.
//!
//! What a caller of the intake uses. Owns the count of decoded bytes and the sink; after an error it takes
//! nothing more and repeats the error.

use super::digest::BodyHasher;
use super::error::{IntakeError, ParseError, ParseErrorKind};
use super::found::FileKind;
use super::gzip::{Gunzip, GzipFault, PIECE_BYTES};
use super::parser::{Format, Parser};
use super::sink::Sink;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// `Content-Encoding: gzip`.
    Gzip,
}

/// Reads a body, piece by piece, into a sink.
#[derive(Debug)]
pub struct BodyReader<S: Sink> {
    gunzip: Option<Box<Gunzip>>,
    decoded: Decoded<S>,
    failed: Option<IntakeError>,
}

/// What comes behind the decoder.
#[derive(Debug)]
struct Decoded<S> {
    parser: Parser,
    sink: S,
    hasher: Option<BodyHasher>,
    bytes: u64,
    max_bytes: Option<u64>,
}

impl<S: Sink> BodyReader<S> {
    /// A reader at the beginning of a body that may have `max_decoded_bytes`; `None` is no limit.
    pub fn new(format: Format, encoding: Encoding, max_decoded_bytes: Option<u64>, sink: S) -> Self {
        let gunzip = match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(Box::default()),
        };
        let parser = Parser::new(format);
        let decoded = Decoded { parser, sink, hasher: None, bytes: 0, max_bytes: max_decoded_bytes };
        Self { gunzip, decoded, failed: None }
    }

    /// Hashes the body from its beginning, as it is after decoding.
    pub fn hash_with(&mut self, hasher: BodyHasher) {
        self.decoded.hasher = Some(hasher);
    }

    /// The hash of the body so far, if it is hashed.
    pub fn hash(&self) -> Option<[u8; 16]> {
        self.decoded.hasher.as_ref().map(BodyHasher::hash)
    }

    /// Reads the next bytes of the body, all of them. A few gzipped bytes can become a thousand times as
    /// many: who must look at the sink or do other work in between uses [`BodyReader::step`].
    ///
    /// # Errors
    /// Any [`IntakeError`]; the same again whatever is fed afterwards.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), IntakeError> {
        while self.step(&mut bytes)? {}
        Ok(())
    }

    /// Reads some of `bytes`, at most 32 KiB after decoding, and takes that away from it. True when there
    /// is more to do before the next bytes of the body are needed.
    ///
    /// # Errors
    /// As [`BodyReader::feed`].
    pub fn step(&mut self, bytes: &mut &[u8]) -> Result<bool, IntakeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let decoded = &mut self.decoded;
        let read = match &mut self.gunzip {
            Some(gunzip) => gunzip.step(bytes, &mut |piece| decoded.take(piece)),
            None => {
                let (piece, rest) = bytes.split_at(bytes.len().min(PIECE_BYTES));
                *bytes = rest;
                decoded.take(piece).map(|()| !rest.is_empty())
            }
        };
        read.map_err(|error| {
            // What came before it may hold a fault of its own.
            let error = self.decoded.read_head().err().unwrap_or(error);
            let error = if self.gunzip.is_some() { packed_twice(error) } else { error };
            self.failed = Some(error.clone());
            error
        })
    }

    /// The body is over and was well-formed: gives the sink back.
    ///
    /// # Errors
    /// Any [`IntakeError`]: it is not whole, or was refused before.
    pub fn finish(mut self) -> Result<S, IntakeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if let Some(gunzip) = self.gunzip {
            self.decoded.read_head().map_err(packed_twice)?;
            gunzip.finish()?;
        }
        let Decoded { parser, mut sink, .. } = self.decoded;
        parser.finish(&mut sink)?;
        Ok(sink)
    }

    /// What the body has filled so far.
    pub fn sink(&self) -> &S {
        &self.decoded.sink
    }

    /// The sink, to take out what it holds or to give it more room.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.decoded.sink
    }

    /// How many bytes the body has so far, after decoding.
    pub fn decoded_bytes(&self) -> u64 {
        self.decoded.bytes
    }
}

/// Gzip that comes out of gzip is a fault of the packing, not of a header.
fn packed_twice(error: IntakeError) -> IntakeError {
    match error {
        IntakeError::Malformed(ParseError { kind: ParseErrorKind::LooksLike(FileKind::Gzip, _), .. }) => {
            IntakeError::Gzip { fault: GzipFault::Twice }
        }
        other => other,
    }
}

impl<S: Sink> Decoded<S> {
    fn read_head(&mut self) -> Result<(), IntakeError> {
        self.parser.read_head(&mut self.sink)
    }

    /// Takes decoded bytes, up to the limit: a fault before it is told first.
    fn take(&mut self, piece: &[u8]) -> Result<(), IntakeError> {
        let room = self.max_bytes.map_or(u64::MAX, |max| max.saturating_sub(self.bytes));
        let within = usize::try_from(room).map_or(piece.len(), |room| room.min(piece.len()));
        if let Some(hasher) = &mut self.hasher {
            hasher.take(&piece[..within]);
        }
        self.parser.feed(&piece[..within], &mut self.sink)?;
        self.bytes += within as u64;
        match self.max_bytes {
            Some(limit) if within < piece.len() => Err(IntakeError::TooManyBytes { limit }),
            _ => Ok(()),
        }
    }
}
