//! Where the parts of the loop listen.

use std::net::TcpListener;

use crate::failure::Failure;

/// One address for each part: `host:port` before the start, a base URL after it.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// The service, which the gateway stands for.
    pub(crate) gateway: String,
    /// The gateway's admin side.
    pub(crate) admin: String,
    /// The scaler's page and API.
    pub(crate) page: String,
    /// The dependency, where there is one.
    pub(crate) dependency: Option<String>,
}

/// Finds out before anything starts whether every address can be had; names the flag that changes it.
pub(crate) fn check_free(addresses: &Addresses) -> Result<(), Failure> {
    let parts = [
        ("gateway", Some(&addresses.gateway), "--gateway"),
        ("gateway's admin side", Some(&addresses.admin), "--admin"),
        ("scaler's page", Some(&addresses.page), "--page"),
        ("dependency", addresses.dependency.as_ref(), "--dependency-address"),
    ];
    // All are held until all are known to be free, so that two equal ones are found too.
    let mut held = Vec::new();
    for (part, address, flag) in parts {
        let Some(address) = address else { continue };
        let listener = TcpListener::bind(address).map_err(|error| {
            Failure::could_not_run(format!(
                "the {part} cannot listen on {address}: {error}; hint: another process may have that port \
                 (a second `lab up`?); end it, or choose another address with {flag}"
            ))
        })?;
        held.push(listener);
    }
    Ok(())
}

/// Reads `URL` or `URL, admin on URL`; where there is no second, it is the first.
pub(super) fn parse_announcement(text: &str) -> Result<(String, String), String> {
    let (first, second) = text.split_once(", admin on ").unwrap_or((text, text));
    if !first.starts_with("http://") || !second.starts_with("http://") {
        return Err(format!("a process said that it listens on `{text}`, expected URLs"));
    }
    Ok((first.to_owned(), second.to_owned()))
}
