//! Why a body was refused: what is wrong, in a plain sentence, and where.
//!
//! No error quotes the body but the names of columns, which only its caller is shown: what was posted stays out
//! of logs.

use std::fmt;

use thiserror::Error;

use super::found::{Columns, FileKind, Found, Separator};
use super::gzip::GzipFault;
use super::parser::Format;
use super::sink::Full;

/// Why the intake stopped. Every one of them refuses the body as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IntakeError {
    /// The body is not what its media type says.
    #[error("{0}")]
    Malformed(ParseError),
    /// The body is not the gzip stream that its content encoding says.
    #[error("{fault}")]
    Gzip {
        /// What is wrong with it.
        fault: GzipFault,
    },
    /// The decoded body is longer than it may be.
    #[error("the body is longer than {limit} bytes after decoding")]
    TooManyBytes {
        /// The most that is taken.
        limit: u64,
    },
    /// The sink took no more.
    #[error("{0}")]
    Full(Full),
}

/// A fault in the text of a body, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Where it is: bytes of the decoded body before it.
    pub offset: u64,
    /// The element it is in, or after all of them their number; from 0.
    pub index: u64,
    /// The line it is on, from 1, in formats that have lines.
    pub line: Option<u64>,
}

/// What is wrong with the text of a body.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseErrorKind {
    /// Bytes that are no UTF-8.
    #[error(
        "the body is not UTF-8 here, as in files of Windows-1252 (\"ANSI\") or Latin-1; save it as UTF-8"
    )]
    NotUtf8,
    /// Two or four bytes a character.
    #[error("the body is UTF-16 or UTF-32 (\"Unicode text\"); save it as UTF-8")]
    Utf16,
    /// A file that is no list, where one in this format is expected.
    #[error("the body looks like {0}; {advice}", advice = .0.advice(*.1))]
    LooksLike(FileKind, Format),
    /// JSON where lines of text or CSV are expected.
    #[error(
        "the body looks like JSON; send Content-Type: application/json, or application/x-ndjson when each line is \
         a value"
    )]
    LooksLikeJson,
    /// JSON without any value.
    #[error("the body is empty; expected a JSON array of strings")]
    EmptyBody,
    /// The body ends before the JSON value does.
    #[error("the body ends in the middle of the JSON value")]
    Truncated,
    /// JSON of another shape.
    #[error(
        "expected an array of strings, or an object {{\"emails\": [...]}}; an address a line is Content-Type: \
         text/plain"
    )]
    ExpectedList,
    /// The values of NDJSON where one value is expected.
    #[error(
        "this looks like a value of NDJSON; send an array of strings, or Content-Type: application/x-ndjson"
    )]
    LooksLikeNdjson,
    /// A string as Python and JavaScript print it.
    #[error("JSON strings stand in double quotes, not in single ones")]
    SingleQuote,
    /// JSON of another shape where only an array will do.
    #[error("expected an array of strings")]
    ExpectedStrings,
    /// An element that is no string.
    #[error("an element is {0}; expected a string")]
    NotAString(Found),
    /// Something else where an element is expected.
    #[error("expected a string")]
    ExpectedString,
    /// Something else behind an element.
    #[error("expected a comma or the end of the array after an element")]
    ExpectedCommaOrBracket,
    /// A comma with nothing behind it.
    #[error("a comma must be followed by another element")]
    TrailingComma,
    /// Something behind the end of the JSON value.
    #[error("the body goes on after the end of the JSON value")]
    TrailingData,
    /// An object without the key that holds the list or the address.
    #[error("the object lacks its key; expected \"emails\" (or \"email\" on a line of NDJSON)")]
    MissingKey,
    /// An object with another key.
    #[error("the object has another key; only \"emails\" (or \"email\" on a line of NDJSON) is known")]
    UnknownKey,
    /// An object that has its key twice.
    #[error("the object has its key twice")]
    RepeatedKey,
    /// Something else where a key is expected.
    #[error("expected a key in quotes")]
    ExpectedKey,
    /// Something else behind a key.
    #[error("expected a colon after the key")]
    ExpectedColon,
    /// The key holds no array.
    #[error("\"emails\" must hold an array of strings")]
    ExpectedArray,
    /// Something else behind the value of a key.
    #[error("expected the end of the object")]
    ExpectedBrace,
    /// A control character in a JSON string that is not escaped.
    #[error("a control character in a string must be escaped")]
    ControlCharacter,
    /// An escape that JSON does not have.
    #[error("a backslash in a string begins no escape that JSON knows")]
    BadEscape,
    /// One half of a surrogate pair.
    #[error("an escape in a string is one half of a surrogate pair")]
    LoneSurrogate,
    /// A line of NDJSON of another shape.
    #[error(
        "expected a JSON string or an object {{\"email\": \"...\"}} on the line; an address a line is \
         Content-Type: text/plain"
    )]
    ExpectedLine,
    /// One JSON value where a value a line is expected.
    #[error("this looks like one JSON list; send Content-Type: application/json")]
    LooksLikeOneValue,
    /// A line of NDJSON that ends too early.
    #[error("the line ends in the middle of its JSON value")]
    LineTruncated,
    /// A line of NDJSON with more than one value.
    #[error(
        "another value follows on the line; put each on a line of its own (curl keeps line ends with \
         --data-binary, not with -d)"
    )]
    LinesJoined,
    /// A line of NDJSON as an array has it.
    #[error(
        "a comma follows the value of the line: NDJSON has none between its lines; a JSON array is Content-Type: \
         application/json"
    )]
    LineTrailingComma,
    /// A line of NDJSON with something else behind its value.
    #[error("the line goes on after its JSON value")]
    LineTrailingData,
    /// A quote inside an unquoted CSV field.
    #[error(
        "a quote stands inside a field that does not begin with one; quote the field and double the quote"
    )]
    StrayQuote,
    /// Text behind the closing quote of a CSV field.
    #[error("text follows the closing quote of a field; a quote inside a quoted field is doubled")]
    TextAfterQuote,
    /// A quoted CSV field without end.
    #[error("the quoted field that begins here never ends")]
    UnclosedQuote,
    /// Several CSV columns, none with addresses.
    #[error(
        "the first row has several columns and none is called \"email\" (or e-mail, email address, mail); the \
         columns are: {0}; name the column of the addresses so, leave out a title above the names, or send that \
         column alone"
    )]
    NoEmailColumn(Columns),
    /// Several CSV columns without names.
    #[error(
        "the first row holds an address in one of several columns: it is no header; put a row before it that \
         calls the column of the addresses \"email\", or send that column alone"
    )]
    NoHeader,
    /// A CSV header with an address in it: what else it swallowed would be lost.
    #[error(
        "the first row names the column of the addresses and holds an address beside that name: line ends seem \
         to be lost (curl keeps them with --data-binary, not with -d); end each row with a line end, and let the \
         first row hold names alone"
    )]
    AddressInHeader,
    /// A CSV field with an address behind what ends a line elsewhere.
    #[error(
        "a field holds an address behind a form feed or another separator that ends no row; end rows with LF or \
         CRLF, or quote the field"
    )]
    JoinedRows,
    /// Several CSV columns that could hold the addresses.
    #[error("several columns of the first row could hold the addresses; call just one of them \"email\"")]
    RepeatedEmailColumn,
    /// The line in which spreadsheets tell each other the separator.
    #[error(
        "the first line is a `sep=` line of a spreadsheet; leave it out, and separate the columns by commas"
    )]
    SepLine,
    /// CSV columns separated by something else.
    #[error("the columns are separated by {0}; separate them by commas")]
    WrongSeparator(Separator),
    /// A CSV row that ends before the column with the address.
    #[error("the row ends before its \"email\" column")]
    MissingEmail,
    /// A CSV row with text behind the last column of the header.
    #[error("the row has more columns than the first row; quote fields that hold commas")]
    ExtraColumn,
    /// The same below a first row that is neither an address nor a known name.
    #[error(
        "the row has more columns than the first row: leave out a title that stands above the names of the \
         columns; quote fields that hold commas"
    )]
    BelowTitle,
}

impl ParseErrorKind {
    /// What is wrong where `byte` stands in the place of a string.
    pub(super) fn not_a_string(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' | b'-' => Self::NotAString(Found::Number),
            b't' | b'f' => Self::NotAString(Found::Boolean),
            b'n' => Self::NotAString(Found::Null),
            b'[' => Self::NotAString(Found::Array),
            b'{' => Self::NotAString(Found::Object),
            b'\'' => Self::SingleQuote,
            _ => Self::ExpectedString,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, index, line } = self;
        match (line, kind) {
            (Some(line), _) => write!(formatter, "line {line}: {kind} (at byte {offset})"),
            (None, ParseErrorKind::NotAString(found)) => {
                write!(formatter, "element {index} is {found}; expected a string (at byte {offset})")
            }
            (None, _) => write!(formatter, "{kind} (at byte {offset}, element {index})"),
        }
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_and_where() {
        let mut error =
            ParseError { kind: ParseErrorKind::not_a_string(b'7'), offset: 40, index: 3, line: None };
        assert_eq!(error.to_string(), "element 3 is a number; expected a string (at byte 40)");

        error.line = Some(4);
        assert_eq!(error.to_string(), "line 4: an element is a number; expected a string (at byte 40)");

        error.kind = ParseErrorKind::TrailingData;
        error.line = None;
        assert_eq!(
            error.to_string(),
            "the body goes on after the end of the JSON value (at byte 40, element 3)"
        );
    }
}
