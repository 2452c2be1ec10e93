//! Where a Docker engine is and how the connection to it is protected, by the variables that Docker's own programs read.

use std::path::PathBuf;

use excerpt::excerpt;

/// The engine's address where neither a flag nor `DOCKER_HOST` gives one.
const DEFAULT_URL: &str = "unix:///var/run/docker.sock";

/// The address of a Docker engine, and the certificates for it where it is asked over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerHost {
    /// `unix:///path/of/socket`; `tcp://`, `http://` or `https://` with a host and a port.
    pub(crate) url: String,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`, where the connection is protected by TLS.
    pub(crate) certificates: Option<PathBuf>,
}

impl DockerHost {
    /// The engine at this URL or, without one, where `DOCKER_HOST` says, or else at its socket on this machine.
    ///
    /// `DOCKER_TLS_VERIFY` with any value asks for TLS, and so does `https://`; the certificates are in
    /// `DOCKER_CERT_PATH`, or else in `DOCKER_CONFIG`, or else in `~/.docker`. An empty variable counts as not set.
    /// Source: <https://docs.docker.com/engine/security/protect-access/>.
    ///
    /// `lookup` tells a variable's value, so that nothing here reads the environment itself.
    ///
    /// # Errors
    /// Where a variable asks for something that this connection would not do: TLS over a socket, TLS that trusts any
    /// server (`DOCKER_TLS`), certificates without TLS, an engine that only a context (`DOCKER_CONTEXT`) names.
    pub fn from_environment(
        url: Option<&str>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let given = url.map(str::to_owned).or_else(|| set("DOCKER_HOST"));
        if given.is_none()
            && let Some(context) = set("DOCKER_CONTEXT").filter(|context| context != "default")
        {
            return Err(format!(
                "DOCKER_CONTEXT is `{}`, and the lab does not read Docker's contexts; hint: give the engine's address \
                 with --docker-host or DOCKER_HOST, `docker context inspect` shows it",
                excerpt(&context)
            ));
        }
        let url = given.unwrap_or_else(|| DEFAULT_URL.to_owned());
        let is_verified = set("DOCKER_TLS_VERIFY").is_some();
        if set("DOCKER_TLS").is_some() && !is_verified {
            return Err("DOCKER_TLS is set without DOCKER_TLS_VERIFY, and the lab uses TLS only with a server that it \
                        can verify; hint: set DOCKER_TLS_VERIFY=1, or unset DOCKER_TLS"
                .to_owned());
        }
        let certificates = set("DOCKER_CERT_PATH");
        let refuse = |variable: &str, problem: &str, hint: &str| {
            Err(format!("{variable} is set, and {problem} `{}`; hint: {hint}", excerpt(&url)))
        };
        let is_tls = url.starts_with("https://") || is_verified;
        if is_tls && !url.starts_with("tcp://") && !url.starts_with("https://") {
            return refuse(
                "DOCKER_TLS_VERIFY",
                "there is no TLS at",
                "unset DOCKER_TLS_VERIFY, or give an address such as tcp://host:2376 with --docker-host or DOCKER_HOST",
            );
        }
        if !is_tls {
            return match certificates {
                Some(_) => refuse(
                    "DOCKER_CERT_PATH",
                    "without DOCKER_TLS_VERIFY no certificate is used for",
                    "set DOCKER_TLS_VERIFY=1, or unset DOCKER_CERT_PATH",
                ),
                None => Ok(Self { url, certificates: None }),
            };
        }
        let folder = certificates
            .or_else(|| set("DOCKER_CONFIG"))
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".docker")));
        match folder {
            Some(folder) => Ok(Self { url, certificates: Some(folder) }),
            None => {
                refuse("DOCKER_TLS_VERIFY", "no folder of certificates is known for", "set DOCKER_CERT_PATH")
            }
        }
    }
}

/// An engine that is asked without TLS.
#[cfg(test)]
impl From<&str> for DockerHost {
    fn from(url: &str) -> Self {
        Self { url: url.to_owned(), certificates: None }
    }
}

#[cfg(test)]
mod tests {
    use super::DockerHost;

    fn host(url: Option<&str>, variables: &[(&str, &str)]) -> Result<(String, Option<String>), String> {
        let lookup = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let host = DockerHost::from_environment(url, lookup)?;
        Ok((host.url, host.certificates.map(|folder| folder.display().to_string())))
    }

    #[test]
    fn an_engine_is_where_flag_or_variable_say_and_tls_is_as_asked() {
        let socket = "unix:///var/run/docker.sock";
        let tcp = "tcp://engine:2376";
        for (url, variables, expected) in [
            (None, &[][..], (socket, None)),
            (
                None,
                &[("DOCKER_HOST", ""), ("DOCKER_TLS_VERIFY", ""), ("DOCKER_CERT_PATH", "")],
                (socket, None),
            ),
            (None, &[("DOCKER_CONTEXT", "default")], (socket, None)),
            (None, &[("DOCKER_HOST", tcp)], (tcp, None)),
            (
                Some("tcp://flag:1"),
                &[("DOCKER_HOST", tcp), ("DOCKER_CONTEXT", "far")],
                ("tcp://flag:1", None),
            ),
            (
                None,
                &[("DOCKER_HOST", tcp), ("DOCKER_TLS_VERIFY", "1"), ("HOME", "/me")],
                (tcp, Some("/me/.docker")),
            ),
            // Docker's own programs look only whether it is set.
            (Some(tcp), &[("DOCKER_TLS_VERIFY", "0"), ("DOCKER_CERT_PATH", "/c")], (tcp, Some("/c"))),
            (
                Some(tcp),
                &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CONFIG", "/d"), ("HOME", "/me")],
                (tcp, Some("/d")),
            ),
            (
                Some(tcp),
                &[("DOCKER_TLS", "1"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c")],
                (tcp, Some("/c")),
            ),
            (Some("https://engine"), &[("DOCKER_CERT_PATH", "/c")], ("https://engine", Some("/c"))),
        ] {
            let expected = (expected.0.to_owned(), expected.1.map(str::to_owned));
            assert_eq!(host(url, variables), Ok(expected), "{url:?} {variables:?}");
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let tcp = ("DOCKER_HOST", "tcp://engine:2375");
        for (variables, words) in [
            (
                &[("DOCKER_TLS_VERIFY", "1"), ("HOME", "/me")][..],
                ["DOCKER_TLS_VERIFY", "unix:///var/run/docker.sock"],
            ),
            (
                &[("DOCKER_HOST", "http://engine:2375"), ("DOCKER_TLS_VERIFY", "1")],
                ["DOCKER_TLS_VERIFY", "http://engine"],
            ),
            (&[("DOCKER_CERT_PATH", "/c")], ["DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY=1"]),
            (&[tcp, ("DOCKER_CERT_PATH", "/c")], ["DOCKER_CERT_PATH", "tcp://engine:2375"]),
            (&[tcp, ("DOCKER_TLS", "1")], ["DOCKER_TLS ", "DOCKER_TLS_VERIFY=1"]),
            (&[tcp, ("DOCKER_TLS_VERIFY", "1")], ["DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"]),
            (&[("DOCKER_CONTEXT", "far\u{7}")], ["DOCKER_CONTEXT", "docker context inspect"]),
        ] {
            let problem = host(None, variables).expect_err("it is refused");
            assert!(words.iter().all(|word| problem.contains(word)), "{words:?}: {problem}");
            assert!(problem.contains("; hint: ") && !problem.contains('\u{7}'), "{problem}");
        }
    }
}
