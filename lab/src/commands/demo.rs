//! `lab demo`: the story of a spike, played unattended.

use std::time::Duration;

use clap::Args;
use http_client::{HttpClient, Reply};
use scaler::policy_file::PolicyOverrides;
use scaler_engine::{AnyPolicy, Policy as _};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::up::LoopArguments;
use crate::arguments::log::LogArguments;
use crate::demo::draw;
use crate::demo::measure::Meter;
use crate::demo::story::Story;
use crate::demo::verdict::{Point, Verdict};
use crate::event_stream::{self, ServerSentEvent};
use crate::failure::{ExitStatus, Failure};
use crate::output::{note, say};
use crate::runtime;
use crate::stop_signal::StopSignals;
use crate::supervisor::{Notice, Supervisor, usable_here};

/// Play the story of a spike, draw it, and judge it.
///
/// Starts the same loop as `lab up`, rests, sends five times the load for two minutes, waits until the replicas are
/// back at the minimum, and ends with a table. Exit status 0 only if p95 was back inside the SLO (250 ms) before the
/// spike began to end, and the replicas returned to the minimum.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lab demo --fast                      # all of it within a minute\n  \
                        lab demo --policy conservative       # would this policy have held?")]
pub(crate) struct DemoArguments {
    /// Make the policy's and the spike's times five times shorter, so that all fits into a minute
    #[arg(long)]
    fast: bool,
    /// Print the result as JSON, and the story to standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    loop_arguments: LoopArguments,
    #[command(flatten)]
    log: LogArguments,
}

/// What the demo needs to know of `/api/status`.
#[derive(Debug, Deserialize)]
struct Status {
    replicas: ReplicaCounts,
    last_decision: Option<LastDecision>,
}

#[derive(Debug, Deserialize)]
struct ReplicaCounts {
    current: u32,
    ready: Option<u32>,
    desired: u32,
}

#[derive(Debug, Deserialize)]
struct LastDecision {
    at: String,
}

const TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: DemoArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    runtime::run(&log, async move {
        let loop_arguments = &arguments.loop_arguments;
        let overrides = loop_arguments.policy.overrides()?;
        let story = plan(loop_arguments, overrides, arguments.fast)?;
        let mut config = loop_arguments.supervisor_config(&arguments.log, &story.overrides)?;
        // A scaler that looks each second would see a story five times as fast a fifth of a story late.
        config
            .policy_flags
            .extend(["--scrape-interval".to_owned(), format!("{}ms", story.scrape_interval.as_millis())]);
        let mut signals = StopSignals::catch()?;
        let (notices, happenings) = mpsc::unbounded_channel();
        let starting = Supervisor::start(config, notices);
        let supervisor = tokio::select! {
            started = starting => started?,
            () = signals.next() => return Err(interrupted()),
        };
        let screen = Screen { json: arguments.json };
        screen.show(&format!(
            "The story of a spike, with policy `{}`: the load grows to {}x for {} s and goes back within {} s.\n\
             Watch it at {} as well.\n\n{}",
            loop_arguments.policy.name(),
            story.factor,
            story.hold.as_secs(),
            story.ramp.as_secs(),
            supervisor.addresses().page,
            draw::heading(),
        ));
        let player = Player::new(&supervisor, &story, happenings, screen);
        let outcome = tokio::select! {
            verdict = player.play() => verdict,
            () = signals.next() => Err(interrupted()),
        };
        supervisor.stop().await;
        let verdict = outcome?;
        screen.conclude(&verdict);
        Ok(if verdict.held() { ExitStatus::Held } else { ExitStatus::NotHeld })
    })
}

fn plan(arguments: &LoopArguments, overrides: PolicyOverrides, fast: bool) -> Result<Story, Failure> {
    let loaded = arguments.policy.load(&overrides)?.policy;
    let AnyPolicy::Threshold(threshold) = loaded else {
        return Err(Failure::bad_input(format!(
            "the policy is a {}, but the story of `lab demo` is told with a ThresholdPolicy",
            loaded.kind()
        )));
    };
    Ok(Story::new(&threshold, overrides, fast))
}

fn interrupted() -> Failure {
    Failure::could_not_run("the story was interrupted, so there is no verdict")
}

struct Player<'a> {
    supervisor: &'a Supervisor,
    story: &'a Story,
    client: HttpClient,
    meter: Meter,
    began: Instant,
    points: Vec<Point>,
    screen: Screen,
    happenings: mpsc::UnboundedReceiver<Notice>,
    decided: mpsc::UnboundedReceiver<ServerSentEvent>,
}

impl<'a> Player<'a> {
    fn new(
        supervisor: &'a Supervisor,
        story: &'a Story,
        happenings: mpsc::UnboundedReceiver<Notice>,
        screen: Screen,
    ) -> Self {
        let (events, decided) = mpsc::unbounded_channel();
        tokio::spawn(event_stream::follow(format!("{}/api/events", supervisor.addresses().page), events));
        Self {
            supervisor,
            story,
            client: HttpClient::new(),
            meter: Meter::new(&supervisor.addresses().admin, story.p95_window),
            began: Instant::now(),
            points: Vec::new(),
            screen,
            happenings,
            decided,
        }
    }

    async fn play(mut self) -> Result<Verdict, Failure> {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.began.elapsed() < self.story.rest {
            seconds.tick().await;
            self.look().await?;
        }
        self.wait_for_check().await?;
        sleep(self.story.after_check).await;
        let spike_at = self.start_spike().await?;
        let spike_end = spike_at + self.story.hold + self.story.ramp;
        loop {
            seconds.tick().await;
            let point = self.look().await?;
            let home = point.current == self.story.minimum && point.desired == self.story.minimum;
            if point.at > spike_end && (home || point.at > spike_end + self.story.patience) {
                break;
            }
        }
        Ok(Verdict::new(self.story, spike_at, &self.points, self.meter.totals()))
    }

    /// Looks once at everything, draws the second, and tells what happened in it.
    async fn look(&mut self) -> Result<Point, Failure> {
        let measured = self.meter.look().await;
        let replicas = self.status().await?.replicas;
        let point = Point {
            at: self.began.elapsed(),
            load_factor: measured.load_factor,
            offered_rps: measured.offered_rps,
            p95_seconds: measured.p95_seconds,
            // The gateway is silent for a moment: drawn as ready is what was last known to be.
            ready: replicas.ready.or_else(|| self.points.last().map(|last| last.ready)).unwrap_or_default(),
            current: replicas.current,
            desired: replicas.desired,
        };
        self.points.push(point);
        self.screen.show(&draw::line(&point));
        while let Ok(Notice(text)) = self.happenings.try_recv() {
            self.screen.show(&format!("        ! {text}"));
        }
        while let Ok(event) = self.decided.try_recv() {
            if let Some(action) = describe_action(&event) {
                self.screen.show(&action);
            }
        }
        Ok(point)
    }

    /// Returns right after the scaler's next check, so that the story does not depend on when it was started.
    async fn wait_for_check(&self) -> Result<(), Failure> {
        let last = |status: Status| status.last_decision.map(|decision| decision.at);
        let before = last(self.status().await?);
        while last(self.status().await?) == before {
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn start_spike(&self) -> Result<Duration, Failure> {
        let Story { factor, hold, ramp, .. } = self.story;
        let url = format!(
            "{}/load/spike?factor={factor}&hold={}ms&ramp={}ms",
            self.supervisor.addresses().gateway,
            hold.as_millis(),
            ramp.as_millis()
        );
        self.client.get(&url, TIMEOUT).await.and_then(Reply::ok).map_err(Failure::could_not_run)?;
        self.screen.show(&format!("        > the spike begins: {}", usable_here(&url)));
        Ok(self.began.elapsed())
    }

    /// What the scaler says; tried for some seconds, because a scaler that died is back within one.
    async fn status(&self) -> Result<Status, Failure> {
        let url = format!("{}/api/status", self.supervisor.addresses().page);
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let answer = self.client.get(&url, TIMEOUT).await.and_then(|reply| reply.ok()?.json());
            match answer {
                Ok(status) => return Ok(status),
                Err(error) if Instant::now() > until => return Err(Failure::could_not_run(error)),
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// A decision in words; none for one that changes nothing, because these would fill the picture.
fn describe_action(event: &ServerSentEvent) -> Option<String> {
    let decision: serde_json::Value = serde_json::from_str(&event.data).ok()?;
    if event.name != "decision" || decision["from"] == decision["to"] {
        return None;
    }
    Some(format!(
        "        > {} {} -> {}: {}",
        decision["action"].as_str()?,
        decision["from"],
        decision["to"],
        decision["reason_text"].as_str()?
    ))
}

/// Where the story is drawn: on standard output, unless that is to hold nothing but the result as JSON.
#[derive(Clone, Copy, Debug)]
struct Screen {
    json: bool,
}

impl Screen {
    fn show(self, text: &str) {
        if self.json {
            note(&text);
        } else {
            say(text);
        }
    }

    fn conclude(self, verdict: &Verdict) {
        if self.json {
            say(&format!("{:#}", verdict.to_json()));
        } else {
            say(&format!("\n{verdict}"));
        }
    }
}
