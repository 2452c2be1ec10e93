//! What queueing theory expects: the formulas that measured and simulated waiting is compared with.
//!
//! Rates are per second, times in seconds. Each system is a plain struct of its parameters. Its formulas are
//! total: a system that cannot keep up waits for ever (`f64::INFINITY`), and a parameter that is negative or
//! not finite gives NaN. Probabilities come from recurrences whose terms stay within 0 and 1, so neither
//! factorials nor powers can overflow.
//!
//! Sources: L. Kleinrock, "Queueing Systems, Volume 1: Theory" (1975); D. Gross and C. M. Harris,
//! "Fundamentals of Queueing Theory"; R. B. Cooper, "Introduction to Queueing Theory" (1981), for the
//! recurrence of Erlang B.

use core::num::NonZero;

/// M/M/c: Poisson arrivals, exponential service, `servers` of them, a queue without end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmc {
    /// Arrivals per second.
    pub arrivals_per_second: f64,
    /// Mean service time in seconds.
    pub mean_service_seconds: f64,
    /// Servers.
    pub servers: NonZero<u32>,
}

impl Mmc {
    /// The offered load in erlangs: the servers that would be busy on average if there were no end of them.
    pub fn offered_load_erlangs(&self) -> f64 {
        offered_load(self.arrivals_per_second, self.mean_service_seconds)
    }

    /// The offered load per server, ρ; above 1 the queue grows for ever.
    pub fn utilization(&self) -> f64 {
        self.offered_load_erlangs() / f64::from(self.servers.get())
    }

    /// The probability that an arrival has to wait (Erlang C); 1 where ρ ≥ 1.
    ///
    /// C = B ÷ (1 − ρ (1 − B)), with Erlang B. Takes time in proportion to the servers.
    pub fn waiting_probability(&self) -> f64 {
        let utilization = self.utilization();
        if utilization >= 1.0 {
            return 1.0;
        }
        let blocking = erlang_b(self.offered_load_erlangs(), self.servers);
        blocking / (1.0 - utilization * (1.0 - blocking))
    }

    /// The mean time between arrival and start of service: C × service ÷ (c (1 − ρ)), in seconds.
    pub fn mean_wait_seconds(&self) -> f64 {
        let utilization = self.utilization();
        if utilization >= 1.0 {
            return f64::INFINITY;
        }
        let drain_seconds = self.mean_service_seconds / f64::from(self.servers.get()) / (1.0 - utilization);
        self.waiting_probability() * drain_seconds
    }

    /// The mean time between arrival and end of service, in seconds.
    pub fn mean_response_seconds(&self) -> f64 {
        self.mean_wait_seconds() + self.mean_service_seconds
    }
}

/// M/M/c/K: as M/M/c, but an arrival that finds all waiting places taken is refused.
/// K = servers + waiting places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmcK {
    /// Arrivals per second, the refused ones included.
    pub arrivals_per_second: f64,
    /// Mean service time in seconds.
    pub mean_service_seconds: f64,
    /// Servers.
    pub servers: NonZero<u32>,
    /// Places to wait, beside those in service.
    pub waiting_places: u32,
}

impl MmcK {
    /// The probability that an arrival is refused, which is the probability of a full system.
    ///
    /// For a birth and death chain cut off at k, the share of state k is rₖ Bₖ₋₁ ÷ (1 + rₖ Bₖ₋₁) with
    /// rₖ = λ ÷ μₖ and B₀ = 1: Erlang B's recurrence, carried on past the servers. Takes time in proportion to K.
    pub fn blocking_probability(&self) -> f64 {
        self.chain().0
    }

    /// Jobs that are served per second, λ (1 − blocking).
    pub fn throughput_per_second(&self) -> f64 {
        self.arrivals_per_second * (1.0 - self.blocking_probability())
    }

    /// The mean number of jobs that wait, not counting those in service.
    pub fn mean_waiting_jobs(&self) -> f64 {
        self.chain().1
    }

    /// The mean time between arrival and start of service of the admitted jobs, in seconds, by Little's law.
    pub fn mean_wait_seconds(&self) -> f64 {
        let (blocking, waiting_jobs) = self.chain();
        let admitted_per_second = self.arrivals_per_second * (1.0 - blocking);
        // Without arrivals nobody waits; 0/0 would say otherwise.
        if self.offered_load_erlangs() <= 0.0 { 0.0 } else { waiting_jobs / admitted_per_second }
    }

    fn offered_load_erlangs(&self) -> f64 {
        offered_load(self.arrivals_per_second, self.mean_service_seconds)
    }

    /// The probability of the last state, and the mean number waiting, of the chain cut off at K.
    fn chain(&self) -> (f64, f64) {
        let mut blocking = erlang_b(self.offered_load_erlangs(), self.servers);
        let ratio = self.offered_load_erlangs() / f64::from(self.servers.get());
        let mut waiting_jobs = 0.0;
        for waiting in 1..=self.waiting_places {
            blocking = next_blocking(ratio, blocking);
            waiting_jobs = (1.0 - blocking) * waiting_jobs + blocking * f64::from(waiting);
        }
        (blocking, waiting_jobs)
    }
}

/// M/G/1: Poisson arrivals, one server, service times of any distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mg1 {
    /// Arrivals per second.
    pub arrivals_per_second: f64,
    /// Mean service time in seconds.
    pub mean_service_seconds: f64,
    /// Mean of the square of the service time, in seconds squared.
    pub second_moment_seconds_squared: f64,
}

impl Mg1 {
    /// The share of time the server is busy, ρ; from 1 on the queue grows for ever.
    pub fn utilization(&self) -> f64 {
        offered_load(self.arrivals_per_second, self.mean_service_seconds)
    }

    /// The mean time between arrival and start of service, λ E\[S²\] ÷ (2 (1 − ρ)), in seconds.
    ///
    /// Source: the formula of Pollaczek (1930) and Khinchine (1932).
    pub fn mean_wait_seconds(&self) -> f64 {
        let utilization = self.utilization();
        if utilization >= 1.0 {
            return f64::INFINITY;
        }
        let residual_load = 0.5 * self.arrivals_per_second * valid(self.second_moment_seconds_squared);
        residual_load / (1.0 - utilization)
    }

    /// The mean time between arrival and end of service, in seconds.
    pub fn mean_response_seconds(&self) -> f64 {
        self.mean_wait_seconds() + self.mean_service_seconds
    }
}

/// Erlang B: the probability that all of `servers` are busy where there is no place to wait, for an offered
/// load in erlangs.
///
/// B₀ = 1, Bₖ = a Bₖ₋₁ ÷ (k + a Bₖ₋₁). NaN for a load that is negative or not finite.
pub fn erlang_b(offered_load_erlangs: f64, servers: NonZero<u32>) -> f64 {
    let offered_load_erlangs = valid(offered_load_erlangs);
    (1..=servers.get())
        .fold(1.0, |blocking, server| next_blocking(offered_load_erlangs / f64::from(server), blocking))
}

/// The share of the next state in a birth and death chain that is cut off there.
fn next_blocking(rate_ratio: f64, blocking: f64) -> f64 {
    rate_ratio * blocking / (1.0 + rate_ratio * blocking)
}

fn offered_load(arrivals_per_second: f64, mean_service_seconds: f64) -> f64 {
    valid(arrivals_per_second) * valid(mean_service_seconds)
}

/// The value, or NaN where it is negative or infinite.
fn valid(value: f64) -> f64 {
    if value >= 0.0 && value.is_finite() { value } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn servers(count: u32) -> NonZero<u32> {
        NonZero::new(count).unwrap()
    }

    fn assert_near(value: f64, expected: f64, tolerance: f64) {
        assert!((value - expected).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
    }

    #[test]
    fn erlang_b_matches_traffic_tables() {
        // Printed tables of the load at which 1 % is lost, per number of trunks.
        for (offered_load_erlangs, trunks) in
            [(0.0101, 1), (1.361, 5), (4.4612, 10), (12.031, 20), (84.064, 100)]
        {
            assert_near(erlang_b(offered_load_erlangs, servers(trunks)), 0.01, 1e-5);
        }
        assert_near(erlang_b(5.0, servers(10)), 0.018_385, 5e-7);
    }

    #[test]
    fn erlang_c_matches_closed_forms_and_a_textbook_example() {
        // One server: C = ρ. Two: C = 2ρ² ÷ (1 + ρ).
        let one = Mmc { arrivals_per_second: 3.0, mean_service_seconds: 0.25, servers: servers(1) };
        assert_near(one.waiting_probability(), 0.75, 1e-12);
        assert_near(one.mean_response_seconds(), 1.0, 1e-12);
        let two = Mmc { arrivals_per_second: 6.0, mean_service_seconds: 0.25, servers: servers(2) };
        assert_near(two.waiting_probability(), 2.0 * 0.5625 / 1.75, 1e-12);
        // Gross and Harris, the eye clinic: 6 patients an hour, 20 minutes each, 3 doctors; they wait 4/27 h.
        let clinic =
            Mmc { arrivals_per_second: 6.0 / 3600.0, mean_service_seconds: 1200.0, servers: servers(3) };
        assert_near(clinic.waiting_probability(), 4.0 / 9.0, 1e-12);
        assert_near(clinic.mean_wait_seconds(), 3600.0 * 4.0 / 27.0, 1e-9);
    }

    #[test]
    fn a_finite_queue_matches_closed_forms_and_a_textbook_example() {
        // One server, ρ ≠ 1: (1 − ρ) ρᴷ ÷ (1 − ρᴷ⁺¹); ρ = 1: 1 ÷ (K + 1).
        let system = |arrivals_per_second| MmcK {
            arrivals_per_second,
            mean_service_seconds: 1.0,
            servers: servers(1),
            waiting_places: 2,
        };
        assert_near(system(0.5).blocking_probability(), 0.5 * 0.125 / (1.0 - 0.0625), 1e-12);
        assert_near(system(1.0).blocking_probability(), 0.25, 1e-12);
        // Gross and Harris, the inspection station: one car a minute, 6 minutes each, 3 stalls, 4 may wait.
        // The share of the empty station is 1/1141, that of the full one 576/1141; 3.09 cars wait on average.
        let station = MmcK {
            arrivals_per_second: 1.0 / 60.0,
            mean_service_seconds: 360.0,
            servers: servers(3),
            waiting_places: 4,
        };
        assert_near(station.blocking_probability(), 576.0 / 1141.0, 1e-12);
        assert_near(station.mean_waiting_jobs(), 3.09, 0.005);
        assert_near(station.mean_wait_seconds() + 360.0, 60.0 * 12.3, 6.0);
    }

    #[test]
    fn one_server_of_constant_times_waits_half_as_long_as_one_of_exponential_times() {
        let queue = |second_moment_seconds_squared| Mg1 {
            arrivals_per_second: 8.0,
            mean_service_seconds: 0.1,
            second_moment_seconds_squared,
        };
        assert_near(queue(0.01).mean_wait_seconds(), 0.2, 1e-12);
        assert_near(queue(0.02).mean_wait_seconds(), 0.4, 1e-12);
        assert_near(queue(0.02).mean_response_seconds(), 0.5, 1e-12);
    }

    #[test]
    fn overload_and_bad_parameters_give_no_number_that_could_be_taken_for_a_wait() {
        let system = |arrivals_per_second| Mmc {
            arrivals_per_second,
            mean_service_seconds: 0.05,
            servers: servers(4),
        };
        assert!(system(80.0).mean_wait_seconds().is_infinite());
        assert_near(system(100.0).waiting_probability(), 1.0, 0.0);
        assert_near(system(0.0).mean_wait_seconds(), 0.0, 0.0);
        for arrivals_per_second in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(system(arrivals_per_second).mean_wait_seconds().is_nan(), "at {arrivals_per_second}/s");
            assert!(erlang_b(arrivals_per_second, servers(2)).is_nan(), "of {arrivals_per_second} erlangs");
        }
    }

    proptest! {
        #[test]
        fn a_long_queue_approaches_the_endless_one(utilization in 0.01..0.9_f64, count in 1_u32..200) {
            let servers = servers(count);
            let arrivals_per_second = utilization * f64::from(count);
            let endless = Mmc { arrivals_per_second, mean_service_seconds: 1.0, servers };
            let long = MmcK { arrivals_per_second, mean_service_seconds: 1.0, servers, waiting_places: 1000 };
            prop_assert!(long.blocking_probability() < 1e-12);
            let difference = long.mean_wait_seconds() - endless.mean_wait_seconds();
            prop_assert!(difference.abs() <= 1e-9 * (1.0 + endless.mean_wait_seconds()), "{difference}");
        }

        #[test]
        fn blocking_is_a_probability_that_grows_with_load(
            load in 0.0..1e6_f64,
            more in 1.0..2.0_f64,
            count in 1_u32..300,
            waiting_places in 0_u32..300,
        ) {
            let system = |arrivals_per_second| MmcK {
                arrivals_per_second,
                mean_service_seconds: 1.0,
                servers: servers(count),
                waiting_places,
            };
            let less = system(load).blocking_probability();
            let more = system(load * more).blocking_probability();
            prop_assert!((0.0..=1.0).contains(&less));
            prop_assert!(less <= more + 1e-12);
            prop_assert!(system(load).throughput_per_second() <= f64::from(count) * (1.0 + 1e-9));
        }
    }
}
