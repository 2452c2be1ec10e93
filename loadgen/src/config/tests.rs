use std::path::PathBuf;
use std::time::Duration;

use workload::Arrivals;

use super::{Load, LoadConfig};
use crate::levels::Levels;

fn rate(levels: &str, max_users: usize) -> Load {
    Load::Rate { levels: levels.parse().expect(levels), arrivals: Arrivals::Poisson, max_users }
}

#[test]
fn the_defaults_are_valid() {
    assert_eq!(LoadConfig::default().validate(), Ok(()));
}

#[test]
fn hosts_of_every_kind_are_taken() {
    for host in ["http://localhost:8000", "http://[::1]:8000/", "https://shop.example"] {
        let config = LoadConfig { host: host.to_owned(), ..LoadConfig::default() };
        assert_eq!(config.validate(), Ok(()), "{host}");
    }
}

#[test]
fn the_run_time_is_what_was_asked_or_what_the_load_says() {
    let seconds = |load, run_time: Option<u64>| {
        let run_time = run_time.map(Duration::from_secs);
        LoadConfig { load, run_time, ..LoadConfig::default() }.run_time().as_secs()
    };
    assert_eq!(seconds(rate("50", 10), None), 60);
    assert_eq!(seconds(rate("10..200/5m", 10), None), 300);
    assert_eq!(seconds(rate("10..200/5m,200", 10), None), 360);
    assert_eq!(seconds(rate("10..200/5m,200", 10), Some(20)), 20);
}

#[test]
fn each_setting_that_cannot_be_is_named_with_its_value() {
    let default = LoadConfig::default;
    let users = |count| Load::Users(Levels::steady(count));
    let day_and_more = Duration::from_secs(24 * 60 * 60 + 1);
    for (config, setting, value) in [
        (LoadConfig { host: "localhost:8000".to_owned(), ..default() }, "--host", "localhost:8000"),
        (LoadConfig { host: String::new(), ..default() }, "--host", "``"),
        (LoadConfig { host: "ftp://localhost".to_owned(), ..default() }, "--host", "ftp://"),
        (LoadConfig { host: "http://localhost/shop".to_owned(), ..default() }, "--host", "/shop"),
        (LoadConfig { load: users(0.0), ..default() }, "--users", "0"),
        (LoadConfig { load: users(100_001.0), ..default() }, "--users", "100001"),
        (LoadConfig { load: rate("50", 0), ..default() }, "--max-users", "0"),
        (LoadConfig { load: rate("50", 1), ..default() }, "--max-users", "1"),
        (LoadConfig { load: rate("50", 100_001), ..default() }, "--max-users", "100001"),
        (LoadConfig { run_time: Some(Duration::ZERO), ..default() }, "--run-time", "0s"),
        (LoadConfig { run_time: Some(day_and_more), ..default() }, "--run-time", "1day 1s"),
        (LoadConfig { ramp_up: day_and_more, ..default() }, "--ramp-up", "1day 1s"),
        (LoadConfig { timeout: Duration::ZERO, ..default() }, "--timeout", "0s"),
        (LoadConfig { reports: vec![PathBuf::from("load.pdf")], ..default() }, "--report", "load.pdf"),
        (LoadConfig { reports: vec![PathBuf::from("load")], ..default() }, "--report", "`load`"),
        (
            LoadConfig { reports: vec![PathBuf::from("no/such/folder/load.html")], ..default() },
            "--report",
            "no/such/folder",
        ),
    ] {
        let error = config.validate().expect_err(setting);
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(value), "`{value}` is missing: {error}");
    }
}
