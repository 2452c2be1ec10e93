//! Independent random streams, each named for what it decides, from one seed.
//!
//! ## Why named streams
//! With one generator for everything, one more draw in one place shifts every later draw everywhere, and two
//! runs that differ in one setting differ in all. Here a stream depends on the seed and its own name alone.

use core::convert::Infallible;

use rand::{SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

use crate::mixing::{hash_label, split_mix_64};

/// The root of all randomness of one part of a run: a seed from which named streams are made.
///
/// A stream's generator is `ChaCha` with 8 rounds. Its 256-bit key is the first four outputs of `SplitMix64`
/// started at the 64-bit FNV-1a hash of (`"stream"`, a zero byte, the seed's bytes from the least significant
/// one, the name). A derived seed is the first output of `SplitMix64` started at the same hash with
/// `"derive"` in the first place. Both are fixed for good: a seed written into a report replays that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The streams of `seed`.
    pub const fn from_seed(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed these streams come from.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The stream called `name`, from its beginning: asked for twice, it is the same sequence twice.
    pub fn stream(&self, name: &str) -> Stream {
        let state = hash_label("stream", self.seed, name);
        let mut key = [0; 32];
        for (index, bytes) in (0..).zip(key.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&split_mix_64(state, index).to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// Streams of a child, such as those of one replica out of the run's seed and the replica's id.
    ///
    /// ```
    /// use workload::Streams;
    /// let run = Streams::from_seed(42);
    /// assert_eq!(run.derive("replica-1"), run.derive("replica-1"));
    /// assert_ne!(run.derive("replica-1").seed(), run.derive("replica-2").seed());
    /// ```
    #[must_use]
    pub fn derive(&self, label: &str) -> Self {
        Self::from_seed(split_mix_64(hash_label("derive", self.seed, label), 0))
    }
}

/// One named stream of random words: a [`rand::Rng`].
///
/// A clone continues from the same place, on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(ChaCha8Rng);

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;

    fn bytes(mut stream: Stream) -> [u8; 64] {
        let mut bytes = [0; 64];
        stream.fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn recorded_words_stay_the_same_for_good() {
        // A change here breaks the replay of every recorded seed: never update these numbers.
        let mut stream = Streams::from_seed(42).stream("service_times");
        assert_eq!([stream.next_u64(), stream.next_u64()], RECORDED_WORDS);
        assert_eq!(Streams::from_seed(42).derive("replica-1").seed(), RECORDED_SEED);
    }

    const RECORDED_WORDS: [u64; 2] = [13_122_815_871_510_272_074, 6_121_493_346_754_128_708];
    const RECORDED_SEED: u64 = 16_885_707_946_942_760_768;

    proptest! {
        #[test]
        fn same_seed_and_name_give_the_same_bytes(seed: u64, name in ".{0,20}") {
            let streams = Streams::from_seed(seed);
            prop_assert_eq!(bytes(streams.stream(&name)), bytes(Streams::from_seed(seed).stream(&name)));
        }

        #[test]
        fn another_name_seed_or_child_gives_other_bytes(
            seed: u64,
            name in "[a-z]{1,9}",
            other in "[0-9]{1,9}",
        ) {
            let streams = Streams::from_seed(seed);
            let reference = bytes(streams.stream(&name));
            prop_assert_ne!(reference, bytes(streams.stream(&other)));
            prop_assert_ne!(reference, bytes(Streams::from_seed(seed ^ 1).stream(&name)));
            prop_assert_ne!(reference, bytes(streams.derive(&name).stream(&name)));
        }

        #[test]
        fn draws_in_one_stream_never_change_another(seed: u64, extra_draws in 0_usize..50) {
            let streams = Streams::from_seed(seed);
            let mut failures = streams.stream("failures");
            for _ in 0..extra_draws {
                failures.next_u64();
            }
            let after = bytes(streams.stream("arrivals"));
            prop_assert_eq!(after, bytes(Streams::from_seed(seed).stream("arrivals")));
        }
    }

    #[test]
    fn streams_of_one_seed_are_uncorrelated() {
        let streams = Streams::from_seed(7);
        let (mut left, mut right) = (streams.stream("left"), streams.stream("right"));
        let count = 10_000;
        let equal_bits: u32 = (0..count).map(|_| (!(left.next_u64() ^ right.next_u64())).count_ones()).sum();
        let share = f64::from(equal_bits) / f64::from(64 * count);
        // Six standard errors of a fair coin over 640,000 bits.
        assert!((share - 0.5).abs() < 0.00375, "{share} of the bits agree");
    }
}
