//! What was found in the place of what is expected: the variable parts of an error's sentence.
//!
//! Nothing of a body but the names of a few columns is kept, and no log shows those.

use std::fmt;

use thiserror::Error;

use super::parser::Format;

/// What stood where a string is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Found {
    /// A JSON number.
    #[error("a number")]
    Number,
    /// `true` or `false`.
    #[error("a boolean")]
    Boolean,
    /// `null`.
    #[error("null")]
    Null,
    /// A JSON array.
    #[error("an array")]
    Array,
    /// A JSON object.
    #[error("an object")]
    Object,
}

/// What separates the columns instead of a comma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Separator {
    /// As spreadsheets write it where the comma is the decimal mark.
    #[error("semicolons")]
    Semicolon,
    /// As spreadsheets put it into the clipboard.
    #[error("tabs")]
    Tab,
    /// As some databases write it.
    #[error("vertical bars")]
    Pipe,
}

impl Separator {
    /// Every one.
    pub(super) const ALL: [Self; 3] = [Self::Semicolon, Self::Tab, Self::Pipe];

    pub(super) fn character(self) -> char {
        match self {
            Self::Semicolon => ';',
            Self::Tab => '\t',
            Self::Pipe => '|',
        }
    }
}

/// What a body is that is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FileKind {
    /// Also a workbook of today's spreadsheets.
    #[error("a zip archive, as .xlsx workbooks are")]
    Zip,
    /// A workbook or document of old.
    #[error("an old Office file, as .xls workbooks are")]
    OldOffice,
    /// A document.
    #[error("a PDF")]
    Pdf,
    /// A document of a word processor.
    #[error("a document in rich text (RTF)")]
    RichText,
    /// A page, or what a web site calls a workbook.
    #[error("a web page or XML")]
    Markup,
    /// All of a database.
    #[error("an SQLite database")]
    Database,
    /// A picture.
    #[error("an image")]
    Image,
    /// Packed without saying so.
    #[error("gzip")]
    Gzip,
    /// Packed in another way.
    #[error("compressed data of a kind that is not read")]
    Compressed,
}

impl FileKind {
    /// What to do instead, where a list in this format is expected.
    pub(super) fn advice(self, format: Format) -> &'static str {
        match (self, format) {
            (Self::Gzip, _) => "say so with Content-Encoding: gzip",
            (Self::Compressed, _) => "send the list itself, or compress it with gzip",
            (_, Format::JsonArray) => "send the addresses as a JSON array of strings",
            (Self::Zip | Self::OldOffice, _) => "save the sheet as CSV in UTF-8 and send that",
            (Self::Pdf | Self::RichText | Self::Markup | Self::Database | Self::Image, _) => {
                "send the addresses as text or CSV in UTF-8"
            }
        }
    }
}

/// The names of a few columns. Shows them to the caller who sent them, and to no log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Columns(String);

impl Columns {
    /// Adds a name; one of which nothing shows is passed over.
    pub(super) fn add(&mut self, name: impl Iterator<Item = char>) {
        let name: String = name.filter(|character| !character.is_control()).collect();
        if name.is_empty() {
            return;
        }
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(&name);
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Columns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Columns(..)")
    }
}
