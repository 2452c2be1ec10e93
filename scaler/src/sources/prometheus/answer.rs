//! Puts the answers of a look's queries together to what is known of each replica.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_http_query::response::InstantVector;
use scaler_signals::{Growth, Progress, Totals};

use super::coverage::Samples;
use super::queries;

/// What one look brought.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// When it came (run time).
    pub(super) at: Duration,
    /// The moment of evaluation; seconds since the Unix epoch as Prometheus tells it. 0 without any replica.
    pub(super) evaluated_at: f64,
    /// Replicas with at least one sample, by `instance`.
    pub(super) replicas: BTreeMap<String, Seen>,
    /// Time between two scrapes of the replica that is scraped most often; seconds.
    pub(super) spacing_seconds: Option<f64>,
    /// What is wrong with replicas' figures, one sentence each.
    pub(super) problems: Vec<String>,
}

/// One replica as Prometheus knows it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Age of its newest sample when the answer came.
    pub(super) age: Duration,
    /// When its process started (run time).
    pub(super) started_at: Option<Duration>,
    pub(super) load_factor: Option<f64>,
    /// What it grew by in the window; none if that cannot be told.
    pub(super) growth: Option<Growth>,
    /// How far it had come at its newest sample.
    pub(super) progress: Option<Progress>,
}

/// What the queries said of one replica.
#[derive(Debug, Default)]
struct Figures {
    /// The moment of evaluation; seconds since the Unix epoch.
    now: f64,
    by_name: BTreeMap<String, f64>,
    bounds: Vec<f64>,
    buckets: Vec<f64>,
    /// A figure that is no number to reckon with.
    not_finite: Option<String>,
}

impl Answer {
    /// Reads the answers to `Queries`, which came at `at` (run time).
    pub(super) fn read(
        at: Duration,
        window: Duration,
        state: Vec<InstantVector>,
        counters: Vec<InstantVector>,
        buckets: Vec<InstantVector>,
    ) -> Self {
        let mut replicas: BTreeMap<String, Figures> = BTreeMap::new();
        for point in state {
            let now = point.sample().timestamp();
            if let Some(figures) = Figures::of(&mut replicas, point) {
                figures.now = now;
            }
        }
        // Samples of an instance decide whether it is known at all; what else came of it is no use without them.
        replicas.retain(|_, figures| figures.by_name.contains_key(queries::LAST_SAMPLE));
        for point in counters.into_iter().chain(buckets) {
            Figures::of(&mut replicas, point);
        }
        let mut answer = Self { at, ..Self::default() };
        for (instance, figures) in replicas.into_iter().filter(|(_, figures)| figures.now > 0.0) {
            answer.evaluated_at = answer.evaluated_at.max(figures.now);
            answer.take(instance, figures, window.as_secs_f64());
        }
        answer
    }

    fn take(&mut self, instance: String, figures: Figures, window: f64) {
        let get = |figure| figures.by_name.get(figure).copied();
        let Some(samples) = figures.samples(window) else { return };
        if let Some(spacing) = samples.spacing() {
            self.spacing_seconds = Some(self.spacing_seconds.map_or(spacing, |least| least.min(spacing)));
        }
        let mut seen = Seen {
            age: Duration::try_from_secs_f64(figures.now - samples.last).unwrap_or_default(),
            started_at: get(queries::STARTED_AT).and_then(|at| Duration::try_from_secs_f64(at).ok()),
            load_factor: get(queries::LOAD_FACTOR),
            growth: None,
            progress: None,
        };
        if samples.last > figures.now {
            self.problems.push(format!(
                "Prometheus tells of a sample of {instance} that is {:.1} s yet to come, so its age is unknown; hint: \
                 are the clocks of Prometheus and of what exports these times right?",
                samples.last - figures.now
            ));
        } else if let Some(figure) = &figures.not_finite {
            self.problems.push(format!("`{figure}` of {instance} in Prometheus is not a finite number"));
        } else if get(queries::JOBS).is_some_and(|jobs| jobs > 1.0) {
            self.problems.push(format!(
                "Prometheus has more than one series of {instance} for each of its metrics, so it would count \
                 double; hint: let one scrape configuration have it"
            ));
        } else {
            seen.progress = figures.progress(samples);
            seen.growth = figures.growth(samples);
        }
        self.replicas.insert(instance, seen);
    }

    /// The same, where each busy worker counts as so many CPU cores.
    pub(super) fn with_modelled_cpu(mut self, cores_per_worker: f64) -> Self {
        for seen in self.replicas.values_mut() {
            seen.growth = seen.growth.take().map(|growth| growth.with_modelled_cpu(cores_per_worker));
        }
        self
    }

    /// For a window over which nothing sensible can be said.
    pub(super) fn forget_growth(&mut self) {
        for seen in self.replicas.values_mut() {
            seen.growth = None;
        }
    }
}

impl Figures {
    /// Adds a point to its replica's figures; a point of an answer that does not belong to a query is left out.
    fn of(replicas: &mut BTreeMap<String, Self>, point: InstantVector) -> Option<&mut Self> {
        let (mut labels, sample) = point.into_inner();
        let instance = labels.remove("instance")?;
        let name = labels.remove(queries::FIGURE);
        let bound = labels.remove("le");
        let figures = replicas.entry(instance).or_default();
        let value = sample.value();
        if !value.is_finite() {
            figures.not_finite = name.or_else(|| bound.map(|bound| format!("bucket {bound}")));
        } else if let Some(name) = name {
            figures.by_name.insert(name, value);
        } else {
            figures.add_bucket(bound?.parse().ok()?, value);
        }
        Some(figures)
    }

    fn add_bucket(&mut self, bound: f64, value: f64) {
        let place = self.bounds.partition_point(|known| *known < bound);
        // Prometheus 2 and 3 write a bound differently, so after an upgrade one has two series, each with its part.
        if self.bounds.get(place).is_some_and(|known| known.to_bits() == bound.to_bits()) {
            self.buckets[place] += value;
        } else {
            self.bounds.insert(place, bound);
            self.buckets.insert(place, value);
        }
    }

    fn samples(&self, window: f64) -> Option<Samples> {
        let last = *self.by_name.get(queries::LAST_SAMPLE)?;
        let get = |figure| self.by_name.get(figure).copied();
        Some(Samples {
            now: self.now,
            window,
            first: get(queries::FIRST_SAMPLE).unwrap_or(last),
            last,
            count: get(queries::SAMPLES).unwrap_or(0.0),
        })
    }

    fn progress(&self, samples: Samples) -> Option<Progress> {
        let get = |figure| self.by_name.get(figure).copied();
        Some(Progress {
            at: Duration::try_from_secs_f64(samples.last).ok()?,
            completed: get(queries::COMPLETED)?,
            jobs: get(queries::UNFINISHED).unwrap_or(0.0),
        })
    }

    fn growth(mut self, samples: Samples) -> Option<Growth> {
        let get = |figure| self.by_name.get(figure).copied();
        get(queries::DURATION_COUNT)?;
        let (from, to) = samples.covered()?;
        let seconds = to - from;
        if seconds <= 0.0 {
            return None;
        }
        let gauge = |figure| get(figure).unwrap_or(0.0);
        let grown = gauge;
        let by = Totals {
            duration_sum: grown(queries::DURATION_SUM),
            duration_count: grown(queries::DURATION_COUNT),
            arrived: grown(queries::ARRIVED),
            refused: grown(queries::REFUSED),
            errors: grown(queries::ERRORS),
            dependency_wait_sum: grown(queries::DEPENDENCY_WAIT_SUM),
            dependency_wait_count: grown(queries::DEPENDENCY_WAIT_COUNT),
            busy_seconds: grown(queries::BUSY_SECONDS),
            worker_seconds: gauge(queries::WORKERS) * seconds,
            cpu_seconds: grown(queries::CPU_SECONDS),
            seconds,
            queue_depth: gauge(queries::QUEUE_GROWTH),
            queue_depth_seconds: gauge(queries::QUEUE_DEPTH) * seconds,
            memory_byte_seconds: gauge(queries::MEMORY_BYTES) * seconds,
            ..Totals::default()
        };
        // Each bucket is extrapolated by itself, so a lower one may come out a little above a higher one.
        let mut highest: f64 = 0.0;
        for bucket in &mut self.buckets {
            highest = highest.max(*bucket);
            *bucket = highest;
        }
        let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Some(Growth {
            from: time(from),
            to: time(to),
            by: Totals { buckets: self.buckets, ..by },
            bounds: Some(self.bounds),
        })
    }
}
