//! Sees to it that the process may open as many connections as were asked for, or says that it may not.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::open_model::error::OpenModelError;

/// Files that the process has open for other purposes: its runtime, logs, reports, libraries that load late.
const SPARE: u64 = 64;

/// Raises the soft limit of open files where `connections` need it.
///
/// The limit is shared by the whole process and is never lowered.
pub(crate) fn allow(connections: usize) -> Result<(), OpenModelError> {
    let needed = connections as u64 + SPARE;
    let limits = getrlimit(Resource::Nofile);
    // No limit is none.
    if limits.current.is_none_or(|soft| soft >= needed) {
        return Ok(());
    }
    let refused = |limit| Err(OpenModelError::DescriptorLimit { connections, needed, limit });
    match limits.maximum {
        Some(hard) if hard < needed => refused(hard),
        maximum => setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })
            .or_else(|_| refused(limits.current.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_into_the_limit_is_allowed() {
        assert_eq!(allow(1), Ok(()));
    }

    #[test]
    fn what_exceeds_the_hard_limit_is_refused_with_both_numbers() {
        let Some(hard) = getrlimit(Resource::Nofile).maximum else { return };
        let connections = usize::try_from(hard).expect("64 bits hold it");
        let error = allow(connections).expect_err("it needs some more").to_string();
        assert!(error.contains(&format!("may have {hard} files open and needs {}", hard + SPARE)), "{error}");
    }
}
