//! Rows in each form that results are served in.
//!
//! Every field is told as it is. No apostrophe is put before what a spreadsheet would take for a formula:
//! `=a@example.com` and `+1@example.com` are addresses, and a list that is posted again must name the same
//! people. Who opens the CSV in a spreadsheet imports its columns as text.

use super::{accept::ResultForm, render::RowBody};
use crate::intake::is_blank;

/// The columns of the CSV.
pub(super) const CSV_HEADER: &str = "index,email,outcome,reason,detail,sent_at\r\n";

/// Appends a row that stands on its own: all but the commas between the elements of a JSON array.
pub(super) fn write_row(form: ResultForm, row: &RowBody<'_>, page: &mut Vec<u8>) {
    match form {
        ResultForm::Json => write_json(row, page),
        ResultForm::Ndjson => {
            write_json(row, page);
            page.push(b'\n');
        }
        ResultForm::Csv => write_csv(row, page),
        ResultForm::Text => write_text(row.email, page),
    }
}

fn write_json(row: &RowBody<'_>, page: &mut Vec<u8>) {
    // Writing strings and numbers into memory has no way to fail.
    if serde_json::to_writer(page, row).is_err() {
        tracing::error!("A result could not be written as JSON.");
    }
}

/// RFC 4180: lines end in CRLF, and a field is quoted where it must be.
fn write_csv(row: &RowBody<'_>, page: &mut Vec<u8>) {
    page.extend_from_slice(row.index.to_string().as_bytes());
    let sent_at = row.sent_at.as_deref();
    for field in [Some(row.email), Some(row.outcome), row.reason, row.detail, sent_at] {
        page.push(b',');
        write_field(field.unwrap_or_default(), page);
    }
    page.extend_from_slice(b"\r\n");
}

/// White space at the ends is quoted, too: some readers cut it off otherwise.
fn write_field(text: &str, page: &mut Vec<u8>) {
    let must_be_quoted = text.contains(['"', ',', '\r', '\n']) || text.trim() != text;
    if !must_be_quoted {
        return page.extend_from_slice(text.as_bytes());
    }
    page.push(b'"');
    for (number, part) in text.split('"').enumerate() {
        if number > 0 {
            page.extend_from_slice(b"\"\"");
        }
        page.extend_from_slice(part.as_bytes());
    }
    page.push(b'"');
}

/// An address a line. What holds the end of a line, or shows nothing, can't be one: it is left out.
fn write_text(email: &str, page: &mut Vec<u8>) {
    if !email.contains(['\r', '\n']) && !is_blank(email) {
        page.extend_from_slice(email.as_bytes());
        page.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> String {
        let mut page = Vec::new();
        write_field(text, &mut page);
        String::from_utf8(page).unwrap()
    }

    fn line(text: &str) -> String {
        let mut page = Vec::new();
        write_text(text, &mut page);
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_never_changed() {
        for (text, expected) in [
            ("", ""),
            ("a@example.com", "a@example.com"),
            ("=a@example.com", "=a@example.com"),
            ("ä@bücher.example", "ä@bücher.example"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("\"", "\"\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("a\rb", "\"a\rb\""),
            (" a ", "\" a \""),
        ] {
            assert_eq!(field(text), expected);
        }
    }

    #[test]
    fn a_line_of_text_is_one_address() {
        assert_eq!(line("a@example.com"), "a@example.com\n");
        for text in ["", "  ", "\t", "\u{a0}\u{200b}", "a@example.com\nb@example.com", "a\r", "\n"] {
            assert_eq!(line(text), "", "{text:?}");
        }
    }
}
