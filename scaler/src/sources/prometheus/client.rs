//! Sends one PromQL query and returns the vector that comes back, or in one sentence why none did.

use std::fmt;
use std::time::Duration;

use http::Uri;
use prometheus_http_query::Client;
use prometheus_http_query::response::InstantVector;

/// Longest wait for an answer; Prometheus is told to give up then, too.
use crate::error_causes::with_causes;

const TIMEOUT: Duration = Duration::from_millis(800);

/// A Prometheus that can be asked.
pub(in super::super) struct PrometheusClient {
    client: Client,
    /// Its address, without a user's name and password.
    address: String,
}

/// An address at which no Prometheus can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is no address of a Prometheus: {problem}, expected one such as http://127.0.0.1:9090")]
pub struct PrometheusUrlError {
    /// What was given, without a user's name and password.
    pub address: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Debug for PrometheusClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's own form would show a password.
        f.debug_struct("PrometheusClient").field("address", &self.address).finish_non_exhaustive()
    }
}

impl PrometheusClient {
    pub(in super::super) fn new(url: &str) -> Result<Self, PrometheusUrlError> {
        let address = without_password(url);
        let refuse = |problem: String| PrometheusUrlError { address: address.clone(), problem };
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| refuse(error.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return Err(refuse("it is not http:// or https:// with a host".to_owned()));
        }
        // A proxy of the environment is for the way out, and a Prometheus beside the service is not out there.
        let mut builder = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).pool_max_idle_per_host(3);
        if uri.scheme_str() == Some("http") {
            // The system's certificates are of no use then; they cost megabytes, and an image may have none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| refuse(with_causes(&error)))?;
        let client = Client::from(client, url).map_err(|error| refuse(with_causes(&error)))?;
        Ok(Self { client, address })
    }

    /// How messages name it.
    pub(in super::super) fn name(&self) -> String {
        format!("Prometheus at {}", self.address)
    }

    /// The vector that the query yields at this moment.
    pub(in super::super) async fn vector(&self, query: &str) -> Result<Vec<InstantVector>, String> {
        let timeout = i64::try_from(TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        // In the body of a POST, because a query that names fifty replicas is longer than a URL may be.
        let answer = self.client.query(query).timeout(timeout).post().await;
        let answer =
            answer.map_err(|error| format!("{} gave no answer: {}", self.name(), with_causes(&error)))?;
        answer
            .into_inner()
            .0
            .into_vector()
            .map_err(|_| format!("{} gave no answer: what came is no vector", self.name()))
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_passwords_kept() {
        for good in
            ["http://127.0.0.1:9090", "https://prometheus.example/path/", "http://me:secret@localhost:9090"]
        {
            let client = PrometheusClient::new(good).unwrap();
            assert!(!format!("{client:?}{}", client.name()).contains("secret"), "{client:?}");
        }
        for bad in ["", "localhost:9090", "ftp://localhost", "http://", "http://a b", "//me:secret@host"] {
            let error = PrometheusClient::new(bad).unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:9090"), "{error}");
        }
        let error = PrometheusClient::new("ftp://me:secret@host").unwrap_err().to_string();
        assert!(error.contains("ftp://host") && !error.contains("secret"), "{error}");
    }
}
