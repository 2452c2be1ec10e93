//! Turns names and numbers into well-spread 64-bit words, by published functions that never change.
//!
//! The standard library's hashers are free to change from one release to the next; a seed must not.

use core::iter::once;

/// What `SplitMix64` adds to its state before each output: 2^64 divided by the golden ratio, made odd.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The FNV-1a hash, 64 bits wide, of a domain, a seed and a label.
///
/// The bytes hashed are the domain, a zero byte, the seed's eight bytes (least significant first), and the
/// label in UTF-8. The domain keeps two uses of the same label apart.
///
/// Source: G. Fowler, L. C. Noll, K.-P. Vo and D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm",
/// RFC 9923.
pub(crate) fn hash_label(domain: &str, seed: u64, label: &str) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = domain.bytes().chain(once(0)).chain(seed.to_le_bytes()).chain(label.bytes());
    bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Output number `index` (from 0) of `SplitMix64` started at `state`, in constant time.
///
/// Source: G. L. Steele, D. Lea and C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
/// 2014, with the constants of D. Stafford's variant 13 as in S. Vigna's `splitmix64.c`.
pub(crate) fn split_mix_64(state: u64, index: u64) -> u64 {
    let counter = state.wrapping_add(GOLDEN_GAMMA.wrapping_mul(index.wrapping_add(1)));
    let once_mixed = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice_mixed = (once_mixed ^ (once_mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    twice_mixed ^ (twice_mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_published_sequence() {
        // The first outputs of Vigna's `splitmix64.c` for the state 1234567, as many test suites quote them.
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (index, word) in (0..).zip(expected) {
            assert_eq!(split_mix_64(1_234_567, index), word, "output {index}");
        }
    }

    #[test]
    fn hash_follows_the_stated_byte_order() {
        // FNV-1a of the same bytes, written out one step at a time.
        let mut expected: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in *b"d\0\x02\x01\0\0\0\0\0\0ab" {
            expected ^= u64::from(byte);
            expected = expected.wrapping_mul(1_099_511_628_211);
        }
        assert_eq!(hash_label("d", 0x0102, "ab"), expected);
    }
}
