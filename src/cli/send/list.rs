//! The list: what it is, and its bytes as a stream of pieces, however long it is.
//!
//! A file or standard input is read by a thread of its own, a few pieces ahead: reading blocks, and a
//! command that is interrupted must not wait for it.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::Path,
    thread,
};

use bytes::Bytes;
use clap::ValueEnum;
use flate2::read::GzDecoder;
use futures_util::{Stream, stream};
use thiserror::Error;
use tokio::sync::mpsc;

/// What is looked at to recognise a list, and the most of it.
const LOOK_BYTES: usize = 512;
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that are read ahead.
const AHEAD: usize = 4;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The byte order mark that PowerShell puts before what it pipes.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// What a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// An array of strings, or `{"emails": [...]}`
    Json,
    /// A string or `{"email": "..."}` a line
    Ndjson,
    /// A column `email` (or e-mail, email address, mail), or a single column without header
    Csv,
    /// An address a line
    Text,
}

/// Why there is no list.
#[derive(Debug, Error)]
pub(super) enum ListError {
    #[error("can't read {name}: {cause}")]
    Read { name: String, cause: io::Error },
}

/// A list that is about to go out.
pub(super) struct List {
    pub(super) format: InputFormat,
    pub(super) gzip: bool,
    /// What was read to recognise it.
    head: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

enum Piece {
    Bytes(Bytes),
    Broken(io::Error),
    End,
}

impl InputFormat {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Text => "text/plain",
        }
    }

    /// By the end of a name that is without its `.gz`.
    fn of_name(name: &str) -> Self {
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("json") => Self::Json,
            Some("ndjson" | "jsonl") => Self::Ndjson,
            // With tabs it is refused in words, not row by row.
            Some("csv" | "tsv") => Self::Csv,
            Some(_) | None => Self::Text,
        }
    }

    /// By the first bytes.
    fn of_bytes(head: &[u8]) -> Self {
        let head = head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start();
        match head.first() {
            Some(b'[') => Self::Json,
            Some(b'{') if head[1..].trim_ascii_start().starts_with(b"\"emails\"") => Self::Json,
            Some(b'{' | b'"') => Self::Ndjson,
            Some(_) | None => Self::Text,
        }
    }
}

impl List {
    /// Opens a file, or standard input for `-`, and finds out what it is.
    pub(super) fn open(path: &Path, format: Option<InputFormat>) -> Result<Self, ListError> {
        let is_stdin = path.as_os_str() == "-";
        let name = path.to_string_lossy().to_lowercase();
        let broken = |cause| ListError::Read {
            name: if is_stdin { "standard input".to_owned() } else { path.display().to_string() },
            cause,
        };
        let mut rest: Box<dyn Read + Send> = if is_stdin {
            if io::stdin().is_terminal() {
                tell("Reads addresses from the terminal, one a line; Ctrl-D ends the list.");
            }
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(broken)?)
        };
        let mut head = Vec::new();
        rest.by_ref().take(LOOK_BYTES as u64).read_to_end(&mut head).map_err(broken)?;
        if head.len() < LOOK_BYTES {
            // That was all. A terminal must not be asked for its end twice.
            rest = Box::new(io::empty());
        }
        let gzip = head.starts_with(&GZIP) || name.ends_with(".gz");
        let format = format.unwrap_or_else(|| match is_stdin {
            true if gzip => InputFormat::of_bytes(&inflated(&head)),
            true => InputFormat::of_bytes(&head),
            false => InputFormat::of_name(name.strip_suffix(".gz").unwrap_or(&name)),
        });
        Ok(Self { format, gzip, head, rest })
    }

    /// All of it. A list that can't be read to its end ends the stream with an error, never as if whole.
    pub(super) fn into_pieces(self) -> io::Result<impl Stream<Item = io::Result<Bytes>> + 'static> {
        let (pieces, taken) = mpsc::channel(AHEAD);
        // Ends with the list, with its reader, or with the process.
        thread::Builder::new().name("list".to_owned()).spawn(move || self.read(&pieces))?;
        Ok(stream::unfold(Some(taken), async |taken| {
            let mut taken = taken?;
            match taken.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(taken))),
                Some(Piece::Broken(error)) => Some((Err(error), None)),
                Some(Piece::End) => None,
                None => Some((Err(io::Error::other("the list was not read to its end")), None)),
            }
        }))
    }

    fn read(mut self, pieces: &mpsc::Sender<Piece>) {
        let mut piece = std::mem::take(&mut self.head);
        loop {
            if !piece.is_empty() && pieces.blocking_send(Piece::Bytes(piece.into())).is_err() {
                return;
            }
            piece = vec![0; PIECE_BYTES];
            let last = match self.rest.read(&mut piece) {
                Ok(0) => Piece::End,
                Ok(read) => {
                    piece.truncate(read);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    piece.clear();
                    continue;
                }
                Err(error) => Piece::Broken(error),
            };
            // Nobody listens any more when the connection broke.
            drop(pieces.blocking_send(last));
            return;
        }
    }
}

/// The beginning of what a gzip stream holds; as much as can be had.
fn inflated(head: &[u8]) -> Vec<u8> {
    let mut plain = vec![0; LOOK_BYTES];
    let read = GzDecoder::new(head).read(&mut plain).unwrap_or(0);
    plain.truncate(read);
    plain
}

fn tell(text: &str) {
    use io::Write as _;
    // The list is read all the same.
    writeln!(io::stderr(), "{text}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_list_is() {
        for (name, format) in [
            ("a.json", InputFormat::Json),
            ("a.ndjson", InputFormat::Ndjson),
            ("a.jsonl", InputFormat::Ndjson),
            ("a.b.csv", InputFormat::Csv),
            ("a.tsv", InputFormat::Csv),
            ("a.txt", InputFormat::Text),
            ("csv", InputFormat::Text),
        ] {
            assert_eq!(InputFormat::of_name(name), format, "{name}");
        }
    }

    #[test]
    fn standard_input_is_recognised_by_its_beginning() {
        for (head, format) in [
            ("\n [\"a@example.com\"]", InputFormat::Json),
            ("{ \"emails\": []}", InputFormat::Json),
            ("{\"email\": \"a@example.com\"}", InputFormat::Ndjson),
            ("\"a@example.com\"\n", InputFormat::Ndjson),
            ("\u{feff}[\"a@example.com\"]", InputFormat::Json),
            ("\u{feff}\"a@example.com\"", InputFormat::Ndjson),
            ("a@example.com\n", InputFormat::Text),
            ("", InputFormat::Text),
        ] {
            assert_eq!(InputFormat::of_bytes(head.as_bytes()), format, "{head}");
        }
    }
}
