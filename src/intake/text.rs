//! The grammar of plain text: an address a line, blank lines skipped. A line ends with CR, LF or both.

use memchr::memchr2;

use super::carry::Carry;
use super::fault::Stop;
use super::lines::Lines;
use super::sink::Sink;

/// A plain text under way.
#[derive(Debug, Default)]
pub(super) struct Text {
    carry: Carry,
    index: u64,
    lines: Lines,
}

impl Text {
    /// Reads a piece.
    pub(super) fn feed(&mut self, text: &str, sink: &mut impl Sink) -> Result<(), Stop> {
        let mut rest = text;
        while let Some(end) = memchr2(b'\r', b'\n', rest.as_bytes()) {
            if end > 0 {
                self.lines.text();
            }
            self.end_line(&rest[..end], sink)?;
            self.lines.end(rest.as_bytes()[end]);
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            self.lines.text();
            self.carry.push(rest);
        }
        Ok(())
    }

    /// The text, and with it the last line, ends here.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        self.end_line("", sink)
    }

    /// How many elements were read.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// The line at hand.
    pub(super) fn line(&self) -> u64 {
        self.lines.line()
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.carry.bytes()
    }

    fn end_line(&mut self, line: &str, sink: &mut impl Sink) -> Result<(), Stop> {
        let element = self.carry.join(line);
        if !element.is_blank() {
            element.send(sink)?;
            self.index += 1;
        }
        self.carry.clear();
        Ok(())
    }
}
