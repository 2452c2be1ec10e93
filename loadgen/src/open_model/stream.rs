//! Opens the byte stream that a connection runs over, plain or encrypted, and says in what way that failed.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::failure_kind::FailureKind;
use crate::open_model::target::Endpoint;

/// In what way something failed, and what the system said.
pub(crate) type Failure = (FailureKind, String);

/// Opens streams to one endpoint, whose name is looked up once.
pub(crate) struct Connector {
    addresses: Vec<SocketAddr>,
    /// Where the endpoint is encrypted.
    encryption: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// Looks up the endpoint's name, and reads the system's certificates where it is encrypted.
    pub(crate) async fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        let not_found = |reason: String| (FailureKind::NameNotFound, reason);
        let addresses: Vec<_> = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port))
            .await
            .map_err(|error| not_found(error.to_string()))?
            .collect();
        if addresses.is_empty() {
            return Err(not_found("the name has no address".to_owned()));
        }
        let encryption = endpoint.encrypted.then(|| encryption(&endpoint.host)).transpose()?;
        Ok(Self { addresses, encryption })
    }

    /// Connects to the first address that takes it.
    pub(crate) async fn connect(&self) -> Result<Stream, Failure> {
        let stream =
            TcpStream::connect(self.addresses.as_slice()).await.map_err(|error| no_connection(&error))?;
        stream.set_nodelay(true).map_err(|error| no_connection(&error))?;
        let Some((connector, name)) = &self.encryption else { return Ok(Stream::Plain(stream)) };
        let encrypted = connector.connect(name.clone(), stream).await;
        encrypted.map(|stream| Stream::Encrypted(Box::new(stream))).map_err(no_encryption)
    }
}

fn encryption(host: &str) -> Result<(TlsConnector, ServerName<'static>), Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(no_encryption)?;
    // Named, because the library refuses to choose where a build holds more than one.
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(no_encryption)?
        .with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(config)), name))
}

fn no_encryption(error: impl std::fmt::Display) -> Failure {
    (FailureKind::Tls, format!("{error}"))
}

fn no_connection(error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::ConnectionRefused,
        io::ErrorKind::TimedOut => FailureKind::TimedOut,
        _ => FailureKind::NoConnection,
    };
    (kind, error.to_string())
}

/// Bytes to and from the service.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
