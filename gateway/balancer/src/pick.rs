//! Draws two different candidates at random, of which the cheaper gets the request (power of two choices).
//!
//! The cheapest of all would be everybody's choice at the same moment, until its latency shows; two random
//! candidates spread a burst and still avoid the bad ones (Mitzenmacher, "The Power of Two Choices in Randomized
//! Load Balancing", 2001).

use rand::{Rng, RngExt};

use crate::endpoint::EndpointId;

/// What [`Rotation::pick`](crate::Rotation::pick) found.
#[must_use = "a picked endpoint counts a request in flight until it is released"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The request goes to this endpoint, which counts it as in flight.
    Endpoint(EndpointId),
    /// None is in rotation, or only those that were to be left out. One can come at any time.
    NoneReady,
}

impl Pick {
    /// The endpoint, for callers to whom it does not matter why there is none.
    pub fn endpoint(self) -> Option<EndpointId> {
        match self {
            Self::Endpoint(id) => Some(id),
            Self::NoneReady => None,
        }
    }
}

/// What [`Rotation::draw`](crate::Rotation::draw) drew for one request: the places of at most two endpoints.
#[must_use = "a draw is followed by `Rotation::pick_of`"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidates(pub(crate) Drawn);

impl Candidates {
    /// The [`EndpointId::place`] of each candidate.
    #[inline]
    pub fn places(self) -> impl Iterator<Item = usize> {
        let (first, second) = match self.0 {
            Drawn::None => (None, None),
            Drawn::One(only) => (Some(only), None),
            Drawn::Two(first, second) => (Some(first), Some(second)),
        };
        first.into_iter().chain(second)
    }
}

/// Candidates drawn, by their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawn {
    None,
    One(usize),
    Two(usize, usize),
}

/// Draws from so many candidates.
#[inline]
pub(crate) fn draw<R: Rng + ?Sized>(candidates: usize, rng: &mut R) -> Drawn {
    match candidates {
        0 => Drawn::None,
        1 => Drawn::One(0),
        _ => {
            let first = rng.random_range(0..candidates);
            let second = rng.random_range(0..candidates - 1);
            Drawn::Two(first, if second >= first { second + 1 } else { second })
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn each_ordered_pair_of_different_candidates_is_drawn_alike() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut drawn = [[0_u32; 4]; 4];
        for _ in 0..12_000 {
            let Drawn::Two(first, second) = draw(4, &mut rng) else { panic!("there are two") };
            drawn[first][second] += 1;
        }
        for (first, row) in drawn.iter().enumerate() {
            for (second, &times) in row.iter().enumerate() {
                let expected = if first == second { 0..=0 } else { 880..=1120 };
                assert!(expected.contains(&times), "{first} and {second}: {times}");
            }
        }
        assert_eq!(draw(0, &mut rng), Drawn::None);
        assert_eq!(draw(1, &mut rng), Drawn::One(0));
    }
}
