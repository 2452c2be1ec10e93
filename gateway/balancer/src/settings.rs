//! The settings of balancing, each with its default, its unit and the values that it can have.
//!
//! [`BalancerSettings::DEFAULT`] is what the gateway runs with. A [`Rotation`](crate::Rotation) takes only settings that
//! [`BalancerSettings::validate`] finds usable.

mod validation;

use core::time::Duration;

pub use self::validation::SettingsError;

/// All settings of a [`Rotation`](crate::Rotation) and of the [`Tries`](crate::Tries) of a request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BalancerSettings {
    /// The latency estimate of an endpoint.
    pub latency: LatencySettings,
    /// What a request costs at an endpoint.
    pub cost: CostSettings,
    /// When an endpoint's 4xx count against it.
    pub client_errors: ClientErrorSettings,
    /// When failing answers take an endpoint out, and for how long.
    pub ejection: EjectionSettings,
    /// Active probes of `/ready`.
    pub probes: ProbeSettings,
    /// What answers of DNS change.
    pub discovery: DiscoverySettings,
    /// When a request is sent to another endpoint.
    pub retry: RetrySettings,
}

impl BalancerSettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self {
        latency: LatencySettings::DEFAULT,
        cost: CostSettings::DEFAULT,
        client_errors: ClientErrorSettings::DEFAULT,
        ejection: EjectionSettings::DEFAULT,
        probes: ProbeSettings::DEFAULT,
        discovery: DiscoverySettings::DEFAULT,
        retry: RetrySettings::DEFAULT,
    };
}

/// Settings of the latency estimate (peak EWMA).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencySettings {
    /// Time in which what is known of an endpoint loses all but 1/e of its weight. Above 0, at most 24 h. Default 10 s.
    pub decay: Duration,
    /// Highest latency assumed of an endpoint that has not answered yet; it is given the mean of those in rotation where
    /// that is lower. Above 0, at most 24 h. Default 30 ms.
    pub assumed_max: Duration,
    /// Least value that is ever read, so that idle endpoints still compare by their requests in flight. Above 0, at most
    /// `assumed_max`. Default 1 ms.
    pub floor: Duration,
    /// Endpoints, evenly spread over those in rotation, of which the mean for a newcomer is taken. 1 to 10,000.
    /// Default 64: the mean of so many is as good as that of all, and an admission costs the same in a large service.
    pub newcomer_sample: usize,
}

impl LatencySettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self {
        decay: Duration::from_secs(10),
        assumed_max: Duration::from_millis(30),
        floor: Duration::from_millis(1),
        newcomer_sample: 64,
    };
}

/// Settings of the cost by which two endpoints are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostSettings {
    /// Time over which the weight of a newly admitted endpoint rises, linearly, from `slow_start_weight_min` to 1.
    /// 0 (no slow start) to 24 h. Default 2 s.
    pub slow_start: Duration,
    /// Weight of an endpoint at the moment it is admitted. Above 0, at most 1. Default 0.1.
    pub slow_start_weight_min: f64,
    /// How far back the shares of refused and failed answers look, in ten steps: the present one and the nine before it.
    /// 10 ms to 24 h, in whole tenths of a nanosecond. Default 10 s.
    pub outcome_window: Duration,
    /// Answers, taken as served, that the share of unserved ones is smoothed with. Otherwise one error among the first few
    /// answers would keep a replica empty, and being empty it would not outgrow that error. 0 to 1,000,000. Default 10.
    pub smoothing_answers: u32,
    /// Most doublings of the cost for unserved answers, or significant 4xx, in a row. 0 to 30. Default 10.
    pub streak_doublings_max: u32,
    /// What a refused or failed answer is taken to cost, about the response time of a replica whose queue is full. 0 to
    /// 24 h. Default 1 s.
    ///
    /// It enters an endpoint's cost with the share of such answers in the window. It is not a peak of the EWMA: one error
    /// in a hundred would then keep a healthy replica empty for half a minute and pile its work on the others.
    pub unserved_cost: Duration,
}

impl CostSettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self {
        slow_start: Duration::from_secs(2),
        slow_start_weight_min: 0.1,
        outcome_window: Duration::from_secs(10),
        smoothing_answers: 10,
        streak_doublings_max: 10,
        unserved_cost: Duration::from_secs(1),
    };
}

/// Settings of the comparison by 4xx answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientErrorSettings {
    /// Fewest 4xx answers in the window that can count against an endpoint: chance rules smaller numbers. At least 1.
    /// Default 3.
    pub answers_min: u32,
    /// Standard errors by which two shares of 4xx must differ before the difference counts as the endpoint's own. Above 0,
    /// at most 100. Default 4: by chance alone that happens about once in 30,000 comparisons of independent windows.
    pub significance: f64,
}

impl ClientErrorSettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self { answers_min: 3, significance: 4.0 };
}

/// Settings of ejection. However they are set, never more than half of the endpoints are ejected, nor the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EjectionSettings {
    /// Failures in a row that ask for ejection. At least 1. Default 5.
    pub consecutive_failures: u32,
    /// Share of failures in the window that asks for ejection. Above 0, at most 1. Default 0.5.
    pub failed_share: f64,
    /// Answers that the window must hold before their share of failures says something. At least 1. Default 20.
    pub failed_share_answers_min: u32,
    /// How long the first ejection lasts; each further one lasts twice as long as the one before. Above 0, at most
    /// `back_off_max`. Default 5 s.
    pub back_off_base: Duration,
    /// Longest ejection. Above 0, at most 24 h. Default 60 s.
    pub back_off_max: Duration,
    /// Successes in a row that end the probation of an endpoint that came back. Until then one failure suffices. At least
    /// 1. Default 5.
    pub probation_successes: u32,
    /// Time in rotation after which earlier ejections are forgotten and the back-off starts at its base again. 0 to 24 h.
    /// Default 60 s.
    pub forget_after: Duration,
}

impl EjectionSettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self {
        consecutive_failures: 5,
        failed_share: 0.5,
        failed_share_answers_min: 20,
        back_off_base: Duration::from_secs(5),
        back_off_max: Duration::from_mins(1),
        probation_successes: 5,
        forget_after: Duration::from_mins(1),
    };
}

/// Settings of the active probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeSettings {
    /// Time between the probes of an endpoint that has never been admitted. 1 ms to 24 h. Default 50 ms.
    pub interval_starting: Duration,
    /// Time between the probes of any other endpoint. 1 ms to 24 h. Default 500 ms.
    pub interval: Duration,
    /// How long a starting endpoint is probed at `interval_starting`; an address where nothing ever comes up is then
    /// probed at `interval`. 0 to 24 h. Default 60 s.
    pub starting_patience: Duration,
    /// Failed probes in a row that take an admitted endpoint out. At least 1. Default 3.
    pub failures_out: u32,
    /// Successful probes in a row that bring it back. At least 1. Default 2.
    pub successes_in: u32,
}

impl ProbeSettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self {
        interval_starting: Duration::from_millis(50),
        interval: Duration::from_millis(500),
        starting_patience: Duration::from_mins(1),
        failures_out: 3,
        successes_in: 2,
    };
}

/// Settings of discovery by DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// Answers in a row without an address after which it counts as absent. At least 1. Default 3.
    pub absent_answers_before_removal: u32,
    /// Drained addresses remembered; the oldest is forgotten beyond that. 1 to 1,000,000. Default 1024.
    pub drained_addresses_max: usize,
}

impl DiscoverySettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self { absent_answers_before_removal: 3, drained_addresses_max: 1024 };
}

/// Settings of the retry rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Endpoints tried for one request to which nothing could be sent. At least 1. Default 3.
    pub unsent_tries_max: u32,
    /// Times that a request is repeated elsewhere after it was sent. 0 (never) to 100. Default 1.
    pub repetitions_max: u32,
}

impl RetrySettings {
    /// The settings of the lab.
    pub const DEFAULT: Self = Self { unsent_tries_max: 3, repetitions_max: 1 };
}

macro_rules! default_is_the_constant {
    ($($settings:ty),*) => {
        $(impl Default for $settings {
            fn default() -> Self {
                Self::DEFAULT
            }
        })*
    };
}

default_is_the_constant!(
    LatencySettings,
    CostSettings,
    ClientErrorSettings,
    EjectionSettings,
    ProbeSettings,
    DiscoverySettings,
    RetrySettings
);
