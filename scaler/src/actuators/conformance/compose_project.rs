//! What Compose, the gateway and the user see of replicas that were cloned on a real engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::super::Actuator;
use super::super::docker::{Compose, ComposeService, DockerEngine};
use super::super::platform::OnPlatform;
use super::PATIENCE;
use super::compose_stage::{NO_GATEWAY, endpoints_of, service_of};
use super::docker_test::{ComposeVersion, EngineSocket, TestProject, any_version, docker, has_engine};

async fn actuator_of(project: &TestProject, gateway: &str) -> OnPlatform<Compose> {
    let engine = DockerEngine::connect(&"unix:///var/run/docker.sock".into()).await.unwrap();
    let service = ComposeService::find(engine, Some(&project.name), "webapp", 8000).await.unwrap();
    OnPlatform::new(Compose::new(service, endpoints_of(gateway)).await.unwrap())
}

async fn compose_takes_replicas_for_its_own(version: ComposeVersion) {
    if !has_engine() || !version.is_installed() {
        return;
    }
    let project = TestProject::up(version, "").await;
    let actuator = actuator_of(&project, NO_GATEWAY).await;
    assert!(actuator.scale_to(3).await.succeeded());
    let before = project.ids();
    assert_eq!(before.len(), 3, "all are listed by `ps`");
    project.compose(&["up", "-d", "--scale", "webapp=3"]);
    assert_eq!(project.ids(), before, "the current count recreates nothing");

    project.compose(&["up", "-d"]);
    let listing = actuator.observe().await.unwrap();
    assert_eq!(listing.count(), Some(1), "plain `up -d` goes back to the file's count");
    let report = actuator.scale_to(3).await;
    assert!(report.succeeded() && report.before == Some(1), "{report:?}");

    let names = docker(&["ps", "--filter", &format!("name={}", project.name), "--format", "{{.Names}}"]);
    let separator = if version == ComposeVersion::V1 { '_' } else { '-' };
    let expected = format!("{}{separator}webapp{separator}2", project.name);
    assert!(names.lines().any(|name| name == expected), "{expected} is not among {names}");
    project.compose(&["down", "-t", "5"]);
    assert_eq!(project.ids(), [""; 0], "`down` takes them along");
}

#[tokio::test]
async fn compose_1_takes_replicas_for_its_own() {
    compose_takes_replicas_for_its_own(ComposeVersion::V1).await;
}

#[tokio::test]
async fn compose_2_takes_replicas_for_its_own() {
    compose_takes_replicas_for_its_own(ComposeVersion::V2).await;
}

#[tokio::test]
async fn a_clone_is_what_the_original_is() {
    let Some(version) = any_version() else { return };
    let extra = "    cpus: 0.5\n    tmpfs: [/tmp]\n    cap_drop: [ALL]\n    restart: unless-stopped\n    \
                 stop_signal: SIGTERM\n    networks: [one, two]\n";
    let project = TestProject::up(version, extra).await;
    let actuator = actuator_of(&project, NO_GATEWAY).await;
    assert!(actuator.scale_to(2).await.succeeded());
    let text = docker(
        &[&["inspect"], project.ids().iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat(),
    );
    let both: Vec<Value> = serde_json::from_str(&text).unwrap();
    let [one, other] = both.as_slice() else { panic!("two containers") };
    assert_eq!((&one["HostConfig"], &one["Image"]), (&other["HostConfig"], &other["Image"]));
    for key in one["Config"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| !["Hostname", "Labels"].contains(&key.as_str()))
    {
        assert_eq!(one["Config"][key], other["Config"][key], "{key}");
    }
    for network in ["one", "two"] {
        let name = format!("{}_{network}", project.name);
        let alias = |container: &Value| {
            let aliases = container["NetworkSettings"]["Networks"][&name]["Aliases"].clone();
            aliases.as_array().into_iter().flatten().any(|alias| alias == "webapp")
        };
        assert!(alias(one) && alias(other), "both are `webapp` in {name}");
    }
}

/// A gateway that writes down what it is told; draining takes it 300 ms.
#[derive(Clone, Debug, Default)]
struct ListeningGateway {
    heard: Arc<Mutex<Vec<String>>>,
    endpoints: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl ListeningGateway {
    async fn start() -> (String, Self) {
        let gateway = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = get(Self::list).put(Self::put).delete(Self::delete);
        let app = Router::new().route("/endpoints", routes).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (format!("http://{address}"), gateway)
    }

    #[expect(clippy::unused_async, reason = "a handler is async")]
    async fn list(State(gateway): State<Self>) -> Json<Vec<Value>> {
        Json(gateway.endpoints.lock().unwrap().values().cloned().collect())
    }

    #[expect(clippy::unused_async, reason = "a handler is async")]
    async fn put(State(gateway): State<Self>, Json(put): Json<Value>) -> Json<Value> {
        let url = put["url"].as_str().unwrap().to_owned();
        gateway.heard.lock().unwrap().push(format!("PUT {url}"));
        let endpoint = json!({ "url": url, "state": "ready", "owner": put["owner"] });
        gateway.endpoints.lock().unwrap().insert(url, endpoint);
        Json(json!({}))
    }

    async fn delete(
        State(gateway): State<Self>,
        Query(asked): Query<BTreeMap<String, String>>,
    ) -> Json<Value> {
        let (url, wait) = (&asked["url"], &asked["wait"]);
        gateway.heard.lock().unwrap().push(format!("DELETE {url} {wait}"));
        if wait == "30s" {
            sleep(Duration::from_millis(300)).await;
        }
        gateway.endpoints.lock().unwrap().remove(url);
        Json(json!({}))
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }

    /// Waits, while the scaler looks again and again.
    async fn until_heard(&self, actuator: &impl Actuator, wanted: impl Fn(&[String]) -> bool) {
        let until = async {
            while !wanted(&self.heard()) {
                drop(actuator.observe().await);
                sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(timeout(PATIENCE, until).await.is_ok(), "{:?}", self.heard());
    }
}

async fn urls(actuator: &impl Actuator) -> Vec<String> {
    let listing = actuator.observe().await.unwrap();
    listing.entries().iter().filter_map(|entry| entry.url.clone()).collect()
}

#[tokio::test]
async fn the_gateway_is_told_of_each_that_comes_or_goes() {
    let Some(version) = any_version() else { return };
    let project = TestProject::up(version, "").await;
    let (url, gateway) = ListeningGateway::start().await;
    let actuator = actuator_of(&project, &url).await;
    let first = urls(&actuator).await.pop().unwrap();
    assert!(first.starts_with("http://") && first.ends_with(":8000"), "{first}");
    gateway.until_heard(&actuator, |heard| heard.contains(&format!("PUT {first}"))).await;

    let report = actuator.scale_to(2).await;
    assert!(report.succeeded());
    let second = urls(&actuator).await.into_iter().find(|url| *url != first).unwrap();
    let heard = gateway.heard();
    assert!(heard.contains(&format!("PUT {second}")), "told at once: {heard:?}");

    gateway.forget();
    let report = actuator.scale_to(1).await;
    assert!(report.succeeded() && report.took >= Duration::from_millis(300), "drained first: {report:?}");
    assert_eq!(gateway.heard()[0], format!("DELETE {second} 30s"), "the newest leaves");
    assert_eq!(urls(&actuator).await, [first.as_str()]);

    // What somebody else removes is told as gone, what somebody else starts as there.
    gateway.forget();
    docker(&["rm", "-f", &project.ids()[0]]);
    assert_eq!(urls(&actuator).await, [""; 0]);
    gateway.until_heard(&actuator, |heard| heard.contains(&format!("DELETE {first} 0s"))).await;
    project.compose(&["up", "-d"]);
    let again = urls(&actuator).await.pop().unwrap();
    gateway.until_heard(&actuator, |heard| heard.contains(&format!("PUT {again}"))).await;
}

#[tokio::test]
async fn replicas_whose_end_failed_count_again_and_are_taken_out_the_next_time() {
    let Some(version) = any_version() else { return };
    let (project, socket) = (TestProject::up(version, "").await, EngineSocket::open());
    let (url, gateway) = ListeningGateway::start().await;
    let compose = Compose::new(service_of(&project, &socket).await, endpoints_of(&url)).await.unwrap();
    let actuator = OnPlatform::new(compose);
    assert!(actuator.scale_to(3).await.succeeded());
    gateway.forget();

    let drains = |heard: &[String]| heard.iter().filter(|told| told.ends_with(" 30s")).count();
    let cut = async {
        while drains(&gateway.heard()) < 2 {
            sleep(Duration::from_millis(5)).await;
        }
        socket.set_cut(true);
    };
    let (report, ()) = tokio::join!(actuator.scale_to(1), cut);
    assert!(!report.succeeded() && report.after.is_none(), "{report:?}");
    socket.set_cut(false);

    // None is on its way out any more: all count, and are put again.
    let counts_three = async {
        while actuator.observe().await.ok().and_then(|listing| listing.count()) != Some(3) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counts_three).await.expect("those that stay are not counted");
    let puts = |heard: &[String]| heard.iter().filter(|told| told.starts_with("PUT ")).count();
    gateway.until_heard(&actuator, |heard| puts(heard) == 2).await;
    let report = actuator.scale_to(1).await;
    assert!(report.succeeded() && report.before == Some(3), "{report:?}");
    assert_eq!(project.ids().len(), 1, "the containers themselves are gone");
}

#[tokio::test]
async fn only_leftovers_of_a_scaler_are_cleaned() {
    let Some(version) = any_version() else { return };
    let project = TestProject::up(version, "").await;
    let actuator = actuator_of(&project, NO_GATEWAY).await;
    assert!(actuator.scale_to(3).await.succeeded());
    let foreign = format!("{}-foreign", project.name);
    let of_project = format!("com.docker.compose.project={}", project.name);
    // Somebody's own container beside the service: same project, and marked as if a scaler had made it.
    let marks = ["--label", &of_project, "--label", "com.docker.compose.service=elsewhere"];
    docker(
        &[
            &["create", "--name", &foreign, "--label", "autoscale-lab.replica=true"],
            &marks[..],
            &[&project.image.tag()],
        ]
        .concat(),
    );
    // One that was made and never started, as a crash between the two leaves it.
    let never_started = format!("{}-webapp-9", project.name);
    let labels = ["service=webapp", "oneoff=False", "container-number=9"]
        .map(|label| format!("com.docker.compose.{label}"));
    let mut create = vec!["create", "--name", &never_started, "--label", &of_project];
    create.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
    docker(&[&create[..], &["--label", "autoscale-lab.replica=true", &project.image.tag()]].concat());
    // A replica that ended.
    let newest = actuator.observe().await.unwrap().entries().last().unwrap().id.clone();
    docker(&["stop", "-t", "0", &newest]);
    let report = actuator.scale_to(2).await;
    assert!(report.succeeded() && report.before == Some(2), "{report:?}");
    assert!(report.did.iter().any(|did| did.contains(&newest)), "{report:?}");
    let all = docker(&["ps", "-a", "--filter", &format!("label={of_project}"), "--format", "{{.Names}}"]);
    let is_left = |leftover: &str| all.lines().any(|name| name == leftover);
    assert!(!is_left(&newest) && !is_left(&never_started), "the leftovers are gone: {all}");
    assert!(is_left(&foreign), "another service's container is not touched: {all}");
}

#[tokio::test]
async fn a_replica_that_is_paused_exists_and_can_be_taken_out() {
    let Some(version) = any_version() else { return };
    let project = TestProject::up(version, "").await;
    let actuator = actuator_of(&project, NO_GATEWAY).await;
    assert!(actuator.scale_to(2).await.succeeded());
    let newest = actuator.observe().await.unwrap().entries().last().unwrap().id.clone();
    docker(&["pause", &newest]);
    assert_eq!(actuator.observe().await.unwrap().count(), Some(2));
    let report = actuator.scale_to(1).await;
    assert!(report.succeeded() && report.did.iter().any(|did| did.contains(&newest)), "{report:?}");
}

#[tokio::test]
async fn one_whose_start_the_engine_refuses_is_told_and_not_left_behind() {
    let Some(version) = any_version() else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let project = TestProject::up(version, &format!("    ports: [\"127.0.0.1:{port}:8000\"]\n")).await;
    let actuator = actuator_of(&project, NO_GATEWAY).await;
    let report = actuator.scale_to(2).await;
    assert_eq!((report.before, report.after), (Some(1), Some(1)), "{report:?}");
    let problem = report.problem.unwrap().to_string();
    assert!(problem.contains("already allocated"), "the engine's own words: {problem}");
    let all =
        docker(&["ps", "-aq", "--filter", &format!("label=com.docker.compose.project={}", project.name)]);
    assert_eq!(all.lines().count(), 2, "webapp and the other service: {all}");
}

#[tokio::test]
async fn one_that_ends_as_soon_as_it_is_started_is_told_with_its_status() {
    let Some(version) = any_version() else { return };
    let project = TestProject::up(version, "").await;
    let actuator = actuator_of(&project, NO_GATEWAY).await;
    project.image.set_failing(true);
    // On a slow machine the process may outlive the look that counts it; then it is the next action that tells.
    let mut report = actuator.scale_to(2).await;
    while report.succeeded() {
        report = actuator.scale_to(2).await;
    }
    let problem = report.problem.unwrap().to_string();
    assert!(problem.contains("webapp") && problem.contains("Exited (7)"), "{problem}");
}

async fn refused(project: Option<&str>, service: &str) -> String {
    let engine = DockerEngine::connect(&"unix:///var/run/docker.sock".into()).await.unwrap();
    let error = ComposeService::find(engine, project, service, 8000).await.unwrap_err();
    assert!(error.is_setting(), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn what_is_not_there_is_named_with_what_is() {
    let Some(version) = any_version() else { return };
    let project = TestProject::up(version, "").await;
    let unknown = refused(Some(&project.name), "webap").await;
    assert!(unknown.contains("`webap`") && unknown.contains("services: other, webapp; hint: "), "{unknown}");
    let unknown = refused(Some("nowhere"), "webapp").await;
    assert!(unknown.contains("`nowhere`") && unknown.contains(&project.name), "{unknown}");
    let outside = refused(None, "webapp").await;
    assert!(outside.contains("--compose-project"), "{outside}");

    let other = format!("{}-other-folder", project.name);
    let labels = [
        format!("com.docker.compose.project={}", project.name),
        "com.docker.compose.project.working_dir=/srv/other".to_owned(),
        "com.docker.compose.service=webapp".to_owned(),
        "com.docker.compose.oneoff=False".to_owned(),
    ];
    let mut create = vec!["create", "--name", &other];
    create.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
    docker(&[&create[..], &[&project.image.tag()]].concat());
    let two = refused(Some(&project.name), "webapp").await;
    assert!(two.contains("two projects are called") && two.contains("/srv/other"), "{two}");
    docker(&["rm", &other]);

    let socket = EngineSocket::open();
    let service = service_of(&project, &socket).await;
    project.compose(&["stop", "-t", "0"]);
    docker(&["rmi", "-f", docker(&["images", "-q", &project.image.tag()]).trim()]);
    let error = Compose::new(service, endpoints_of(NO_GATEWAY)).await.unwrap_err().to_string();
    assert!(error.contains("is not on the engine") && error.contains("--build webapp"), "{error}");
}
