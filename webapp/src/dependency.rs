//! Calls the service that each job needs, through a pool of connections of fixed size.
//!
//! The pool is a second bottleneck: when it is used up, jobs wait for a connection while they hold a worker, and
//! more replicas bring more connections but no faster dependency.

mod connections;

use std::num::NonZero;
use std::time::Duration;

use http_client::{ClientError, HttpClient};
use observability::traces::{self, Span, SpanKind, names};

use crate::clock::RunClock;
use crate::metrics::DependencyMetrics;
use connections::{Connection, Connections};

/// Longest a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the dependency did not do its part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DependencyError {
    /// No answer, or none in time.
    #[error("the dependency did not answer: {0}")]
    NoAnswer(#[source] ClientError),
    /// An answer that is no success.
    #[error("the dependency refused: {0}")]
    Refused(#[source] ClientError),
}

/// The pool and what it leads to.
#[derive(Debug)]
pub(crate) struct Dependency {
    url: String,
    client: HttpClient,
    connections: Connections,
    clock: RunClock,
    metrics: DependencyMetrics,
}

impl Dependency {
    pub(crate) fn new(
        base_url: &str,
        pool_size: NonZero<u32>,
        clock: RunClock,
        metrics: DependencyMetrics,
    ) -> Self {
        Self {
            url: format!("{}/", base_url.trim_end_matches('/')),
            client: HttpClient::with_idle_connections(pool_size.get() as usize),
            connections: Connections::new(pool_size, clock),
            clock,
            metrics,
        }
    }

    /// Waits for a connection and makes one call, inside this span.
    pub(crate) async fn call(&self, span: Option<&Span>) -> Result<(), DependencyError> {
        match span {
            Some(span) => Box::pin(span.scope(self.call_once(Some(span)))).await,
            None => self.call_once(None).await,
        }
    }

    async fn call_once(&self, span: Option<&Span>) -> Result<(), DependencyError> {
        let connection = self.connection().await;
        let sent_at = self.clock.now();
        self.metrics.waited(sent_at.saturating_sub(connection.asked_at()), span);
        let answer = self.client.get(&self.url, CALL_TIMEOUT).await;
        drop(connection);
        let result = match answer.map(http_client::Reply::ok) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refusal)) => Err(DependencyError::Refused(refusal)),
            Err(failure) => Err(DependencyError::NoAnswer(failure)),
        };
        self.metrics.called(self.clock.since(sent_at), result.is_ok(), span);
        result
    }

    /// A connection of the pool. Waiting for one has a span of its own, because it tells which bottleneck it is.
    async fn connection(&self) -> Connection {
        let wait = match self.connections.ask() {
            Ok(connection) => return connection,
            Err(wait) => wait,
        };
        let describe = || traces::span(names::CONNECTION_WAIT, SpanKind::Internal);
        let span = Span::current().and_then(|work| work.child_with(describe));
        let connection = wait.await;
        if let Some(span) = span {
            span.end();
        }
        connection
    }

    pub(crate) fn pool_size(&self) -> u32 {
        self.connections.size()
    }

    pub(crate) fn connections_busy(&self) -> u32 {
        self.connections.in_use()
    }
}
