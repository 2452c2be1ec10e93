//! Runs a whole scaler against a gateway, replicas and a supervisor that live in the test's own process.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path as UrlPath, State};
use axum::http::{Method, StatusCode};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http_client::HttpClient;
use scaler::policy_file::{NamedPolicy, PolicyOverrides};
use scaler::{ActuatorKind, Scaler, ScalerConfig, ScalerError, ServiceConfig};
use scaler_engine::EngineState;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Gateway, replicas and supervisor in one: every replica is ready at once and answers with the same mean.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    replicas: Vec<(u32, String)>,
    born: u32,
    mean_seconds: f64,
    requests: f64,
    seconds: f64,
}

impl World {
    async fn bear(&self) -> u32 {
        let world = self.clone();
        let metrics = async move || {
            let mut inside = world.0.lock().unwrap();
            inside.requests += 10.0;
            inside.seconds += 10.0 * inside.mean_seconds;
            format!(
                "webapp_request_duration_seconds_sum {}\nwebapp_request_duration_seconds_count {}\n\
                 webapp_load_factor 2\nprocess_start_time_seconds 1000\n# EOF\n",
                inside.seconds, inside.requests
            )
        };
        let address = serve_on_tcp(Router::new().route("/metrics", get(metrics))).await;
        let mut inside = self.0.lock().unwrap();
        inside.born += 1;
        let id = inside.born;
        inside.replicas.push((id, format!("http://{address}")));
        id
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().replicas.len()
    }

    #[expect(clippy::unused_async, reason = "a handler is async")]
    async fn endpoints(State(world): State<Self>) -> Json<Value> {
        let replicas = world.0.lock().unwrap().replicas.clone();
        replicas
            .iter()
            .map(|(id, url)| json!({"url": url, "state": "ready", "in_flight": 1, "pid": id}))
            .collect::<Vec<_>>()
            .into_json()
    }

    #[expect(clippy::unused_async, reason = "a handler is async")]
    async fn list(State(world): State<Self>) -> Json<Value> {
        let replicas = world.0.lock().unwrap().replicas.clone();
        replicas
            .iter()
            .map(|(id, url)| {
                json!({"id": format!("webapp-{id}"), "url": url, "pid": id, "state": "running", "started_at_epoch_seconds": id})
            })
            .collect::<Vec<_>>()
            .into_json()
    }

    async fn start(State(world): State<Self>) -> (StatusCode, Json<Value>) {
        let id = world.bear().await;
        (StatusCode::CREATED, Json(json!({"id": format!("webapp-{id}")})))
    }

    #[expect(clippy::unused_async, reason = "a handler is async")]
    async fn stop(State(world): State<Self>, UrlPath(id): UrlPath<String>) -> StatusCode {
        world.0.lock().unwrap().replicas.retain(|(known, _)| format!("webapp-{known}") != id);
        StatusCode::ACCEPTED
    }

    async fn open(&self, folder: &Path) -> (String, PathBuf) {
        let gateway = Router::new().route("/endpoints", get(Self::endpoints)).with_state(self.clone());
        let gateway = serve_on_tcp(gateway).await;
        let socket = folder.join("supervisor.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let supervisor = Router::new()
            .route("/replicas", get(Self::list).post(Self::start))
            .route("/replicas/{id}", delete(Self::stop))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, supervisor).await });
        (format!("http://{gateway}"), socket)
    }
}

trait IntoJson {
    fn into_json(self) -> Json<Value>;
}

impl IntoJson for Vec<Value> {
    fn into_json(self) -> Json<Value> {
        Json(Value::Array(self))
    }
}

async fn serve_on_tcp(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn quick_policy() -> NamedPolicy {
    let overrides = PolicyOverrides {
        check_interval: Some(Duration::from_millis(200)),
        window: Some(Duration::from_secs(1)),
        scale_up_cooldown: Some(Duration::from_millis(200)),
        scale_down_cooldown: Some(Duration::from_millis(200)),
        max_replicas: Some(3),
        ..PolicyOverrides::default()
    };
    NamedPolicy::load("moderate", &overrides).unwrap()
}

fn service() -> ServiceConfig {
    ServiceConfig { scrape_interval: Duration::from_millis(100), ..ServiceConfig::new(quick_policy()) }
}

/// A scaler of these services on a port that the system chooses.
fn config_of(services: Vec<ServiceConfig>) -> ScalerConfig {
    ScalerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..ScalerConfig::new(services) }
}

async fn refusal_of(services: Vec<ServiceConfig>) -> ScalerError {
    Scaler::bind(config_of(services)).await.unwrap_err()
}

struct Running {
    url: String,
    client: HttpClient,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ScalerError>>,
}

impl Running {
    async fn start(service: ServiceConfig) -> Self {
        Self::start_all(vec![service]).await
    }

    async fn start_all(services: Vec<ServiceConfig>) -> Self {
        let scaler = Scaler::bind(config_of(services)).await.unwrap();
        let url = format!("http://{}", scaler.local_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(scaler.serve(async move { drop(stopped.await) }));
        Self { url, client: HttpClient::new(), stop, serving }
    }

    async fn status(&self) -> Value {
        let url = format!("{}/api/status", self.url);
        self.client.get(&url, TIMEOUT).await.unwrap().json().unwrap()
    }

    /// Points and decisions of the last 15 minutes.
    async fn history(&self) -> Value {
        let url = format!("{}/api/history", self.url);
        self.client.get(&url, TIMEOUT).await.unwrap().json().unwrap()
    }

    /// Asks again and again, bounded, until the status is as wanted.
    async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut status = Value::Null;
        for _ in 0..400 {
            status = self.status().await;
            if wanted(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{what} did not come within 10 s: {status:#}");
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(TIMEOUT, self.serving).await.expect("it did not stop in time").unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_loop_is_closed_from_metrics_to_processes_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::default();
    world.bear().await;
    world.0.lock().unwrap().mean_seconds = 0.9;
    let (gateway_admin, supervisor) = world.open(folder.path()).await;
    let state_file = folder.path().join("state.json");
    let config = ServiceConfig {
        gateway_admin,
        actuator: ActuatorKind::Processes { supervisor },
        state_file: Some(state_file.clone()),
        ..service()
    };

    let running = Running::start(config.clone()).await;
    let status =
        running.until("the maximum", |status| status["last_decision"]["reason"] == "at_maximum").await;
    assert_eq!(status["replicas"], json!({"current": 3, "ready": 3, "desired": 3, "min": 1, "max": 3}));
    assert_eq!((world.count(), &status["load_factor"]), (3, &json!(2.0)));
    let mean = status["signals"]["response_time_mean_seconds"]["value"].as_f64().unwrap();
    assert!((mean - 0.9).abs() < 1e-6, "{mean}");

    // A replica dies.
    world.0.lock().unwrap().replicas.remove(0);
    running.until("the replacement", |_| world.count() == 3).await;
    let past = running.history().await;
    running.end().await;
    let saved: EngineState = serde_json::from_slice(&std::fs::read(&state_file).unwrap()).unwrap();
    assert_eq!(saved.desired, Some(3));

    // Without the scaler replicas stay; one dies, and the next scaler knows how many there should be.
    world.0.lock().unwrap().replicas.remove(0);
    let running = Running::start(config).await;
    // Whoever opens the page now sees what was before.
    let shown = running.history().await;
    assert_eq!(shown["points"][0], past["points"][0]);
    let oldest = |history: &Value| history["decisions"].as_array().unwrap().last().cloned();
    assert!(oldest(&past).is_some(), "{past:#}");
    assert_eq!(oldest(&shown), oldest(&past));
    running.until("the count from before", |_| world.count() == 3).await;

    // The load is gone.
    world.0.lock().unwrap().mean_seconds = 0.0;
    running.until("the minimum", |status| status["last_decision"]["reason"] == "at_minimum").await;
    assert_eq!(world.count(), 1);
    running.end().await;
}

#[tokio::test]
async fn limits_and_policy_are_known_before_the_first_look() {
    // A gateway that takes connections and never answers: there is no look for as long as its timeout.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway_admin = format!("http://{}", silent.local_addr().unwrap());
    let running = Running::start(ServiceConfig { gateway_admin, ..service() }).await;
    let status = running.status().await;
    assert_eq!((&status["replicas"]["min"], &status["replicas"]["max"]), (&json!(1), &json!(3)));
    assert_eq!(status["policy"]["name"], "moderate");
    running.end().await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_flag() {
    let taken = Running::start(service()).await;
    let listen: SocketAddr = taken.url.trim_start_matches("http://").parse().unwrap();
    let error = Scaler::bind(ScalerConfig { listen, ..config_of(vec![service()]) }).await.unwrap_err();
    assert!(error.to_string().contains(&format!("port {} is in use", listen.port())), "{error}");
    assert!(error.hint().contains("--listen"), "{}", error.hint());
    taken.end().await;
}

#[tokio::test]
async fn a_scrape_interval_beyond_the_window_is_refused() {
    for interval in [Duration::from_millis(1), Duration::from_secs(2)] {
        let error = refusal_of(vec![ServiceConfig { scrape_interval: interval, ..service() }]).await;
        assert!(matches!(error, ScalerError::ScrapeInterval { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_the_start() {
    for url in ["localhost:8001", "https://localhost:8001", "", "http://"] {
        let error = refusal_of(vec![ServiceConfig { gateway_admin: url.to_owned(), ..service() }]).await;
        assert!(error.to_string().starts_with(&format!("`{url}`")), "{error}");
    }
}

#[tokio::test]
async fn an_unreadable_state_is_moved_aside_and_a_cooldown_assumed() {
    let folder = tempfile::tempdir().unwrap();
    let state_file = folder.path().join("state.json");
    std::fs::write(&state_file, "{\"version\": ").unwrap();
    let config = ServiceConfig { state_file: Some(state_file.clone()), ..service() };
    let running = Running::start(config).await;
    running.end().await;
    assert_eq!(std::fs::read_to_string(folder.path().join("state.json.corrupt")).unwrap(), "{\"version\": ");
    let saved: EngineState = serde_json::from_slice(&std::fs::read(&state_file).unwrap()).unwrap();
    assert!(saved.cooldown_since.is_some(), "{saved:?}");
}

#[tokio::test]
async fn a_state_that_cannot_be_saved_is_learned_at_the_start() {
    let config = ServiceConfig { state_file: Some("/nowhere/state.json".into()), ..service() };
    let error = refusal_of(vec![config]).await;
    assert!(error.to_string().contains("/nowhere/state.json") && error.hint().contains("--state"), "{error}");
}

#[tokio::test]
async fn without_gateway_and_supervisor_it_lives_and_says_what_is_missing() {
    let config = ServiceConfig {
        gateway_admin: "http://127.0.0.1:1".to_owned(),
        actuator: ActuatorKind::Processes { supervisor: "/nowhere/supervisor.sock".into() },
        ..service()
    };
    let running = Running::start(config).await;
    let status = running
        .until("the problems", |status| status["problems"].as_array().is_some_and(|all| all.len() == 2))
        .await;
    assert_eq!(status["last_decision"], Value::Null, "nothing is decided about a count nobody knows");
    let ready = running.client.get(&format!("{}/ready", running.url), TIMEOUT).await.unwrap();
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let pause = running
        .client
        .send(Method::POST, &format!("{}/api/pause", running.url), None, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(pause.status, StatusCode::OK);
    running.end().await;
}

#[tokio::test]
async fn several_services_have_a_loop_each_and_their_own_paths_states_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (mut services, mut worlds) = (Vec::new(), Vec::new());
    for (name, mean_seconds) in [("webapp", 0.9), ("database", 0.4)] {
        let world = World::default();
        world.bear().await;
        world.0.lock().unwrap().mean_seconds = mean_seconds;
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let (gateway_admin, supervisor) = world.open(&place).await;
        let state_file = Some(place.join("state.json"));
        let actuator = ActuatorKind::Processes { supervisor };
        services.push(ServiceConfig {
            name: name.to_owned(),
            gateway_admin,
            actuator,
            state_file,
            ..service()
        });
        worlds.push(world);
    }
    let running = Running::start_all(services).await;
    running.until("webapp's maximum", |status| status["last_decision"]["reason"] == "at_maximum").await;
    assert_eq!((worlds[0].count(), worlds[1].count()), (3, 1), "each follows its own signals");

    let get =
        async |path: &str| running.client.get(&format!("{}{path}", running.url), TIMEOUT).await.unwrap();
    let status: Value = get("/api/services/database/status").await.json().unwrap();
    assert_eq!((&status["service"], &status["replicas"]["current"]), (&json!("database"), &json!(1)));
    assert_eq!(running.status().await["service"], "webapp", "the first is meant where none is named");
    let list: Value = get("/api/services").await.json().unwrap();
    assert_eq!((&list[0]["name"], &list[1]["path"]), (&json!("webapp"), &json!("/api/services/database")));
    let unknown = get("/api/services/cache/status").await;
    assert!(
        unknown.status == StatusCode::NOT_FOUND && unknown.body.starts_with(b"{\"error\":"),
        "{unknown:?}"
    );

    let paused = format!("{}/api/services/database/pause", running.url);
    let paused = running.client.send(Method::POST, &paused, None, TIMEOUT).await.unwrap();
    assert_eq!(paused.status, StatusCode::OK);
    assert_eq!(running.status().await["paused"], false, "the other goes on");

    let metrics = String::from_utf8(get("/metrics").await.body.to_vec()).unwrap();
    for line in
        ["scaler_current_replicas{service=\"webapp\"} 3", "scaler_current_replicas{service=\"database\"} 1"]
    {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing:\n{metrics}");
    }
    assert_eq!(metrics.matches("# TYPE scaler_current_replicas ").count(), 1);
    running.end().await;
    let saved = |name: &str| -> EngineState {
        serde_json::from_slice(&std::fs::read(folder.path().join(name).join("state.json")).unwrap()).unwrap()
    };
    assert_eq!((saved("webapp").desired, saved("database").paused), (Some(3), true));
}

#[tokio::test]
async fn services_that_cannot_be_told_apart_are_refused() {
    let named = |name: &str| ServiceConfig { name: name.to_owned(), ..service() };
    for (services, problem) in [
        (vec![], "there is no service"),
        (vec![named("webapp"), named("webapp")], "two services are called `webapp`"),
        (vec![named("web/app")], "`web/app` is no name"),
        (vec![named("")], "`` is no name"),
    ] {
        let error = refusal_of(services).await;
        assert!(error.to_string().contains(problem) && error.hint().contains("a name of its own"), "{error}");
    }
}
