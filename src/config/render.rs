//! Writes the effective settings as TOML that can be read back.

use std::{
    fmt::{Display, Write},
    path::Path,
    time::Duration,
};

/// What stands where a secret would.
pub(super) const REDACTED: &str = "***";

/// The text so far.
#[derive(Default)]
pub(super) struct Rendering {
    text: String,
}

impl Rendering {
    /// Begins a section.
    pub(super) fn section(&mut self, name: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        self.text.push_str(&format!("{gap}[{name}]\n"));
    }

    /// A number or `true`/`false`.
    pub(super) fn plain(&mut self, key: &str, value: impl Display) {
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    /// Whole seconds.
    pub(super) fn seconds(&mut self, key: &str, value: Duration) {
        self.plain(key, value.as_secs());
    }

    /// A text, escaped.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        let mut quoted = String::with_capacity(value.len() + 2);
        for letter in value.chars() {
            match letter {
                '"' | '\\' => quoted.extend(['\\', letter]),
                letter if letter.is_control() => {
                    // Writing to a String cannot fail.
                    write!(quoted, "\\U{:08X}", u32::from(letter)).unwrap_or_default();
                }
                letter => quoted.push(letter),
            }
        }
        self.plain(key, format_args!("\"{quoted}\""));
    }

    /// A path; empty when there is none.
    pub(super) fn path(&mut self, key: &str, value: Option<&Path>) {
        self.text(key, &value.map(|path| path.to_string_lossy()).unwrap_or_default());
    }

    /// Everything written.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
