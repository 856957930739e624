//! Bytes in, a whole list out: push parsers, the scanner of addresses, and the list they fill.
//!
//! A body is fed piece by piece to a [`BodyReader`]: gunzipped when need be, checked as UTF-8, parsed as
//! one of four formats, and handed element by element to a [`Sink`]. What is kept between two pieces is
//! bounded, however long the body or one of its strings is, and no result depends on where it was split.
//! An element that is no address is no fault of the body: it is an entry of the [`ListBuilder`] with its
//! reason. A fault of the body refuses the whole of it and says where.

mod address;
mod body;
mod carry;
mod column_name;
mod csv;
mod csv_first_line;
mod csv_header;
mod csv_table;
mod digest;
mod error;
mod fault;
mod found;
mod gzip;
mod gzip_header;
mod hint;
mod invisible;
mod json;
mod json_string;
mod key;
mod lines;
mod list;
mod ndjson;
mod parser;
mod recognise;
mod sink;
mod text;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use body::{BodyReader, Encoding};
pub use digest::BodyHasher;
pub use error::{IntakeError, ParseError, ParseErrorKind};
pub use found::{Columns, FileKind, Found, Separator};
pub use gzip::{Gunzip, GzipFault};
pub use hint::hint;
pub use invisible::is_blank;
pub use key::KeyHasher;
pub use list::ListBuilder;
pub use parser::{Format, Parser};
pub use sink::{ELEMENT_BYTES, Full, Sink};
