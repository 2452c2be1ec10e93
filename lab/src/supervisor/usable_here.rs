//! Turns the address that a process listens on into one that a browser on this machine can open.

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

#[cfg(test)]
mod tests {
    use super::usable_here;

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
