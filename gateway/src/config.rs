//! Says how a gateway is set up, with the defaults of the lab.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use gateway_balancer::BalancerSettings;

use crate::target::{DnsTarget, EndpointUrl};

/// A rate with a burst, as `governor` enforces it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Requests per second in the long run; above 0.
    pub rate_per_second: f64,
    /// Requests that may come at once; at least 1.
    pub burst: u32,
}

/// Everything a gateway can be told. `GatewayConfig::default()` is what `lab gateway` does without flags.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where requests are taken. Default 127.0.0.1:8000; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where the gateway itself is asked and told. Default 127.0.0.1:8001; port 0 lets the system choose.
    pub admin: SocketAddr,
    /// Names besides localhost under which the admin side takes changes. Default none.
    pub allowed_hosts: Vec<String>,
    /// Endpoints known from the start. Default none.
    pub endpoints: Vec<EndpointUrl>,
    /// A name whose addresses are the endpoints, looked up each second. Default none.
    pub discover: Option<DnsTarget>,
    /// Longest time from sending a request to the head of its response, per try. Default 5 s.
    pub try_timeout: Duration,
    /// Longest time to establish a connection to an endpoint. Default 1 s.
    pub connect_timeout: Duration,
    /// Longest wait of a request for an endpoint to come into rotation; answered with 503 beyond. With a service that is
    /// scaled to zero, at least the time that its first replica takes. Default 1 s.
    pub endpoint_wait: Duration,
    /// Most requests that wait for an endpoint at a time; further ones are answered with 503 at once. 0: none waits.
    /// Default 100, as many as wait in a replica's queue: all are sent when the first replica is ready.
    pub waiting_max: usize,
    /// Longest time a probe of `/ready` may take. Default 1 s.
    pub probe_timeout: Duration,
    /// Longest time a client may take to send the head of a request, idle time between requests included.
    /// Default 60 s.
    pub header_read_timeout: Duration,
    /// Largest head of a request in bytes, answered with 431 beyond; at least 8192. Default 64 KiB.
    pub header_bytes_max: usize,
    /// Longest pause of a client within the body of a request, answered with 408 beyond; the same for all methods.
    /// Default 30 s.
    pub body_pause_max: Duration,
    /// Largest body of a request in bytes, answered with 413 beyond. Default 10 MiB.
    pub body_bytes_max: u64,
    /// Most client connections at a time; further ones wait to be accepted. Default 10,000.
    pub connections_max: usize,
    /// Most idle connections kept to each endpoint. Default 256.
    pub idle_connections_per_endpoint: usize,
    /// Limit for the service as a whole. Default none.
    pub service_limit: Option<RateLimit>,
    /// Limit for each client, by its address. Default none.
    pub client_limit: Option<RateLimit>,
    /// Clients whose rate is followed one by one; those that do not fit share one bucket. Default 10,000.
    pub throttled_clients_max: usize,
    /// Longest time requests in flight are given when the gateway stops. Default 10 s.
    pub stop_grace: Duration,
    /// The numbers in the rules of balancing, probing, ejection and retries. Default the lab's.
    pub balancer: BalancerSettings,
    /// Seed of the balancing, so that a run can be repeated. Default none: each process picks differently.
    pub seed: Option<u64>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, 8001)),
            allowed_hosts: Vec::new(),
            endpoints: Vec::new(),
            discover: None,
            try_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(1),
            endpoint_wait: Duration::from_secs(1),
            waiting_max: 100,
            probe_timeout: Duration::from_secs(1),
            header_read_timeout: Duration::from_mins(1),
            header_bytes_max: 64 * 1024,
            body_pause_max: Duration::from_secs(30),
            body_bytes_max: 10 * 1024 * 1024,
            connections_max: 10_000,
            idle_connections_per_endpoint: 256,
            service_limit: None,
            client_limit: None,
            throttled_clients_max: 10_000,
            stop_grace: Duration::from_secs(10),
            balancer: BalancerSettings::DEFAULT,
            seed: None,
        }
    }
}
