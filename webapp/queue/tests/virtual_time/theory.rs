//! The seeds of a comparison with theory, and the comparison itself.

/// Seed 1, or as many as `LAB_TEST_SEEDS` says: `LAB_TEST_SEEDS=10` shows that the first one is not a lucky one.
pub(crate) fn seeds() -> impl Iterator<Item = u64> {
    let count = std::env::var("LAB_TEST_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    1..=count
}

/// Fails where a figure is off by more than this share of what theory expects.
pub(crate) fn assert_within(share: f64, found: f64, expected: f64, what: &str) {
    let difference = found - expected;
    println!("{what}: {found:.6}, theory {expected:.6}, off by {difference:+.6}");
    assert!(
        difference.abs() <= share * expected,
        "{what}: {found} is not within {} % of {expected}",
        100.0 * share
    );
}
