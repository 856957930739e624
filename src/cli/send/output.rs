//! Where the results of all addresses go, and in which form.
//!
//! The file is opened before anything is sent, so that a wrong path mails nobody; what it held is
//! replaced only when there are results.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use thiserror::Error;

use super::csv;
use crate::cli::client::Row;

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Columns index, email, outcome, reason, detail, sent_at
    Csv,
    /// A JSON object a line
    Ndjson,
}

/// Why results can't be written.
#[derive(Debug, Error)]
pub(super) enum OutputError {
    #[error("--output {path}: say with --format csv or --format ndjson what to write")]
    UnknownForm { path: PathBuf },
    #[error("--output {path} is the list itself, and would replace it: name another file; nothing was sent")]
    IsList { path: PathBuf },
    #[error("--output {path}: {cause}; nothing was sent")]
    Open { path: PathBuf, cause: io::Error },
    #[error("{cause}")]
    Write {
        #[from]
        cause: io::Error,
    },
}

/// Where results go.
pub(super) struct Output {
    destination: Destination,
    format: OutputFormat,
}

enum Destination {
    Nowhere,
    Stdout,
    File(BufWriter<File>),
}

impl Output {
    pub(super) fn open(
        path: Option<&Path>,
        format: Option<OutputFormat>,
        list: &Path,
    ) -> Result<Self, OutputError> {
        let Some(path) = path else {
            return Ok(Self { destination: Destination::Nowhere, format: OutputFormat::Ndjson });
        };
        if path.as_os_str() == "-" {
            let format = format.unwrap_or(OutputFormat::Ndjson);
            return Ok(Self { destination: Destination::Stdout, format });
        }
        let format = format.or_else(|| of_name(path));
        let format = format.ok_or_else(|| OutputError::UnknownForm { path: path.to_owned() })?;
        if is_same_file(path, list) {
            return Err(OutputError::IsList { path: path.to_owned() });
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|cause| OutputError::Open { path: path.to_owned(), cause })?;
        Ok(Self { destination: Destination::File(BufWriter::new(file)), format })
    }

    /// Whether anybody asked for results.
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self.destination, Destination::Nowhere)
    }

    /// Whether they go where the summary would go.
    pub(super) fn takes_stdout(&self) -> bool {
        matches!(self.destination, Destination::Stdout)
    }

    pub(super) fn begin(&mut self, stdout: &mut impl Write) -> Result<(), OutputError> {
        if let Destination::File(file) = &self.destination
            && file.get_ref().metadata()?.is_file()
        {
            file.get_ref().set_len(0)?;
        }
        match self.format {
            OutputFormat::Csv => self.put(stdout, csv::HEADER.as_bytes()),
            OutputFormat::Ndjson => Ok(()),
        }
    }

    /// Writes one result; `line` is how the gateway wrote it.
    pub(super) fn write(
        &mut self,
        stdout: &mut impl Write,
        row: &Row,
        line: &[u8],
    ) -> Result<(), OutputError> {
        match self.format {
            OutputFormat::Csv => self.put(stdout, csv::line(row).as_bytes()),
            OutputFormat::Ndjson => {
                self.put(stdout, line)?;
                self.put(stdout, b"\n")
            }
        }
    }

    pub(super) fn end(&mut self, stdout: &mut impl Write) -> Result<(), OutputError> {
        match &mut self.destination {
            Destination::Nowhere => {}
            Destination::Stdout => stdout.flush()?,
            Destination::File(file) => file.flush()?,
        }
        Ok(())
    }

    fn put(&mut self, stdout: &mut impl Write, bytes: &[u8]) -> Result<(), OutputError> {
        match &mut self.destination {
            Destination::Nowhere => {}
            Destination::Stdout => stdout.write_all(bytes)?,
            Destination::File(file) => file.write_all(bytes)?,
        }
        Ok(())
    }
}

/// By any of its names.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| path.metadata().ok().filter(fs::Metadata::is_file);
    matches!((file(one), file(other)), (Some(one), Some(other)) if (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

fn of_name(path: &Path) -> Option<OutputFormat> {
    let extension = path.extension()?.to_str()?.to_lowercase();
    match extension.as_str() {
        "csv" => Some(OutputFormat::Csv),
        "ndjson" | "jsonl" => Some(OutputFormat::Ndjson),
        _ => None,
    }
}
