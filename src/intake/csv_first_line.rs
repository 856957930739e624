//! Looks at the whole first line of a CSV body before the grammar does: quotes and commas in it would hide
//! what really separates the columns.
//!
//! Owns at most [`LINE_BYTES`] of text. Lines without any text are let through, for the first row comes
//! behind them. What it suspects of the rest counts only where no column of addresses is found.

use std::fmt;

use memchr::memchr2;

use super::address::Parts;
use super::column_name::is_email_column;
use super::found::Separator;
use super::invisible::{is_invisible, trim};
use super::sink::prefix;

/// Most bytes of the line that are looked at.
pub(super) const LINE_BYTES: usize = 1024;

/// The line under way.
#[derive(Default)]
pub(super) struct FirstLine {
    text: String,
    is_whole: bool,
}

impl FirstLine {
    /// Takes the next part of the line; says how many bytes of it.
    pub(super) fn take(&mut self, text: &str) -> usize {
        let end = memchr2(b'\r', b'\n', text.as_bytes()).map(|at| at + 1);
        let line = &text[..end.unwrap_or(text.len())];
        let taken = prefix(line, LINE_BYTES - self.text.len());
        self.text.push_str(taken);
        self.is_whole = end == Some(taken.len()) || taken.len() < line.len() || self.text.len() == LINE_BYTES;
        taken.len()
    }

    /// Whether there is no more to wait for.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What was taken so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Makes room for the next line.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.is_whole = false;
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity()
    }
}

impl fmt::Debug for FirstLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FirstLine(..)")
    }
}

/// Whether a line holds commas, quotes and white space alone.
pub(super) fn has_no_text(line: &str) -> bool {
    line.chars().all(|character| is_invisible(character) || matches!(character, ',' | '"'))
}

/// What seems to separate the columns instead of commas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suspicion {
    pub(super) separator: Separator,
    /// Whether a column of addresses is found with it.
    pub(super) is_named: bool,
}

impl Suspicion {
    /// Of a body with this first line.
    pub(super) fn of(line: &str) -> Option<Self> {
        let line = trim(line);
        if cells(line, ',').any(is_email_column) {
            return None;
        }
        let is_named = |separator: &Separator| cells(line, separator.character()).any(is_email_column);
        if let Some(separator) = Separator::ALL.into_iter().find(is_named) {
            return Some(Self { separator, is_named: true });
        }
        let counts = |separator: &Separator| is_more_frequent_than_commas(line, separator.character());
        let separator = Separator::ALL.into_iter().find(counts)?;
        Some(Self { separator, is_named: false })
    }

    /// Whether a row holds the separator, too.
    pub(super) fn holds_in(self, row: &str) -> bool {
        trim(row).contains(self.separator.character())
    }
}

/// Whether the line is the one that names the separator to a spreadsheet.
pub(super) fn is_sep_line(line: &str) -> bool {
    let line = bare(line);
    let Some((word, rest)) = line.split_at_checked("sep=".len()) else { return false };
    word.eq_ignore_ascii_case("sep=")
        && rest
            .chars()
            .all(|character| is_invisible(character) || matches!(character, ',' | ';' | '|' | ':' | '"'))
}

/// Whether the columns seem to be separated by this character: outside quotes it is no rarer than the comma.
/// Addresses and nothing else between separators are no columns, but several addresses in one.
fn is_more_frequent_than_commas(line: &str, separator: char) -> bool {
    if !line.matches('"').count().is_multiple_of(2) {
        // The row goes on behind the line.
        return false;
    }
    let (own, commas) = match (outside(line, separator), outside(line, ',')) {
        (0, 0) => (line.matches(separator).count(), line.matches(',').count()),
        counts => counts,
    };
    if own == 0 || own < commas {
        return false;
    }
    let filled = || cells(line, separator).filter(|cell| !cell.is_empty());
    let addresses = filled().filter(|cell| cell.contains('@')).count();
    let columns = filled().count();
    // A vertical bar may stand in an address: it is a separator only beside one.
    let is_likely = separator != '|' || (addresses > 0 && columns > 1 && Parts::scan(line).is_err());
    is_likely && (addresses < columns || columns < 2)
}

/// How often a character stands outside quotes and round brackets.
fn outside(line: &str, wanted: char) -> usize {
    let (mut count, mut is_quoted, mut depth) = (0, false, 0_usize);
    for character in line.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            other => count += usize::from(other == wanted && !is_quoted && depth == 0),
        }
    }
    count
}

fn cells(line: &str, separator: char) -> impl Iterator<Item = &str> {
    line.split(separator).map(bare)
}

/// Without the quotes, white space and invisible characters around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|character| is_invisible(character) || character == '"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_found_however_the_line_is_quoted_or_padded() {
        for (line, separator) in [
            ("email;name", Separator::Semicolon),
            ("\"email\";\"name\"\r\n", Separator::Semicolon),
            ("\"email\" ; \"name\"", Separator::Semicolon),
            ("\"email;name\"", Separator::Semicolon),
            ("email;name, first", Separator::Semicolon),
            ("name, first;\u{feff}\"E-Mail\"", Separator::Semicolon),
            ("Adresse;Name, Vorname;Ort", Separator::Semicolon),
            ("ann@example.com;Ann", Separator::Semicolon),
            ("ann@example.com;", Separator::Semicolon),
            ("  \"ann@example.com\";\"Lee, Ann\"", Separator::Semicolon),
            ("\"ann@example.com\";\"1,000,000\"", Separator::Semicolon),
            ("\"Adresse\"; \"Name, Vorname, Titel\"", Separator::Semicolon),
            ("email\tname", Separator::Tab),
            ("\"Name\"\t\"Email Address\"", Separator::Tab),
            ("ann@example.com\tAnn", Separator::Tab),
            ("name|e_mail", Separator::Pipe),
            ("ann@example.com|Ann", Separator::Pipe),
        ] {
            let found = Suspicion::of(line).map(|one| one.separator);
            assert_eq!(found, Some(separator), "{line}");
        }
    }

    #[test]
    fn a_line_with_commas_or_one_column_is_no_mistake() {
        for line in [
            "email,name",
            "name;x,email",
            "\"Lee; Ann\",\"email\"",
            "\"Lee; Ann; x\",phone",
            "ann@example.com",
            "a|b@example.com",
            "\tann@example.com\t",
            "a@example.com; b@example.com",
            "\"a@example.com;b@example.com\"",
            "sep=x@example.com",
            "name,phone",
            "Name (a; b; c),Recipient",
            "\"Last;",
            "",
        ] {
            assert_eq!(Suspicion::of(line), None, "{line}");
            assert!(!is_sep_line(line), "{line}");
        }
    }

    #[test]
    fn a_sep_line_is_found_whatever_it_names() {
        for line in ["sep=;", "SEP=,\r\n", "\"sep=;\"", "sep=\t", "sep=;,,,", "sep=\";\"", "Sep=|"] {
            assert!(is_sep_line(line), "{line}");
        }
    }
}
