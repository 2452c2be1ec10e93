//! Limits the rate of the service and of each client, with `governor`'s cells.
//!
//! A client is the address of the connection's other end: what a header says of it can be made up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use crate::config::{GatewayConfig, RateLimit};
use crate::error::GatewayError;

/// Least time between two clearings of a full table, which looks at every client in it.
const CLEAR_INTERVAL: Duration = Duration::from_secs(1);

// The system's clock: governor's default one spins for a tenth of a second to calibrate itself when it is created.
type ServiceLimiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<Instant>>;
type ClientLimiter = RateLimiter<IpAddr, ClientTable, MonotonicClock, NoOpMiddleware<Instant>>;

/// Whose limit a request went beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Service,
    Client,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Client => "client",
        }
    }
}

/// A request that has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Throttled {
    pub(crate) scope: Scope,
    pub(crate) retry_after: Duration,
}

/// The limits that are in force.
#[derive(Debug)]
pub(crate) struct Throttle {
    service: Option<ServiceLimiter>,
    client: Option<ClientLimiter>,
    clients_max: usize,
    last_cleared: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(crate) fn new(config: &GatewayConfig) -> Result<Self, GatewayError> {
        let service = config.service_limit.map(|limit| quota("service", limit)).transpose()?;
        let client = config.client_limit.map(|limit| quota("client", limit)).transpose()?;
        let clients_max = config.throttled_clients_max;
        Ok(Self {
            service: service.map(|quota| RateLimiter::direct_with_clock(quota, MonotonicClock)),
            client: client
                .map(|quota| RateLimiter::new(quota, ClientTable::new(clients_max), MonotonicClock)),
            clients_max,
            last_cleared: Mutex::new(None),
        })
    }

    /// Lets one request of `client` pass, or says how long it has to wait.
    pub(crate) fn check(&self, client: IpAddr) -> Result<(), Throttled> {
        // The client's limit first: what it refuses takes nothing from the others' share of the service.
        if let Some(limiter) = &self.client {
            self.clear_full_table(limiter);
            let throttled = |retry_after| Throttled { scope: Scope::Client, retry_after };
            limiter
                .check_key(&client)
                .map_err(|not_until| throttled(not_until.wait_time_from(MonotonicClock.now())))?;
        }
        if let Some(limiter) = &self.service {
            let throttled = |retry_after| Throttled { scope: Scope::Service, retry_after };
            limiter.check().map_err(|not_until| throttled(not_until.wait_time_from(MonotonicClock.now())))?;
        }
        Ok(())
    }

    fn clear_full_table(&self, limiter: &ClientLimiter) {
        if limiter.len() < self.clients_max {
            return;
        }
        let mut last_cleared = self.last_cleared.lock().unwrap_or_else(PoisonError::into_inner);
        if last_cleared.is_none_or(|at| at.elapsed() >= CLEAR_INTERVAL) {
            *last_cleared = Some(Instant::now());
            limiter.retain_recent();
        }
    }
}

fn quota(scope: &'static str, limit: RateLimit) -> Result<Quota, GatewayError> {
    let RateLimit { rate_per_second, burst } = limit;
    let period = Duration::try_from_secs_f64(1.0 / rate_per_second).ok();
    let quota = period.filter(|_| rate_per_second > 0.0).and_then(Quota::with_period);
    match (quota, NonZeroU32::new(burst)) {
        (Some(quota), Some(burst)) => Ok(quota.allow_burst(burst)),
        _ => Err(GatewayError::BadRateLimit { scope, rate_per_second, burst }),
    }
}

/// The cells of the clients, bounded: when it is full, clients without a cell share one.
///
/// `governor`'s own tables grow with every address that ever came.
#[derive(Debug)]
struct ClientTable {
    cells: Mutex<Cells>,
    clients_max: usize,
}

#[derive(Debug, Default)]
struct Cells {
    by_client: HashMap<IpAddr, Nanos>,
    shared: Option<Nanos>,
}

impl ClientTable {
    fn new(clients_max: usize) -> Self {
        Self { cells: Mutex::default(), clients_max }
    }

    fn lock(&self) -> MutexGuard<'_, Cells> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for ClientTable {
    type Key = IpAddr;

    fn measure_and_replace<T, F, E>(&self, client: &IpAddr, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut cells = self.lock();
        let full = cells.by_client.len() >= self.clients_max;
        if full && !cells.by_client.contains_key(client) {
            let (passed, cell) = measure(cells.shared)?;
            cells.shared = Some(cell);
            return Ok(passed);
        }
        let (passed, cell) = measure(cells.by_client.get(client).copied())?;
        cells.by_client.insert(*client, cell);
        Ok(passed)
    }
}

impl ShrinkableKeyedStateStore<IpAddr> for ClientTable {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().by_client.retain(|_, cell| *cell > drop_below);
    }

    fn len(&self) -> usize {
        self.lock().by_client.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(number: u8) -> IpAddr {
        IpAddr::from(Ipv4Addr::new(10, 0, 0, number))
    }

    fn per_client(clients_max: usize) -> Throttle {
        let limit = RateLimit { rate_per_second: 0.01, burst: 2 };
        let config = GatewayConfig {
            client_limit: Some(limit),
            throttled_clients_max: clients_max,
            ..Default::default()
        };
        Throttle::new(&config).unwrap()
    }

    #[test]
    fn each_client_has_its_own_burst_and_is_told_when_to_come_back() {
        let throttle = per_client(100);
        for number in 1..=3 {
            assert_eq!(throttle.check(client(number)), Ok(()));
            assert_eq!(throttle.check(client(number)), Ok(()));
            let throttled = throttle.check(client(number)).expect_err("the burst is used up");
            assert_eq!(throttled.scope, Scope::Client);
            assert!(throttled.retry_after > Duration::from_secs(90), "{throttled:?}");
        }
    }

    #[test]
    fn clients_that_do_not_fit_share_one_bucket_and_the_table_stays_bounded() {
        let throttle = per_client(2);
        for number in 1..=2 {
            assert_eq!(throttle.check(client(number)), Ok(()));
        }
        assert_eq!(throttle.check(client(3)), Ok(()));
        assert_eq!(throttle.check(client(4)), Ok(()), "the second of the shared burst");
        assert!(throttle.check(client(5)).is_err(), "the shared burst is used up");
        assert_eq!(throttle.check(client(1)), Ok(()), "who has a cell keeps it");
        assert_eq!(throttle.client.as_ref().map(RateLimiter::len), Some(2));
    }

    #[test]
    fn the_service_limit_counts_all_clients() {
        let limit = RateLimit { rate_per_second: 0.01, burst: 2 };
        let config = GatewayConfig { service_limit: Some(limit), ..Default::default() };
        let throttle = Throttle::new(&config).unwrap();
        assert_eq!(throttle.check(client(1)), Ok(()));
        assert_eq!(throttle.check(client(2)), Ok(()));
        assert_eq!(throttle.check(client(3)).map_err(|throttled| throttled.scope), Err(Scope::Service));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        for (rate_per_second, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (f64::INFINITY, 1), (1.0, 0)] {
            let limit = RateLimit { rate_per_second, burst };
            let config = GatewayConfig { client_limit: Some(limit), ..Default::default() };
            assert!(Throttle::new(&config).is_err(), "{limit:?}");
        }
    }
}
