//! The `process_*` families as Prometheus' client libraries define them, read when they are scraped.

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::{MetricsRegistry, OnScrape};
use crate::names;

/// A number that the platform does not tell is 0.
pub(super) fn register(registry: &mut MetricsRegistry) {
    let start_time_seconds = platform::start_time_seconds().unwrap_or(0.0);
    for (name, help, metric) in [
        (names::PROCESS_CPU_SECONDS_TOTAL, "CPU time used, user and system", OnScrape::counter(cpu_seconds)),
        (
            names::PROCESS_RESIDENT_MEMORY_BYTES,
            "Resident memory",
            OnScrape::gauge(|| platform::resident_memory_bytes().unwrap_or(0.0)),
        ),
        (
            names::PROCESS_VIRTUAL_MEMORY_BYTES,
            "Virtual memory",
            OnScrape::gauge(|| platform::virtual_memory_bytes().unwrap_or(0.0)),
        ),
        (
            names::PROCESS_OPEN_FDS,
            "Open file descriptors",
            OnScrape::gauge(|| platform::open_descriptors().unwrap_or(0.0)),
        ),
        (names::PROCESS_MAX_FDS, "File descriptors that may be open", OnScrape::gauge(max_descriptors)),
        (
            names::PROCESS_START_TIME_SECONDS,
            "Start of the process since the Unix epoch",
            OnScrape::gauge(move || start_time_seconds),
        ),
    ] {
        registry.register(name, help, metric);
    }
}

fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

fn max_descriptors() -> f64 {
    getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |limit| limit as f64)
}

#[cfg(target_os = "linux")]
mod platform {
    //! What `/proc` tells about this process.

    use procfs::process::Process;
    use procfs::{CurrentSI, KernelStats, ticks_per_second};

    pub(super) fn resident_memory_bytes() -> Option<f64> {
        let statm = Process::myself().ok()?.statm().ok()?;
        Some((statm.resident * procfs::page_size()) as f64)
    }

    pub(super) fn virtual_memory_bytes() -> Option<f64> {
        let statm = Process::myself().ok()?.statm().ok()?;
        Some((statm.size * procfs::page_size()) as f64)
    }

    pub(super) fn open_descriptors() -> Option<f64> {
        Some(Process::myself().ok()?.fd_count().ok()? as f64)
    }

    pub(super) fn start_time_seconds() -> Option<f64> {
        let boot_seconds = KernelStats::current().ok()?.btime as f64;
        let start_ticks = Process::myself().ok()?.stat().ok()?.starttime as f64;
        Some(boot_seconds + start_ticks / ticks_per_second() as f64)
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    //! Other platforms have no `/proc`; the numbers that only it tells are left at 0.

    pub(super) fn resident_memory_bytes() -> Option<f64> {
        None
    }

    pub(super) fn virtual_memory_bytes() -> Option<f64> {
        None
    }

    pub(super) fn open_descriptors() -> Option<f64> {
        None
    }

    pub(super) fn start_time_seconds() -> Option<f64> {
        None
    }
}
