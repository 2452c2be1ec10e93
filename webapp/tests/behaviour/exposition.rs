//! A strict reader of OpenMetrics text, by the rules of the specification 1.0 that a scraper relies on.

use std::collections::{BTreeMap, BTreeSet};

/// The families of a valid exposition: name and type. Fails the test at the first rule that is broken.
pub(crate) fn families(text: &str) -> BTreeMap<String, String> {
    let body = text.strip_suffix("# EOF\n").expect("the text ends with the end marker and nothing after it");
    let mut families: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<(String, String)> = None;
    let mut series = BTreeSet::new();
    let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for line in body.lines() {
        if let Some(metadata) = line.strip_prefix("# ") {
            let (keyword, rest) = metadata.split_once(' ').expect(line);
            let (name, rest) = rest.split_once(' ').expect(line);
            if current.as_ref().is_none_or(|(family, _)| family != name) {
                assert!(!families.contains_key(name), "family `{name}` comes back: {line}");
                families.insert(name.to_owned(), "unknown".to_owned());
                current = Some((name.to_owned(), "unknown".to_owned()));
            }
            match keyword {
                "TYPE" => {
                    families.insert(name.to_owned(), rest.to_owned());
                    current = Some((name.to_owned(), rest.to_owned()));
                }
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "the name lacks its unit: {line}"),
                "HELP" => assert!(!rest.trim().is_empty(), "the help is empty: {line}"),
                _ => panic!("an unknown keyword: {line}"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect(line);
        let value: f64 = value.parse().expect(line);
        assert!(series.insert(sample.to_owned()), "series twice: {line}");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        let labels = labels.strip_suffix('}').expect(line);
        let (family, kind) = current.as_ref().expect("a sample stands behind its family's type");
        let suffix =
            name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("not of `{family}`: {line}"));
        let allowed: &[&str] = match kind.as_str() {
            "counter" => &["_total", "_created"],
            "histogram" => &["_bucket", "_sum", "_count", "_created"],
            "info" => &["_info"],
            "gauge" | "unknown" => &[""],
            _ => panic!("an unexpected type `{kind}` of `{family}`"),
        };
        assert!(allowed.contains(&suffix), "`{suffix}` is no suffix of a {kind}: {line}");
        assert!(kind == "gauge" || kind == "unknown" || value >= 0.0, "a {kind} below 0: {line}");
        if suffix == "_bucket" {
            let bound: Vec<&str> =
                labels.split(',').filter_map(|label| label.strip_prefix("le=\"")).collect();
            let bound: f64 = bound[0].trim_end_matches('"').replace("+Inf", "inf").parse().expect(line);
            let others: Vec<&str> = labels.split(',').filter(|label| !label.starts_with("le=")).collect();
            buckets.entry(format!("{family}{{{}}}", others.join(","))).or_default().push((bound, value));
        } else if suffix == "_count" && kind == "histogram" {
            counts.insert(format!("{family}{{{labels}}}"), value);
        }
    }
    assert_eq!(buckets.keys().collect::<Vec<_>>(), counts.keys().collect::<Vec<_>>(), "buckets and counts");
    for (histogram, buckets) in &buckets {
        let rises = buckets.is_sorted_by(|left, right| left.0 < right.0 && left.1 <= right.1);
        assert!(rises, "the buckets of {histogram} do not rise: {buckets:?}");
        let (bound, total) = *buckets.last().expect("a histogram has buckets");
        assert!(bound.is_infinite(), "{histogram} has no bucket for everything");
        assert!((total - counts[histogram]).abs() < 0.5, "{histogram}: {total} and {}", counts[histogram]);
    }
    families
}
