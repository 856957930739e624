//! Counts lines, however they end: LF, CRLF, CR CR LF (what two conversions make of it), or CR alone.

use memchr::memchr2_iter;

/// Most carriage returns that are one end of a line with the LF behind them.
const RETURNS: u64 = 2;

/// The line at hand, from 1.
#[derive(Debug)]
pub(super) struct Lines {
    line: u64,
    /// Carriage returns right before the next character: one end of a line if that is LF, else one each.
    returns: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { line: 1, returns: 0 }
    }
}

impl Lines {
    /// Takes a CR or an LF.
    pub(super) fn end(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
            self.returns = 0;
        } else if self.returns == RETURNS {
            self.line += 1;
        } else {
            self.returns += 1;
        }
    }

    /// Takes any other character.
    pub(super) fn text(&mut self) {
        self.line += self.returns;
        self.returns = 0;
    }

    /// Takes a run of text that may hold ends of lines.
    pub(super) fn run(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut from = 0;
        for at in memchr2_iter(b'\r', b'\n', bytes) {
            if at > from {
                self.text();
            }
            self.end(bytes[at]);
            from = at + 1;
        }
        if from < bytes.len() {
            self.text();
        }
    }

    /// The line of the next character, unless that is the LF of a line end under way.
    pub(super) fn line(&self) -> u64 {
        self.line + self.returns
    }

    /// The line that the end under way belongs to.
    pub(super) fn ending(&self) -> u64 {
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_end_a_line_counts_once_wherever_the_text_is_split() {
        for (text, line) in [
            ("", 1),
            ("a", 1),
            ("a\nb", 2),
            ("a\r\nb", 2),
            ("a\r\r\nb", 2),
            ("a\rb", 2),
            ("a\r\rb", 3),
            ("a\n\nb", 3),
            ("a\n\rb", 3),
            ("a\r\r\r\nb", 3),
            ("\r", 2),
            ("\r\n\r\n", 3),
        ] {
            for at in 0..=text.len() {
                let mut lines = Lines::default();
                lines.run(&text[..at]);
                lines.run(&text[at..]);
                assert_eq!(lines.line(), line, "{text:?} split at {at}");
            }
        }
    }
}
