//! Serves the connections of clients, and ends them in order when the gateway stops.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::config::GatewayConfig;
use crate::proxy::{Client, Identity};
use crate::watched_stream::WatchedStream;

/// Tells connections that the gateway stops.
#[derive(Debug, Default)]
pub(crate) struct StopSignal {
    begun: AtomicBool,
    token: CancellationToken,
}

impl StopSignal {
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        self.token.cancel();
    }

    pub(crate) async fn begun(&self) {
        self.token.cancelled().await;
    }
}

/// How connections of clients are read.
#[derive(Debug)]
pub(crate) struct ClientReading {
    builder: http1::Builder,
    head_bytes_max: usize,
}

impl ClientReading {
    pub(crate) fn new(config: &GatewayConfig) -> Self {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_read_timeout)
            .max_header_size(config.header_bytes_max)
            // A head that never ends is given up as soon as it cannot be allowed any more.
            .max_buf_size(config.header_bytes_max);
        Self { builder, head_bytes_max: config.header_bytes_max }
    }
}

/// Serves one connection until it ends.
pub(crate) async fn serve(reading: &ClientReading, stream: TcpStream, client: Client, stop: &StopSignal) {
    let stream = WatchedStream::new(stream, reading.head_bytes_max, Arc::clone(&client.head_flaws));
    let client = Arc::new(client);
    let served = Cell::new(0);
    // A stream of its own, seeded once: an identity costs a request no lock.
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(client.random_seed()));
    let service = service_fn(move |request: Request<Incoming>| {
        let identity = Identity::draw(&mut *rng.borrow_mut());
        // hyper calls this once for each head that it read to its end.
        let number = served.get();
        served.set(number + 1);
        Arc::clone(&client).serve(identity, number, request)
    });
    let mut connection =
        pin!(reading.builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let mut stopping = pin!(stop.begun());
    let mut registered = false;
    let mut told = false;
    let served = poll_fn(|context| {
        // Polling the signal takes a lock that all connections share. Once its waker is registered, the flag says
        // whether it is worth it; a task's waker does not change.
        if !told && (!registered || stop.begun.load(Ordering::Acquire)) {
            registered = true;
            if stopping.as_mut().poll(context) == Poll::Ready(()) {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
        connection.as_mut().poll(context)
    });
    if let Err(error) = served.await {
        debug!(%error, "a client's connection ended early");
    }
}
