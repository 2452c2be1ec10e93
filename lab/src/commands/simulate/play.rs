//! Plays every policy with every seed, several runs at the same time.
//!
//! A run depends on nothing that another one does, and each result has a place of its own, so the number of threads and
//! the order in which runs end change nothing.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use scaler_engine::AnyPolicy;
use simulator::{
    Capacity, Demand, Experiment, Measures, Observer, PolicyRuns, Scaling, SeededMeasures, TimelinePoint,
    simulate,
};

use crate::output::note;

/// Time between two lines of progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Progress is counted in so many parts of a run.
const PARTS: u32 = 1000;

/// A policy that takes part.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    /// Its name in the result, unlike any other's.
    pub(super) name: String,
    /// Its own name.
    pub(super) base_name: String,
    pub(super) kind: String,
    pub(super) scaling: Scaling<AnyPolicy>,
}

/// All policies that take part, in their order.
#[derive(Clone, Debug)]
pub(super) struct Contenders(pub(super) Vec<Contender>);

impl Contenders {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each with its runs.
    pub(super) fn with_runs(&self, runs: Vec<Vec<SeededMeasures>>) -> Vec<PolicyRuns> {
        let pairs = self.0.iter().zip(runs);
        pairs
            .map(|(contender, runs)| PolicyRuns {
                name: contender.name.clone(),
                kind: contender.kind.clone(),
                runs,
            })
            .collect()
    }
}

/// What was played.
#[derive(Debug)]
pub(super) struct Played {
    /// The runs of the oracle's plan; none where the objective cannot be kept.
    pub(super) oracle: Option<Vec<SeededMeasures>>,
    /// The runs of each policy, those that were played to their end.
    pub(super) policies: Vec<Vec<SeededMeasures>>,
    /// The time line of each policy with the first seed.
    pub(super) timelines: Vec<(String, Vec<TimelinePoint>)>,
}

/// The end of one run.
struct Ended {
    measures: Measures,
    timeline: Option<Vec<TimelinePoint>>,
}

/// How far each run is, and whether any may go on.
struct Progress<'a> {
    parts: Vec<AtomicU32>,
    stop: &'a AtomicBool,
}

struct OneRun<'a> {
    progress: &'a Progress<'a>,
    place: usize,
    duration: Duration,
}

impl Observer for OneRun<'_> {
    fn may_go_on(&mut self, at: Duration) -> bool {
        let share = at.as_secs_f64() / self.duration.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a thousand parts"
        )]
        let parts = (share.clamp(0.0, 1.0) * f64::from(PARTS)) as u32;
        self.progress.parts[self.place].store(parts, Ordering::Relaxed);
        !self.progress.stop.load(Ordering::Relaxed)
    }
}

/// Plays all runs until they have ended, or `stop` is set.
pub(super) fn all(
    experiment: &Experiment,
    contenders: &Contenders,
    threads: NonZero<usize>,
    stop: &AtomicBool,
) -> Played {
    let model = &experiment.model;
    let demand = Capacity::measure(model).map(|capacity| Demand::of(model, &capacity));
    let plan = demand.as_ref().map(|demand| Scaling::Plan(demand.cheapest_plan(model)));
    let scalings: Vec<&Scaling<AnyPolicy>> =
        contenders.0.iter().map(|contender| &contender.scaling).chain(&plan).collect();
    let seeds = &experiment.seeds;
    let runs = scalings.len() * seeds.len();
    let progress = Progress { parts: (0..runs).map(|_| AtomicU32::new(0)).collect(), stop };
    let (next, ended) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    ended.lock().resize_with(runs, || None);
    let play_run = |place: usize| {
        let (scaling, seed) = (scalings[place / seeds.len()], seeds[place % seeds.len()]);
        let mut observer = OneRun { progress: &progress, place, duration: model.duration };
        let run = simulate(model, scaling.clone(), seed, &mut observer)?;
        let workers = model.service.workers.get();
        let measures = Measures::of(&run, workers, experiment.prices, demand.as_ref());
        let timeline = place.is_multiple_of(seeds.len()).then_some(run.timeline);
        progress.parts[place].store(PARTS, Ordering::Relaxed);
        Some(Ended { measures, timeline })
    };
    let working = AtomicUsize::new(threads.get().min(runs));
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(runs) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= runs || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let outcome = play_run(place);
                    ended.lock()[place] = outcome;
                }
                working.fetch_sub(1, Ordering::Release);
            });
        }
        tell_progress(&progress, &working);
    });
    collect(contenders, seeds, ended.into_inner(), plan.is_some())
}

/// Tells how far all runs together are, until no thread works any more.
fn tell_progress(progress: &Progress<'_>, working: &AtomicUsize) {
    const LOOK_EVERY: Duration = Duration::from_millis(10);
    let began_at = Instant::now();
    let mut told_at = began_at;
    while working.load(Ordering::Acquire) > 0 {
        std::thread::park_timeout(LOOK_EVERY);
        if told_at.elapsed() < PROGRESS_EVERY {
            continue;
        }
        told_at = Instant::now();
        let parts: u32 = progress.parts.iter().map(|parts| parts.load(Ordering::Relaxed)).sum();
        let share = f64::from(parts) / (f64::from(PARTS) * progress.parts.len() as f64);
        let done = progress.parts.iter().filter(|parts| parts.load(Ordering::Relaxed) == PARTS).count();
        let left_seconds = began_at.elapsed().as_secs_f64() * (1.0 - share) / share.max(1e-6);
        note(&format!(
            "{done} of {} runs, {:.0} %, about {left_seconds:.0} s left",
            progress.parts.len(),
            share * 100.0
        ));
    }
}

fn collect(contenders: &Contenders, seeds: &[u64], ended: Vec<Option<Ended>>, has_oracle: bool) -> Played {
    let mut timelines = Vec::new();
    let mut policies: Vec<Vec<SeededMeasures>> = Vec::new();
    let mut ended = ended.into_iter();
    for place in 0..contenders.len() + usize::from(has_oracle) {
        let name = contenders.0.get(place).map_or("oracle", |contender| contender.name.as_str());
        let mut runs = Vec::new();
        for (seed, ended) in seeds.iter().zip(ended.by_ref()) {
            let Some(Ended { measures, timeline }) = ended else { continue };
            runs.push(SeededMeasures { seed: *seed, measures });
            timelines.extend(timeline.map(|timeline| (name.to_owned(), timeline)));
        }
        policies.push(runs);
    }
    let oracle = if has_oracle { policies.pop() } else { None };
    Played { oracle, policies, timelines }
}
