//! One version of each OpenTelemetry crate is built: with two, spans of one would not see the context of the other, and
//! nothing would say so.

use std::collections::BTreeMap;

#[test]
fn each_opentelemetry_crate_has_one_version() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let lock = std::fs::read_to_string(path).expect("the lockfile is there");
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find(|line| line.starts_with(key))?;
            line.split('"').nth(1)
        };
        let (Some(name), Some(version)) = (value("name = "), value("version = ")) else { continue };
        if name.contains("opentelemetry") {
            versions.entry(name).or_default().push(version);
        }
    }
    assert!(versions.len() >= 4, "the lockfile was not understood: {versions:?}");
    for (name, found) in &versions {
        assert_eq!(found.len(), 1, "{name} is there as {found:?}");
    }
    let minor = |name: &str| versions[name][0].rsplit_once('.').map(|(minor, _)| minor);
    for name in ["opentelemetry_sdk", "opentelemetry-otlp", "opentelemetry-proto"] {
        assert_eq!(minor(name), minor("opentelemetry"), "{name} does not go with the others");
    }
}
