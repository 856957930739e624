//! `[log]`: the form of the lines on stderr, and how many of them.

use super::{read::Reader, render::Rendering};

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON, but pretty when stderr is a terminal.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// The least important line that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures of the gateway.
    Error,
    /// What an operator should look at.
    Warn,
    /// What happened.
    Info,
    /// Why it happened.
    Debug,
    /// Every step.
    Trace,
}

/// The settings of logging.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// The least important line of the gateway itself; its libraries never say less than a warning.
    pub level: LogLevel,
}

impl LogFormat {
    const ALL: [Self; 3] = [Self::Auto, Self::Json, Self::Pretty];

    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Pretty => "pretty",
        }
    }
}

impl LogLevel {
    const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl LogSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let format = |word: &str| LogFormat::ALL.into_iter().find(|format| format.as_str() == word);
        let level = |word: &str| LogLevel::ALL.into_iter().find(|level| level.as_str() == word);
        let formats = "\"auto\", \"json\" or \"pretty\"";
        let levels = "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"";
        Self {
            format: reader.parsed("log.format", formats, LogFormat::Auto, format),
            level: reader.parsed("log.level", levels, LogLevel::Info, level),
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("log");
        out.text("format", self.format.as_str());
        out.text("level", self.level.as_str());
    }
}
