//! Tells by a name whether a header, a parameter or a cookie carries a credential.

/// Headers that carry one and whose names do not say so.
const HEADERS: [&str; 4] = ["cookie", "cookie2", "set-cookie", "www-authenticate"];

/// Whole names that stand for one.
const NAMES: [&str; 9] = ["key", "auth", "sig", "sid", "pwd", "jwt", "session", "hmac", "otp"];

/// Parts of names that carry one; names are compared without their separators.
const PARTS: [&str; 15] = [
    "apikey",
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "authorization",
    "authentication",
    "xauth",
    "signature",
    "sessionid",
    "subscriptionkey",
    "accesskey",
    "privatekey",
    "authkey",
];

/// Names that have such a part and are none: where a list goes on.
const PAGES: [&str; 5] = ["page", "next", "continuation", "cursor", "sync"];

/// Whether a header or parameter of this name carries a credential.
pub(super) fn is_credential(name: &str) -> bool {
    let name = name.to_lowercase();
    if HEADERS.contains(&name.as_str()) {
        return true;
    }
    let letters: String = name.chars().filter(|each| each.is_alphanumeric()).collect();
    NAMES.contains(&letters.as_str())
        || PARTS.iter().any(|part| letters.contains(part)) && !PAGES.iter().any(|page| letters.contains(page))
}

#[cfg(test)]
mod tests {
    use super::is_credential;

    #[test]
    fn names_tell_credentials_from_other_values() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "Set-Cookie",
            "X-Api-Key",
            "api_key",
            "apiKey",
            "key",
            "access_token",
            "X-Auth-Token",
            "X-CSRF-Token",
            "client_secret",
            "password",
            "Ocp-Apim-Subscription-Key",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "PHPSESSIONID",
            "sig",
            "X-Goog-Api-Key",
            "Private-Token",
        ] {
            assert!(is_credential(name), "{name}");
        }
        for name in [
            "Accept",
            "X-Api-Version",
            "SOAPAction",
            "Range",
            "If-None-Match",
            "Prefer",
            "page_token",
            "nextToken",
            "keyword",
            "author",
            "q",
            "X-Requested-With",
            "monkey",
            "sort-key",
            "design",
            "X-Request-Id",
        ] {
            assert!(!is_credential(name), "{name}");
        }
    }
}
