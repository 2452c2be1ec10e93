//! What tests need of the machine: whether it is there, and what takes the place of programs that may be missing.
//!
//! `LAB_REQUIRE` is a list with commas, such as `prometheus,docker`: what it names may not be missing. CI names all of
//! them, so that no test skips there.

mod signal;

use std::io::Write as _;
use std::net::ToSocketAddrs as _;
use std::process::Command;

pub use signal::{send_signal, try_send_signal};

/// Whether the requirement is met. Where it is not, the problem is told, and the test is to end as passed.
///
/// # Panics
/// Where the requirement is not met and `LAB_REQUIRE` names it.
pub fn is_met(requirement: &str, state: &Result<(), String>) -> bool {
    let Err(problem) = state else { return true };
    let named = std::env::var("LAB_REQUIRE").unwrap_or_default();
    assert!(!is_named(requirement, &named), "LAB_REQUIRE asks for {requirement}; {problem}");
    // Past the test runner, which shows nothing of a test that passes. Whether it can be read changes nothing.
    drop(writeln!(std::io::stderr(), "skipped: {problem}"));
    false
}

/// [`is_met`] by a program that can say its version; `hint` is how one gets it.
///
/// # Panics
/// Where it cannot be run and `LAB_REQUIRE` names the requirement.
pub fn has_program(requirement: &str, program: &str, hint: &str) -> bool {
    let state = match Command::new(program).arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("`{program}` cannot be run: {error}; hint: {hint}")),
    };
    is_met(requirement, &state)
}

/// [`is_met`] by a name that the system resolves; the requirement is called `names`.
///
/// Debian's smallest system, without /etc/hosts, does not even know `localhost`.
///
/// # Panics
/// Where the name is not found and `LAB_REQUIRE` names `names`.
pub fn has_name(name: &str) -> bool {
    is_met("names", &resolves(name))
}

fn resolves(name: &str) -> Result<(), String> {
    (name, 0).to_socket_addrs().map(drop).map_err(|error| {
        format!("the name `{name}` is not known here: {error}; hint: /etc/hosts lists names")
    })
}

fn is_named(requirement: &str, list: &str) -> bool {
    list.split(',').any(|item| item.trim() == requirement)
}

#[cfg(test)]
mod tests {
    use super::{has_program, is_met, is_named, resolves};

    #[test]
    fn a_requirement_is_named_by_its_whole_name() {
        assert!(is_named("docker", "prometheus, docker"));
        for list in ["", "docker-compose", "prometheus", "dock,er"] {
            assert!(!is_named("docker", list), "`{list}`");
        }
    }

    #[test]
    fn what_is_not_there_is_not_met() {
        assert!(is_met("a thing", &Ok(())));
        assert!(!is_met("a thing", &Err("it is not there".to_owned())));
        assert!(!has_program("a thing", "no-program-of-this-name", "there is none"));
        // An address needs no look-up; a name that no resolver may find (RFC 6761).
        assert!(resolves("127.0.0.1").is_ok() && resolves("name.invalid").is_err());
    }
}
