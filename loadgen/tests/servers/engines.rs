//! The three engines, each asked for the same: requests of one method, and what came of them in the same words.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use loadgen::{Levels, Load, LoadConfig, LoadResult, OpenModel, Scenario, Target, WeightedRequest, run};
use workload::Arrivals;

/// How often a second requests are due, or users send about.
const RATE_RPS: f64 = 40.0;

/// What sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `lab load --users`.
    Users,
    /// `lab load --rate`.
    Rate,
    /// `lab baseline --request`.
    OpenModel,
}

/// What came of the requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcomes {
    /// How often which outcome was told: `ok`, `refused`, or the kind of a failure.
    pub(crate) counts: BTreeMap<String, u64>,
    /// Requests that were sent a second time.
    pub(crate) repeated: u64,
}

/// What to send, and how long.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) url: &'a str,
    pub(crate) method: Method,
    pub(crate) timeout: Duration,
    pub(crate) run_time: Duration,
}

impl Asked<'_> {
    pub(crate) async fn of(&self, engine: Engine) -> Outcomes {
        match engine {
            Engine::Users => of_result(&self.load(Load::Users(Levels::steady(2.0))).await),
            Engine::Rate => {
                let levels = Levels::steady(RATE_RPS);
                let load = Load::Rate { levels, arrivals: Arrivals::Constant, max_users: 20 };
                of_result(&self.load(load).await)
            }
            Engine::OpenModel => self.open_model().await,
        }
    }

    /// Runs `lab load`.
    pub(crate) async fn load(&self, load: Load) -> LoadResult {
        let config = self.config(load);
        run(&config, pending(), |_| {}).await.expect("the load runs")
    }

    pub(crate) fn config(&self, load: Load) -> LoadConfig {
        LoadConfig {
            host: self.url.to_owned(),
            load,
            scenario: scenario(&self.method),
            run_time: Some(self.run_time),
            ramp_up: Duration::ZERO,
            timeout: self.timeout,
            must_answer: false,
            ..LoadConfig::default()
        }
    }

    async fn open_model(&self) -> Outcomes {
        let request = WeightedRequest {
            weight: 1,
            method: self.method.clone(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: (self.method == Method::POST).then(|| "{}".into()),
        };
        let target = Target {
            base_url: self.url.to_owned(),
            requests: vec![request],
            connections: 4,
            timeout: self.timeout,
        };
        let mut engine = OpenModel::connect(target).await.expect("the server accepts connections");
        let plan = loadgen::LevelPlan {
            rate_rps: RATE_RPS,
            warm_up: Duration::ZERO,
            hold: self.run_time,
            arrivals: Arrivals::Constant,
            seed: 1,
        };
        let level = engine.run_level(&plan, pending(), |_| {}).await.expect("it is measured");
        let mut outcomes = Outcomes { repeated: level.repeated, ..Outcomes::default() };
        outcomes.add("ok", level.succeeded);
        outcomes.add("refused", level.refused);
        for (kind, count) in &level.failures {
            outcomes.add(&kind.to_string(), *count);
        }
        outcomes
    }
}

impl Outcomes {
    fn add(&mut self, outcome: &str, count: u64) {
        if count > 0 {
            *self.counts.entry(outcome.to_owned()).or_default() += count;
        }
    }

    /// The share of requests that succeeded.
    pub(crate) fn ok_share(&self) -> f64 {
        let all: u64 = self.counts.values().sum();
        self.counts.get("ok").copied().unwrap_or(0) as f64 / all.max(1) as f64
    }
}

fn of_result(result: &LoadResult) -> Outcomes {
    let mut outcomes = Outcomes { repeated: result.repeated, ..Outcomes::default() };
    outcomes.add("ok", result.requests - result.failures - result.refusals);
    outcomes.add("refused", result.refusals);
    for (error, count) in result.errors.iter().filter(|(error, _)| *error != "unanswered at the end") {
        outcomes.add(error, *count);
    }
    outcomes
}

/// A scenario of one request by this method, with hardly a pause.
fn scenario(method: &Method) -> Scenario {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("scenario.yaml");
    let body = if *method == Method::POST { ", json: {}" } else { "" };
    let text = format!(
        "apiVersion: autoscale-lab/v1\nkind: Scenario\nmetadata: {{name: servers}}\nspec:\n  users:\n    - name: user\n      \
         wait: {{constant: 20ms}}\n      tasks: [{{name: ask, steps: [{{method: {method}, path: /{body}}}]}}]\n"
    );
    std::fs::write(&path, text).expect("a file");
    Scenario::load(&path.display().to_string(), &[]).expect("a scenario")
}
