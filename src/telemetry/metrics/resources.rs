//! What this process takes from the machine, as the standard `process_*`.
//!
//! Reads `/proc/self` when it is asked; what can't be read there stays as it was.

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use prometheus::{Counter, IntGauge, Result};
use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
};

use super::register::Register;

#[derive(Debug)]
pub(super) struct ResourceSeries {
    cpu_seconds: Counter,
    open_fds: IntGauge,
    max_fds: IntGauge,
    virtual_bytes: IntGauge,
    resident_bytes: IntGauge,
    threads: IntGauge,
    /// The counter is moved by one reader at a time, or two would move it twice as far.
    reading: Mutex<()>,
}

/// What `/proc/self/stat` tells, in its own units.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: i64,
    start_ticks: u64,
    virtual_bytes: i64,
    resident_pages: i64,
}

impl ResourceSeries {
    pub(super) fn new(register: &Register<'_>) -> Result<Self> {
        let started =
            register.process_gauge("start_time_seconds", "Start of the process, in seconds since 1970.")?;
        started.set(start_time().unwrap_or(0));
        Ok(Self {
            cpu_seconds: register
                .process_counter("cpu_seconds_total", "User and system time, in seconds.")?,
            open_fds: register.process_gauge("open_fds", "Open file descriptors.")?,
            max_fds: register.process_gauge("max_fds", "Most file descriptors that may be open.")?,
            virtual_bytes: register.process_gauge("virtual_memory_bytes", "Virtual memory, in bytes.")?,
            resident_bytes: register.process_gauge("resident_memory_bytes", "Resident memory, in bytes.")?,
            threads: register.process_gauge("threads", "Threads of the operating system.")?,
            reading: Mutex::new(()),
        })
    }

    /// Brings all of them up to date.
    pub(super) fn read(&self) {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stat) = Stat::read() {
            let more = stat.cpu_ticks as f64 / clock_ticks_per_second() as f64 - self.cpu_seconds.get();
            self.cpu_seconds.inc_by(more.max(0.0));
            self.threads.set(stat.threads);
            self.virtual_bytes.set(stat.virtual_bytes);
            self.resident_bytes.set(stat.resident_pages.saturating_mul(page_size() as i64));
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            // One of them is that of the listing.
            self.open_fds.set(entries.count() as i64 - 1);
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            self.max_fds.set(i64::try_from(most).unwrap_or(i64::MAX));
        }
    }
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The fields of proc(5); the second one, a name in brackets, may hold anything.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // The first one behind the name is the third of the manual.
        let field = |number: usize| fields.get(number - 3);
        let ticks = |number| field(number)?.parse::<u64>().ok();
        let number = |number| field(number)?.parse::<i64>().ok();
        Some(Self {
            cpu_ticks: ticks(14)?.saturating_add(ticks(15)?),
            threads: number(20)?,
            start_ticks: ticks(22)?,
            virtual_bytes: number(23)?,
            resident_pages: number(24)?,
        })
    }
}

fn start_time() -> Option<i64> {
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let booted: i64 = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let since = Stat::read()?.start_ticks / clock_ticks_per_second().max(1);
    booted.checked_add(i64::try_from(since).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_manual_whatever_the_name_holds() {
        let text = "7 (a) b (c) S 4 5 6 7 8 9 10 11 12 13 140 15 16 17 18 19 20 21 22 23000 24 25\n";

        let expected =
            Stat { cpu_ticks: 155, threads: 20, start_ticks: 22, virtual_bytes: 23_000, resident_pages: 24 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("7 (a) S 4 5"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn this_process_started_a_while_ago() {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;

        let started = start_time().unwrap();

        // The start of the machine is rounded to seconds.
        assert!(started <= now + 1 && started > now - 86_400, "{started} {now}");
    }
}
