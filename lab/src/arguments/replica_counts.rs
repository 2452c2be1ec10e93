//! Numbers of replicas that are started to be measured.

/// Most replicas that are started to be measured.
const MOST_REPLICAS: u32 = 16;

/// Numbers of replicas, fewest first.
#[derive(Clone, Debug)]
pub(crate) struct ReplicaCounts(Vec<u32>);

impl ReplicaCounts {
    pub(crate) fn as_slice(&self) -> &[u32] {
        &self.0
    }
}

/// `1..4`, `1,2,4` or `3`.
pub(crate) fn replica_counts(text: &str) -> Result<ReplicaCounts, String> {
    let refuse = || {
        format!(
            "`{text}` is no number of replicas, expected 1..4, 1,2,4 or 3, each from 1 to {MOST_REPLICAS}"
        )
    };
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refuse());
    let mut counts = match text.split_once("..") {
        Some((first, last)) => (number(first)?..=number(last)?).take(MOST_REPLICAS as usize + 1).collect(),
        None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
    };
    counts.sort_unstable();
    counts.dedup();
    if counts.is_empty() || !counts.iter().all(|count| (1..=MOST_REPLICAS).contains(count)) {
        return Err(refuse());
    }
    Ok(ReplicaCounts(counts))
}

#[cfg(test)]
mod tests {
    use super::replica_counts;

    #[test]
    fn counts_are_sorted_or_refused_with_an_example() {
        for (text, counts) in
            [("1..4", &[1, 2, 3, 4][..]), ("4,1,4", &[1, 4]), ("3", &[3]), ("16..16", &[16])]
        {
            assert_eq!(replica_counts(text).expect(text).as_slice(), counts);
        }
        for text in ["", "0", "0..2", "4..1", "1..17", "1..4000000000", "two", "1,", "-1", "1..2..3"] {
            assert!(replica_counts(text).expect_err(text).contains("1..4"), "`{text}`");
        }
    }
}
