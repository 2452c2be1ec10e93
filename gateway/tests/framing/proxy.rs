//! The gateway and nginx, each with an endpoint of its own, and what becomes of a row behind each.

use gateway::{EndpointUrl, Gateway, GatewayConfig};
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep};

use crate::endpoint::{Endpoint, Seen};
use crate::exchange::{Address, Answer, Pieces, exchange};
use crate::nginx::Nginx;
use crate::row::Row;

/// The request that follows each row on its connection.
pub(crate) const NEXT: &str = "GET /next HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n";

/// The request of another client.
const OTHER: &str = "GET /other HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n";

/// What came of a row.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the row's own connection was answered.
    pub(crate) answers: Vec<Answer>,
    /// What the endpoint saw of it.
    pub(crate) seen: Vec<Seen>,
    /// What became of another client's request behind it, where that is not what that client meant.
    pub(crate) poisoned: Option<String>,
}

impl Outcome {
    /// Whether each request that the endpoint saw was answered on the row's own connection, in order.
    pub(crate) fn is_answered_in_order(&self) -> bool {
        let served = self.answers.iter().filter(|answer| answer.status == 200).map(|answer| &answer.body);
        served.eq(self.seen.iter().map(Seen::echo).collect::<Vec<_>>().iter())
    }

    pub(crate) fn essences(&self) -> Vec<(String, String, String)> {
        self.seen.iter().map(Seen::essence).collect()
    }
}

/// A proxy and its endpoint.
pub(crate) struct Proxy {
    name: &'static str,
    address: Address,
    endpoint: Endpoint,
    _running: Running,
}

enum Running {
    Gateway(JoinHandle<()>),
    Nginx { _process: Nginx },
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Self::Gateway(serving) = self {
            serving.abort();
        }
    }
}

impl Proxy {
    pub(crate) async fn gateway() -> Self {
        let endpoint = Endpoint::start().await;
        let any_port = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let config = GatewayConfig {
            listen: any_port,
            admin: any_port,
            endpoints: vec![EndpointUrl::from(endpoint.address)],
            seed: Some(7),
            ..GatewayConfig::default()
        };
        let gateway = Gateway::bind(config).unwrap();
        let address = Address::Tcp(gateway.service_address());
        let serving = tokio::spawn(async move { gateway.serve(std::future::pending()).await.unwrap() });
        let proxy = Self { name: "gateway", address, endpoint, _running: Running::Gateway(serving) };
        proxy.until_ready().await;
        proxy
    }

    /// nginx, where it is installed.
    pub(crate) async fn nginx() -> Option<Self> {
        let endpoint = Endpoint::start().await;
        let process = Nginx::start(endpoint.address)?;
        let address = Address::Unix(process.socket.clone());
        let proxy = Self { name: "nginx", address, endpoint, _running: Running::Nginx { _process: process } };
        proxy.until_ready().await;
        Some(proxy)
    }

    async fn until_ready(&self) {
        for _ in 0..1000 {
            let there = match &self.address {
                Address::Unix(path) => path.exists(),
                Address::Tcp(_) => true,
            };
            if there
                && exchange(&self.address, OTHER.as_bytes(), Pieces::One, false)
                    .await
                    .iter()
                    .any(|answer| answer.status == 200)
            {
                self.endpoint.take_seen();
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{} does not pass a request on", self.name);
    }

    /// Plays a row with this method, and then what another client sends.
    pub(crate) async fn play(&self, row: &Row, method: &str, pieces: Pieces) -> Outcome {
        let mut bytes = row.bytes(method);
        bytes.extend_from_slice(NEXT.as_bytes());
        let answers = exchange(&self.address, &bytes, pieces, row.stalls).await;
        let seen = self.endpoint.take_seen();
        let mut poisoned = None;
        // Twice, because the first may take another of the kept connections.
        for _ in 0..2 {
            let answers = exchange(&self.address, OTHER.as_bytes(), Pieces::One, false).await;
            let seen = self.endpoint.take_seen();
            let is_untouched = match &seen[..] {
                [other] => {
                    other.essence() == ("GET".into(), "/other".into(), String::new())
                        && answers == [Answer { status: 200, body: other.echo() }]
                }
                _ => false,
            };
            if !is_untouched {
                poisoned.get_or_insert(format!("it is answered {answers:?}, and the endpoint sees {seen:?}"));
            }
        }
        Outcome { answers, seen, poisoned }
    }
}
