//! Turns the address that a process listens on into one that a browser on this machine can open, and says who may
//! change something there.

use std::net::IpAddr;

/// The URL with loopback in place of "all addresses", which names no host: a browser that opens it sends a host name
/// under which nothing may be changed.
pub(crate) fn usable_here(url: &str) -> String {
    for (every, loopback) in [("://0.0.0.0", "://127.0.0.1"), ("://[::]", "://[::1]")] {
        if let Some((scheme, rest)) = url.split_once(every)
            && (rest.is_empty() || rest.starts_with([':', '/']))
        {
            return format!("{scheme}{loopback}{rest}");
        }
    }
    url.to_owned()
}

/// What the user of a page has to know about who may read it and who may change something; empty where it can only be
/// reached from this machine, or where its own address is among the allowed hosts.
pub(crate) fn who_may_change(page: &str, allowed_hosts: &[String]) -> String {
    let host = page.split_once("://").map_or(page, |(_, rest)| rest);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    let Ok(address) = host.parse::<IpAddr>() else { return String::new() };
    let is_allowed = allowed_hosts.iter().any(|name| name.trim_matches(['[', ']']) == host);
    if address.is_loopback() || is_allowed {
        return String::new();
    }
    let (place, name) = if address.is_unspecified() {
        ("all addresses: others on the network may read it".to_owned(), "NAME")
    } else {
        (format!("{host}: other machines may read it there"), host)
    };
    let except = if allowed_hosts.is_empty() {
        format!("but not change anything;\n--allowed-hosts {name} lets them under that name")
    } else {
        format!("and change something only under\n{}", allowed_hosts.join(", "))
    };
    format!("\nThe page listens on {place}, {except}. There is no password.\n")
}

#[cfg(test)]
mod tests {
    use super::{usable_here, who_may_change};

    #[test]
    fn who_may_change_something_is_said_where_others_can_read() {
        let lab = ["lab.example".to_owned()];
        for (page, allowed, parts) in [
            ("http://127.0.0.1:8080", &[][..], &[][..]),
            ("http://[::1]:8080", &[], &[]),
            ("http://127.0.0.1:8080", &lab, &[]),
            ("http://0.0.0.0:8080", &[], &["all addresses", "not change anything", "--allowed-hosts NAME"]),
            ("http://[::]:8080", &[], &["all addresses", "--allowed-hosts NAME"]),
            ("http://0.0.0.0:8080", &lab, &["change something only under\nlab.example"]),
            ("http://192.168.0.7:8080", &[], &["192.168.0.7", "--allowed-hosts 192.168.0.7"]),
            ("http://[fd00::7]:8080", &[], &["fd00::7"]),
            ("http://192.168.0.7:8080", &["192.168.0.7".to_owned()], &[]),
        ] {
            let said = who_may_change(page, allowed);
            assert_eq!(said.is_empty(), parts.is_empty(), "{page}: {said}");
            assert!(parts.iter().all(|part| said.contains(part)), "{page}: {said}");
        }
    }

    #[test]
    fn all_addresses_become_loopback_and_others_stay() {
        for (given, expected) in [
            ("http://0.0.0.0:18780", "http://127.0.0.1:18780"),
            ("http://0.0.0.0", "http://127.0.0.1"),
            ("http://[::]:8080/", "http://[::1]:8080/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://192.168.0.0:80", "http://192.168.0.0:80"),
            ("http://0.0.0.0.example:80", "http://0.0.0.0.example:80"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(usable_here(given), expected);
        }
    }
}
