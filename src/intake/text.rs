//! The grammar of plain text: an address a line, LF or CRLF, blank lines skipped.

use super::carry::Carry;
use super::fault::Stop;
use super::sink::Sink;

/// A plain text under way.
#[derive(Debug)]
pub(super) struct Text {
    carry: Carry,
    index: u64,
    line: u64,
}

impl Default for Text {
    fn default() -> Self {
        Self { carry: Carry::default(), index: 0, line: 1 }
    }
}

impl Text {
    /// Reads a piece.
    pub(super) fn feed(&mut self, text: &str, sink: &mut impl Sink) -> Result<(), Stop> {
        let mut rest = text;
        while let Some((line, behind)) = rest.split_once('\n') {
            self.end_line(line, sink)?;
            self.line += 1;
            rest = behind;
        }
        self.carry.push(rest);
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
        self.line
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.carry.bytes()
    }

    fn end_line(&mut self, line: &str, sink: &mut impl Sink) -> Result<(), Stop> {
        let element = self.carry.join(line).without_carriage_return();
        if !element.is_blank() {
            element.send(sink)?;
            self.index += 1;
        }
        self.carry.clear();
        Ok(())
    }
}
