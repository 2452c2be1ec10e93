//! Connects to a Docker engine over TLS, with the three files that Docker's own programs read.

use std::path::{Path, PathBuf};

use bollard::{API_DEFAULT_VERSION, Docker};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::super::ActuatorError;
use super::TIMEOUT_SECONDS;

/// A client that speaks TLS to the engine at this address; it has not connected yet.
///
/// The folder holds `ca.pem`, which signed the engine's certificate, and `cert.pem` and `key.pem`, by which the engine
/// knows this client. All three are read here first: the library leaves out a client certificate that it cannot read.
pub(super) fn connect(host: &str, folder: &Path) -> Result<Docker, ActuatorError> {
    let authority = pem::<CertificateDer<'_>>(folder, "ca.pem", "certificates")?;
    let certificate = pem::<CertificateDer<'_>>(folder, "cert.pem", "certificates")?;
    let key = pem::<PrivateKeyDer<'_>>(folder, "key.pem", "one private key")?;
    // The library takes the process's default, which something else may have set already, to the same.
    let _set_already = aws_lc_rs::default_provider().install_default();
    Docker::connect_with_ssl(host, &key, &certificate, &authority, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        .map_err(|error| {
            ActuatorError::Setting(format!(
                "the certificates in `{}` cannot be used: {}",
                folder.display(),
                crate::error_causes::with_causes(&error)
            ))
            .with_hint(
                "Docker's own programs read them too, does `docker ps` work with the same DOCKER_CERT_PATH",
            )
        })
}

/// The path of a file in this folder that holds at least one item of this kind.
fn pem<Item: PemObject>(folder: &Path, name: &str, expected: &str) -> Result<PathBuf, ActuatorError> {
    let path = folder.join(name);
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let problem = match read.map(|text| Item::from_pem_slice(&text).map(drop)) {
        Ok(Ok(())) => return Ok(path),
        Ok(Err(error)) => format!("holds none: {error}"),
        Err(error) => format!("cannot be read: {error}"),
    };
    let problem = ActuatorError::Setting(format!(
        "DOCKER_TLS_VERIFY asks for TLS, and `{}` {problem}, expected {expected} in PEM",
        path.display()
    ));
    Err(problem.with_hint("DOCKER_CERT_PATH names the folder of ca.pem, cert.pem and key.pem"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::server::WebPkiClientVerifier;
    use tokio_rustls::rustls::{RootCertStore, ServerConfig};

    use super::super::DockerEngine;
    use super::*;
    use crate::docker_host::DockerHost;

    /// Made with openssl for these tests alone; valid for 100 years.
    fn certificates() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/actuators/docker/engine/test_certificates")
    }

    /// An engine that answers whoever proves to be a client of its authority; its port.
    async fn engine() -> u16 {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificate = |name: &str| CertificateDer::from_pem_file(certificates().join(name)).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca.pem")).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let key = PrivateKeyDer::from_pem_file(certificates().join("server-key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(vec![certificate("server.pem")], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _asked = stream.read(&mut [0; 4096]).await;
                let body = r#"{"ApiVersion": "1.41", "MinAPIVersion": "1.12"}"#;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _answered = stream.write_all(answer.as_bytes()).await;
                let _closed = stream.shutdown().await;
            }
        });
        port
    }

    async fn connected(scheme: &str, port: u16, folder: PathBuf) -> Result<(), String> {
        let host = DockerHost { url: format!("{scheme}://127.0.0.1:{port}"), certificates: Some(folder) };
        DockerEngine::connect(&host).await.map(drop).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn an_engine_behind_tls_is_reached_with_the_certificates() {
        let port = engine().await;
        for scheme in ["tcp", "https"] {
            assert_eq!(connected(scheme, port, certificates()).await, Ok(()), "{scheme}");
        }
    }

    #[tokio::test]
    async fn a_server_without_tls_or_of_another_authority_is_not_the_engine() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plain = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _answered = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
            }
        });
        assert!(connected("tcp", plain, certificates()).await.is_err());
        // The server's own certificate in the authority's place did not sign it.
        let folder = tempfile::tempdir().unwrap();
        for (from, to) in [("cert.pem", "ca.pem"), ("cert.pem", "cert.pem"), ("key.pem", "key.pem")] {
            std::fs::copy(certificates().join(from), folder.path().join(to)).unwrap();
        }
        let problem = connected("tcp", engine().await, folder.path().to_owned()).await.unwrap_err();
        assert!(problem.contains("certificate"), "{problem}");
    }

    #[tokio::test]
    async fn a_file_that_is_missing_or_no_certificate_is_named() {
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            for content in [None, Some("not a certificate\n")] {
                let folder = tempfile::tempdir().unwrap();
                for other in ["ca.pem", "cert.pem", "key.pem"] {
                    std::fs::copy(certificates().join(other), folder.path().join(other)).unwrap();
                }
                match content {
                    None => std::fs::remove_file(folder.path().join(name)).unwrap(),
                    Some(text) => std::fs::write(folder.path().join(name), text).unwrap(),
                }
                let problem = connected("tcp", 1, folder.path().to_owned()).await.unwrap_err();
                assert!(problem.contains(name) && problem.contains("DOCKER_CERT_PATH"), "{problem}");
            }
        }
    }
}
