//! Experiments as files: a service, a load, an objective, and the policies to compare.
//!
//! The text is read here, and everything in it is checked; files that it names are read by the caller.

mod document;
mod error;
mod fields;

use std::time::Duration;

use workload::Shape;

pub use self::error::ExperimentError;
use crate::capacity::steps_of;
use crate::measures::Prices;
use crate::model::Model;
use crate::trace::TraceFormat;

/// The experiments that come with the simulator: name and text.
pub const SHIPPED: [(&str, &str); 7] = [
    ("spike", include_str!("../experiments/spike.yaml")),
    ("flash-crowd", include_str!("../experiments/flash-crowd.yaml")),
    ("diurnal", include_str!("../experiments/diurnal.yaml")),
    ("ramp", include_str!("../experiments/ramp.yaml")),
    ("sawtooth", include_str!("../experiments/sawtooth.yaml")),
    ("nasa", include_str!("../experiments/nasa.yaml")),
    ("slow-start", include_str!("../experiments/slow-start.yaml")),
];

/// The most requests that one experiment may ask for, over all its policies and seeds.
pub const REQUESTS_MAX: f64 = 5e10;

/// An experiment, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// `metadata.name`, or the name that the caller gave.
    pub name: String,
    /// What is simulated. Where the load is a trace, its shape is a placeholder until [`Experiment::play_trace`].
    pub model: Model,
    /// The seeds, each once.
    pub seeds: Vec<u64>,
    /// What replicas and broken promises cost.
    pub prices: Prices,
    /// What is compared, at least one.
    pub policies: Vec<PolicyChoice>,
    /// The trace that is the load, if it is one.
    pub trace: Option<TraceChoice>,
    /// The span of the policies' signals, in place of their own.
    pub signal_window: Option<Duration>,
    /// Whether the file says how long the run takes; a trace otherwise does.
    pub has_duration: bool,
}

/// A policy that an experiment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyChoice {
    /// A policy file.
    File(String),
    /// A shipped policy.
    Shipped(String),
    /// A fixed number of replicas.
    Fixed(u32),
}

/// A trace that an experiment names.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceChoice {
    /// The file.
    pub file: String,
    /// Its format; none where it is to be found out.
    pub format: Option<TraceFormat>,
    /// By how much its rates are multiplied.
    pub scale: f64,
    /// How often it is played, one time after the other.
    pub repeat: u32,
}

impl Experiment {
    /// Reads an experiment from its text; `origin` names it in errors, `fallback_name` is its name if the text has none.
    ///
    /// # Errors
    /// Names the line where it is known, the field, its value, what was expected, and a hint.
    pub fn from_text(origin: &str, fallback_name: &str, text: &str) -> Result<Self, ExperimentError> {
        document::read(origin, fallback_name, text)
    }

    /// Lets the load be a trace: `shape` has its requests per second, `lasts` how long it is.
    pub fn play_trace(&mut self, shape: Shape, lasts: Duration, scale: f64) {
        self.model.workload.shape = shape;
        self.model.workload.base_rate_per_second = scale;
        if !self.has_duration {
            self.model.duration = lasts;
        }
    }

    /// The requests of one run, about: the rate in the middle of each step × its length.
    pub fn expected_requests(&self) -> f64 {
        let (steps, step) = steps_of(self.model.duration);
        let rate = |number: u32| self.model.workload.rate_at(step * number + step / 2);
        let seconds = step.as_secs_f64().min(self.model.duration.as_secs_f64());
        (0..steps).map(rate).sum::<f64>() * seconds
    }
}

#[cfg(test)]
mod tests;
