//! Plays the scenario files: prose, then steps, then `----`, then the decisions that must come out.
//!
//! `UPDATE_EXPECT=1 cargo test -p scaler-engine --test scenarios` rewrites the expected part of every file.
//! The steps are explained in `scenarios/README.md`.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be read fails its test")]

use std::fmt::Write as _;
use std::time::Duration;

use scaler_engine::{
    Action, AnyPolicy, Engine, EngineState, Limits, Observation, Reading, Signal, Standstill,
    ThresholdPolicy, ThresholdSettings,
};

mod scenario_files;

#[test]
fn every_scenario_file_decides_as_written() {
    scenario_files::play_folder("scenarios", play_case);
}

fn play_case(steps: &[&str]) -> String {
    let mut stage = Stage::new();
    let mut out = String::new();
    for step in steps {
        stage
            .play(step, &mut out)
            .unwrap_or_else(|| panic!("the step `{step}` is not understood, see scenarios/README.md"));
    }
    out
}

/// An engine and the replicas it believes to command.
struct Stage {
    policy: ThresholdSettings,
    engine: Engine,
    replicas: u32,
    now: Duration,
}

impl Stage {
    fn new() -> Self {
        let policy = ThresholdSettings::default();
        let engine = engine_of(&policy);
        Self { policy, engine, replicas: 1, now: Duration::ZERO }
    }

    fn play(&mut self, step: &str, out: &mut String) -> Option<()> {
        let step: Vec<&str> = step.split_whitespace().collect();
        match step.as_slice() {
            ["policy", settings @ ..] => {
                for setting in settings {
                    self.set(setting)?;
                }
                self.engine = engine_of(&self.policy);
            }
            ["replicas", count] => self.replicas = count.parse().ok()?,
            ["limits", min, "to", max] => {
                let limits = Limits::new(min.parse().ok()?, max.parse().ok()?).ok()?;
                self.engine.set_limits(limits).ok()?;
            }
            ["pause"] => self.engine.pause(),
            ["resume"] => self.engine.resume(),
            ["restart"] => {
                let saved = serde_json::to_string(&self.engine.state()).ok()?;
                self.engine = engine_of(&self.policy);
                self.engine.restore(serde_json::from_str::<EngineState>(&saved).ok()?).ok()?;
            }
            ["restart", "without", "state"] => {
                self.engine = engine_of(&self.policy);
                self.engine.start_cooldown(self.now);
            }
            ["by", "hand", count] => {
                let seen = Observation::of_replicas(self.now, self.replicas);
                match self.engine.by_hand(&seen, count.parse().ok()?) {
                    Ok(decision) => self.carry_out(&decision, true, out),
                    Err(error) => writeln!(out, "refused: {error}").ok()?,
                }
            }
            ["at", time, rest @ ..] => {
                self.now = span(time)?;
                let (reading, works) = match rest {
                    [reading @ .., "action", "fails"] => (reading, false),
                    reading => (reading, true),
                };
                let seen = self.observe(reading)?;
                let decision = self.engine.decide(&seen);
                self.carry_out(&decision, works, out);
            }
            _ => return None,
        }
        Some(())
    }

    fn observe(&self, words: &[&str]) -> Option<Observation> {
        let mut seen =
            Observation { window: self.policy.window, ..Observation::of_replicas(self.now, self.replicas) };
        let (rotation_unknown_for, words) = match words {
            ["rotation", "unknown", "for", age, words @ ..] => (Some(span(age)?), words),
            words => (None, words),
        };
        seen.rotation_unknown_for = rotation_unknown_for;
        match words {
            ["no", "data"] => {}
            ["nothing", "ready"] => {
                seen.ready = 0;
                seen.replicas.iter_mut().for_each(|replica| replica.ready = false);
                seen.service.insert(self.policy.signal, Reading::fresh(0.0));
            }
            ["standstill", "of", replicas, "for", at_least, rest @ ..] => {
                let replicas: u32 = replicas.parse().ok()?;
                let (jobs, refused_per_second) = (f64::from(replicas * 104), 40.0);
                let at_least = span(at_least)?;
                seen.standstill = Some(Standstill { replicas, jobs, refused_per_second, at_least });
                match rest {
                    [] => {}
                    ["others", value] => {
                        seen.report_from_all(self.policy.signal, value.parse().ok()?);
                        let standing = seen.replicas.iter_mut().take(usize::try_from(replicas).ok()?);
                        standing.for_each(|replica| replica.signals.clear());
                    }
                    _ => return None,
                }
            }
            [signal, value, rest @ ..] => {
                let signal: Signal = signal.parse().ok()?;
                seen.report_from_all(signal, value.parse().ok()?);
                match rest {
                    [] => {}
                    ["aged", age] => seen.service.get_mut(&signal)?.age = span(age)?,
                    ["reported", "by", count] => {
                        let silent = seen.replicas.iter_mut().skip(count.parse().ok()?);
                        silent.for_each(|replica| replica.signals.clear());
                    }
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(seen)
    }

    fn carry_out(&mut self, decision: &scaler_engine::Decision, works: bool, out: &mut String) {
        let text = decision.to_string();
        let text = text.strip_prefix("Scaling decision: ").unwrap();
        let code = decision.reason.code();
        write!(out, "{}s {text} [{code}", decision.at.as_secs_f64()).unwrap();
        if let Some(limit) = decision.limited_by {
            write!(out, ", limited by {}", limit.name()).unwrap();
        }
        writeln!(out, "]").unwrap();
        if works && (decision.action != Action::Hold || decision.reason.code() == "by_hand") {
            self.engine.record_scaled(decision.at, decision.from, decision.to, decision.reason.cause());
            self.replicas = decision.to;
        }
    }

    fn set(&mut self, setting: &str) -> Option<()> {
        let (name, value) = setting.split_once('=')?;
        let policy = &mut self.policy;
        match name {
            "signal" => policy.signal = value.parse().ok()?,
            "window" => policy.window = span(value)?,
            "up" => policy.scale_up_threshold = value.parse().ok()?,
            "down" => policy.scale_down_threshold = value.parse().ok()?,
            "up_checks" => policy.scale_up_checks = value.parse().ok()?,
            "down_checks" => policy.scale_down_checks = value.parse().ok()?,
            "min" => policy.min_replicas = value.parse().ok()?,
            "max" => policy.max_replicas = value.parse().ok()?,
            "up_cooldown" => policy.scale_up_cooldown = span(value)?,
            "down_cooldown" => policy.scale_down_cooldown = span(value)?,
            _ => return None,
        }
        Some(())
    }
}

fn engine_of(settings: &ThresholdSettings) -> Engine {
    Engine::new(AnyPolicy::Threshold(
        ThresholdPolicy::new(settings.clone()).expect("a scenario's policy is valid"),
    ))
}

fn span(text: &str) -> Option<Duration> {
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs_f64)
}
