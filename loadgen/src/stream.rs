//! Opens the byte stream that a connection runs over, plain or encrypted, and says in what way that failed.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use loadgen_baseline::FailureKind;
use rustix::io::Errno;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::service_url::ServiceUrl;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoConnection {
    pub(crate) kind: FailureKind,
    /// What the system said.
    pub(crate) reason: String,
    /// Whether this process had no descriptor or port left: the generator's limit, not the service's.
    pub(crate) exhausted: bool,
}

/// Opens streams to one service.
pub(crate) struct Dialer {
    host: String,
    port: u16,
    /// Where the service is encrypted.
    encryption: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Dialer")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    /// Reads the system's certificates where the service is encrypted; the network is not touched.
    pub(crate) fn new(service: &ServiceUrl) -> Result<Self, NoConnection> {
        let encryption = service.encrypted.then(|| encryption(&service.host)).transpose()?;
        Ok(Self { host: service.host.clone(), port: service.port, encryption })
    }

    /// Looks up the host's name.
    pub(crate) async fn lookup(&self) -> Result<Vec<SocketAddr>, NoConnection> {
        let not_found =
            |reason: String| NoConnection { kind: FailureKind::NameNotFound, reason, exhausted: false };
        let addresses: Vec<_> = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| not_found(error.to_string()))?
            .collect();
        if addresses.is_empty() {
            return Err(not_found("the name has no address".to_owned()));
        }
        Ok(addresses)
    }

    /// Connects to the first address that takes it.
    pub(crate) async fn connect(&self, addresses: &[SocketAddr]) -> Result<Stream, NoConnection> {
        let stream = TcpStream::connect(addresses).await.map_err(|error| no_connection(&error))?;
        stream.set_nodelay(true).map_err(|error| no_connection(&error))?;
        let Some((connector, name)) = &self.encryption else { return Ok(Stream::Plain(stream)) };
        let encrypted = connector.connect(name.clone(), stream).await;
        encrypted.map(|stream| Stream::Encrypted(Box::new(stream))).map_err(no_encryption)
    }
}

fn encryption(host: &str) -> Result<(TlsConnector, ServerName<'static>), NoConnection> {
    let name = ServerName::try_from(host.to_owned()).map_err(no_encryption)?;
    // Named, because the library refuses to choose where a build holds more than one.
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(no_encryption)?
        .with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(config)), name))
}

fn no_encryption(error: impl std::fmt::Display) -> NoConnection {
    NoConnection { kind: FailureKind::Tls, reason: format!("{error}"), exhausted: false }
}

fn no_connection(error: &io::Error) -> NoConnection {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::ConnectionRefused,
        io::ErrorKind::TimedOut => FailureKind::TimedOut,
        _ => FailureKind::NoConnection,
    };
    NoConnection { kind, reason: error.to_string(), exhausted: is_exhaustion(error) }
}

/// Whether this process or machine had nothing left to connect with.
fn is_exhaustion(error: &io::Error) -> bool {
    let errors = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS];
    error.raw_os_error().is_some_and(|code| errors.iter().any(|errno| errno.raw_os_error() == code))
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
