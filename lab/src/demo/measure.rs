//! Measures the story with the scaler's own eyes: the same source, over a shorter window, and counts of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use http_client::{ClientError, HttpClient};
use observability::names;
use scaler::sources::{Clock, ScrapeSettings, ScrapeSource, Source, exposition};
use scaler_engine::Signal;

use super::verdict::Totals;

const TIMEOUT: Duration = Duration::from_millis(800);

/// The families that totals are made of.
const COUNTED: [&str; 3] =
    [names::WEBAPP_TOTAL_REQUESTS, names::WEBAPP_REFUSED_TOTAL, names::WEBAPP_ERRORS_TOTAL];

/// What one look brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) load_factor: f64,
    pub(crate) offered_rps: f64,
    pub(crate) p95_seconds: Option<f64>,
}

/// Looks at all replicas once a second.
#[derive(Debug)]
pub(crate) struct Meter {
    source: ScrapeSource,
    client: HttpClient,
    /// What each replica counted when it was last seen, those that have gone included.
    counted: BTreeMap<String, Totals>,
}

impl Meter {
    /// A meter of the service whose gateway has this admin side; p95 is taken over `window`.
    pub(crate) fn new(gateway_admin: &str, window: Duration) -> Self {
        let settings = ScrapeSettings {
            gateway_admin: gateway_admin.to_owned(),
            window,
            interval: Duration::from_secs(1),
        };
        Self {
            source: ScrapeSource::new(settings, Clock::start()),
            client: HttpClient::new(),
            counted: BTreeMap::new(),
        }
    }

    pub(crate) async fn look(&mut self) -> Measured {
        let sample = self.source.sample().await;
        for endpoint in &sample.endpoints {
            // A replica that does not answer keeps what it had counted before.
            if let Ok(totals) = self.count(&endpoint.url).await {
                self.counted.insert(endpoint.url.clone(), totals);
            }
        }
        let value = |signal| sample.service.get(&signal).and_then(|reading| reading.value);
        Measured {
            load_factor: sample.load_factor.unwrap_or_default(),
            offered_rps: value(Signal::RequestsPerSecond).unwrap_or_default(),
            p95_seconds: value(Signal::ResponseTimeP95Seconds),
        }
    }

    /// The sum over all replicas that were ever seen.
    pub(crate) fn totals(&self) -> Totals {
        self.counted.values().fold(Totals::default(), |sum, replica| Totals {
            requests: sum.requests + replica.requests,
            refused: sum.refused + replica.refused,
            errors: sum.errors + replica.errors,
        })
    }

    async fn count(&self, url: &str) -> Result<Totals, ClientError> {
        let query: Vec<String> = COUNTED.iter().map(|family| format!("name%5B%5D={family}")).collect();
        let url = format!("{url}/metrics?{}", query.join("&"));
        let reply = self.client.scrape(&url, TIMEOUT).await?.ok()?;
        Ok(totals_of(&String::from_utf8_lossy(&reply.body)))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a story are whole, not negative, and far below 2^53"
)]
fn totals_of(text: &str) -> Totals {
    let mut totals = Totals::default();
    let read = exposition::read(text, |sample| {
        let count = sample.value as u64;
        match sample.name {
            names::WEBAPP_TOTAL_REQUESTS => totals.requests += count,
            names::WEBAPP_REFUSED_TOTAL => totals.refused += count,
            names::WEBAPP_ERRORS_TOTAL => totals.errors += count,
            _ => {}
        }
    });
    if let Err(error) = read {
        tracing::warn!(%error, "a replica's counts were not understood");
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::{Totals, totals_of};

    #[test]
    fn counts_are_summed_over_their_labels() {
        let text = "webapp_total_requests 10.0\nwebapp_refused_total{origin=\"user\"} 2\n\
                    webapp_refused_total{origin=\"synthetic\"} 3\nwebapp_errors_total{origin=\"user\"} 1\n# EOF\n";
        assert_eq!(totals_of(text), Totals { requests: 10, refused: 5, errors: 1 });
    }
}
