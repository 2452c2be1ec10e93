//! Plays the scenario files of the autoscalers that other systems have: `scenarios/followed/*.txt`.
//!
//! `UPDATE_EXPECT=1 cargo test -p scaler-engine --test followed_scenarios` rewrites the expected part of every file.
//! The steps are explained in `scenarios/followed/README.md`.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be read fails its test")]

mod scenario_files;
mod scenario_policies;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use scaler_engine::hpa::RESOURCE_WINDOW;
use scaler_engine::{
    Action, Answer, AnyPolicy, Decision, Engine, EngineState, Limits, Metric, Need, Observation, Phase,
    Policy as _, Reading, ResourceRequests, Scope, Signal,
};
use scenario_policies::{policy_of, span};

/// Monday, 30 November 2026, 00:00 in Berlin: where the times of a scenario begin.
const MIDNIGHT: Duration = Duration::from_secs(1_795_993_200);

/// What a replica asks for in a scenario.
const REQUESTS: ResourceRequests =
    ResourceRequests { cpu_cores: Some(1.0), memory_bytes: Some(67_108_864.0) };

#[test]
fn every_followed_policy_decides_as_written() {
    scenario_files::play_folder("scenarios/followed", play_case);
}

fn play_case(steps: &[&str]) -> String {
    let mut stage = Stage { policy: Vec::new(), engine: None, replicas: 1, last: String::new() };
    let mut out = String::new();
    for step in steps {
        stage.play(step, &mut out).unwrap_or_else(|| {
            panic!("the step `{step}` is not understood, see scenarios/followed/README.md")
        });
    }
    out
}

struct Stage {
    policy: Vec<String>,
    engine: Option<Engine>,
    replicas: u32,
    /// The bracket of the last decision that was written.
    last: String,
}

impl Stage {
    fn play(&mut self, step: &str, out: &mut String) -> Option<()> {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words.as_slice() {
            ["hpa" | "keda" | "knative", ..] => {
                self.policy = words.iter().map(|&word| word.to_owned()).collect();
                self.engine = Some(Engine::new(self.policy()?));
            }
            ["replicas", count] => self.replicas = count.parse().ok()?,
            ["limits", min, "to", max] => {
                let limits = Limits::new(min.parse().ok()?, max.parse().ok()?).ok()?;
                self.engine.as_mut()?.set_limits(limits).ok()?;
            }
            ["pause"] => self.engine.as_mut()?.pause(),
            ["resume"] => self.engine.as_mut()?.resume(),
            ["restart"] => {
                let saved = serde_json::to_string(&self.engine.as_ref()?.state()).ok()?;
                let mut engine = Engine::new(self.policy()?);
                engine.restore(serde_json::from_str::<EngineState>(&saved).ok()?).ok()?;
                assert_eq!(Some(&engine), self.engine.as_ref(), "a saved state gives the same future");
                self.engine = Some(engine);
            }
            ["at", time, seen @ ..] => self.check(span(time)?, seen, true, out)?,
            ["every", interval, "from", from, "to", to, seen @ ..] => {
                let (interval, mut now, to) = (span(interval)?, span(from)?, span(to)?);
                while now <= to {
                    self.check(now, seen, false, out)?;
                    now += interval;
                }
            }
            ["conditions"] => {
                for shown in self.engine.as_ref()?.policy().conditions() {
                    writeln!(out, "{} {:?} {}: {}", shown.name, shown.status, shown.reason, shown.message)
                        .ok()?;
                }
            }
            ["events"] => {
                for event in self.engine.as_ref()?.policy().events() {
                    let severity = if event.is_warning { "Warning" } else { "Normal" };
                    writeln!(out, "{severity} {} x{}: {}", event.reason, event.count, event.message).ok()?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn policy(&self) -> Option<AnyPolicy> {
        let words: Vec<&str> = self.policy.iter().map(String::as_str).collect();
        policy_of(&words)
    }

    /// A check; of several in a row only those are written that act or have another reason than the one before.
    fn check(&mut self, now: Duration, seen: &[&str], is_written: bool, out: &mut String) -> Option<()> {
        let (seen, works) = match seen {
            [seen @ .., "action", "fails"] => (seen, false),
            seen => (seen, true),
        };
        let observation = self.observe(MIDNIGHT + now, seen)?;
        let decision = self.engine.as_mut()?.decide(&observation);
        let kind = bracket(&decision);
        let is_new = kind != self.last && decision.reason.code() != "keda_not_due";
        if is_written || is_new || decision.action != Action::Hold {
            let text = decision.to_string();
            let text = text.strip_prefix("Scaling decision: ").unwrap();
            writeln!(out, "{}s {text} {kind}", now.as_secs_f64()).ok()?;
            self.last = kind;
        }
        if works && decision.action != Action::Hold {
            let cause = decision.reason.cause();
            self.engine.as_mut()?.record_scaled(decision.at, decision.from, decision.to, cause);
            self.replicas = decision.to;
        }
        Some(())
    }

    fn observe(&self, now: Duration, words: &[&str]) -> Option<Observation> {
        let needs = self.engine.as_ref()?.policy().needs();
        let mut seen =
            Observation { window: RESOURCE_WINDOW, ..Observation::of_replicas(now, self.replicas) };
        for replica in &mut seen.replicas {
            replica.requests = REQUESTS;
            replica.started_at = Some(MIDNIGHT.saturating_sub(Duration::from_secs(3_600)));
            replica.readiness_changed_at = replica.started_at;
        }
        for pair in words.chunks(2) {
            match *pair {
                ["no", "data"] => {}
                ["cpu", cores] => seen.report_from_all(cpu(&needs)?, cores.parse().ok()?),
                ["memory", share] => {
                    let share: f64 = share.parse().ok()?;
                    seen.report_from_all(Signal::MemoryBytes, 67_108_864.0 * share);
                }
                ["in_flight", requests] => {
                    let window = needs.first()?.window;
                    seen.window = window;
                    seen.service.insert(Signal::InFlight, Reading::fresh(requests.parse().ok()?));
                }
                ["pods", value] => {
                    let value = value.parse().ok();
                    let ids = seen.replicas.iter().map(|replica| (replica.id.clone(), value)).collect();
                    let need = needs.iter().find(|need| is_named(need, Scope::EachReplica))?;
                    seen.further.push(answer(need, None, ids));
                }
                [whose @ ("external" | "object"), value] => {
                    let scope = if whose == "object" { Scope::Service } else { Scope::External };
                    let need = needs.iter().find(|need| is_named(need, scope))?;
                    let reading = Reading { value: value.parse().ok(), age: Duration::ZERO };
                    seen.further.push(answer(need, Some(reading), BTreeMap::new()));
                }
                ["unready", count] => {
                    for replica in seen.replicas.iter_mut().rev().take(count.parse().ok()?) {
                        replica.ready = false;
                        replica.started_at = Some(now.saturating_sub(Duration::from_secs(10)));
                        replica.readiness_changed_at = None;
                        seen.ready -= 1;
                    }
                }
                ["pending", count] => {
                    for replica in seen.replicas.iter_mut().rev().take(count.parse().ok()?) {
                        replica.ready = false;
                        replica.phase = Phase::Pending;
                        replica.signals.clear();
                        seen.ready -= 1;
                    }
                }
                ["desired", count] => {
                    seen.desired = count.parse().ok()?;
                    seen.platform_restores = true;
                }
                _ => return None,
            }
        }
        Some(seen)
    }
}

/// The signal that stands for the resource `cpu`.
fn cpu(needs: &[Need]) -> Option<Signal> {
    needs.iter().filter_map(|need| need.metric.signal()).find(|signal| *signal != Signal::MemoryBytes)
}

fn is_named(need: &Need, scope: Scope) -> bool {
    need.scope == scope && matches!(need.metric, Metric::Named(_))
}

fn answer(need: &Need, reading: Option<Reading>, of_replicas: BTreeMap<String, Option<f64>>) -> Answer {
    Answer { need: need.clone(), reading, of_replicas }
}

/// The code of a decision's reason, and what limited it.
fn bracket(decision: &Decision) -> String {
    let limit = decision.limited_by.map(|limit| format!(", limited by {}", limit.name()));
    format!("[{}{}]", decision.reason.code(), limit.unwrap_or_default())
}
