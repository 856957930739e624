//! A temporary file without a name: what is in it goes with the last handle, also when the process dies.
//!
//! Written only at its end and read at any place, by position: handles share no cursor.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Write},
    ops::Range,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use uuid::Uuid;

use super::error::RepeatError;

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) file: Arc<File>,
    /// Bytes that count; whatever a failed write left behind them is overwritten by the next.
    length: u64,
}

impl Scratch {
    /// A new file that only its owner may open, and that is unlinked before anything is written to it.
    pub(super) fn create(directory: &Path) -> Result<Self, RepeatError> {
        let path = directory.join(format!(".repeats-{}", Uuid::new_v4().simple()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.and_then(|file| fs::remove_file(&path).map(|()| file));
        file.map(Self::from).map_err(|source| RepeatError::Create { source })
    }

    /// Adds what `write` writes, and says where it lies. After an error it is as if nothing had been added.
    pub(super) fn append(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Appender<'_>>) -> Result<(), RepeatError>,
    ) -> Result<Range<u64>, RepeatError> {
        let start = self.length;
        let appender = Appender { file: &self.file, at: start };
        let mut buffered = BufWriter::with_capacity(WRITE_BYTES, appender);
        write(&mut buffered)?;
        buffered.flush().map_err(|source| RepeatError::Write { source })?;
        self.length = buffered.get_ref().at;
        Ok(start..self.length)
    }

    pub(super) fn section(&self, range: Range<u64>) -> Section {
        Section { file: Arc::clone(&self.file), range }
    }
}

impl From<File> for Scratch {
    fn from(file: File) -> Self {
        Self { file: Arc::new(file), length: 0 }
    }
}

/// The end of the file, to write to.
pub(super) struct Appender<'file> {
    file: &'file File,
    at: u64,
}

impl Write for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A part of the file, to read from its start to its end.
#[derive(Debug)]
pub(super) struct Section {
    file: Arc<File>,
    range: Range<u64>,
}

impl Section {
    /// Bytes that are left of it.
    pub(super) fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl Read for Section {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length()).unwrap_or(usize::MAX);
        let wanted = bytes.len().min(left);
        let read = self.file.read_at(&mut bytes[..wanted], self.range.start)?;
        self.range.start += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_file_has_no_name_and_no_reader_but_its_owner() {
        let directory = tempfile::tempdir().unwrap();

        let scratch = Scratch::create(directory.path()).unwrap();

        let metadata = scratch.file.metadata().unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o600);
        assert_eq!(metadata.nlink(), 0);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_failed_write_left_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let mut scratch = Scratch::create(directory.path()).unwrap();
        let fails = |to: &mut BufWriter<Appender<'_>>| {
            to.write_all(b"half").unwrap();
            to.flush().unwrap();
            Err(RepeatError::Write { source: io::ErrorKind::StorageFull.into() })
        };

        assert!(scratch.append(fails).unwrap_err().is_full());
        let good = |to: &mut BufWriter<Appender<'_>>| {
            to.write_all(b"ok").map_err(|source| RepeatError::Write { source })
        };
        let range = scratch.append(good).unwrap();

        let mut text = String::new();
        assert_eq!(range, 0..2);
        scratch.section(range).read_to_string(&mut text).unwrap();
        assert_eq!(text, "ok");
    }
}
