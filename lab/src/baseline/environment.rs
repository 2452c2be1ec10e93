//! On what, and when, something was measured.

use std::time::SystemTime;

use loadgen_baseline::Environment;

/// This machine, without its name.
pub(crate) fn describe() -> Environment {
    let system = rustix::system::uname();
    Environment {
        system: format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()),
        machine: system.machine().to_string_lossy().into_owned(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Now, as RFC 3339 in UTC.
#[expect(clippy::disallowed_methods, reason = "the command's one look at the wall clock: when it began")]
pub(crate) fn wall_clock() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
