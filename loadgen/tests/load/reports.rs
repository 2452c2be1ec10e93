//! Report files of every ending exist and are what their ending says.

use std::path::PathBuf;

use loadgen::{LoadConfig, LoadError, run};

use crate::service::{Answer, Service, users};

#[tokio::test]
async fn a_report_of_each_ending_is_well_formed() {
    let service = Service::start([("/order", Answer::Refuse)]).await;
    let folder = tempfile::tempdir().unwrap();
    let names = ["load.csv", "load.html", "load.json", "load.md"];
    let config = LoadConfig {
        reports: names.iter().map(|name| folder.path().join(name)).collect(),
        load: users(40),
        ..service.config("mixed")
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert_eq!(result.report_errors, Vec::<String>::new());

    let mut found: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    found.sort();
    assert_eq!(found, names);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();

    let csv = read("load.csv");
    let lines: Vec<Vec<_>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 5 + 1, "header, five requests, all of them:\n{csv}");
    // What spoiled the result may hold commas, and is the last field.
    assert!(lines.iter().all(|fields| fields.len() >= 13), "{csv}");
    assert!(csv.starts_with("request,requests,") && lines[0][12] == "spoiled_by", "{csv}");
    assert_eq!(lines[6][..2], ["all requests", &result.requests.to_string()], "{csv}");
    assert!(lines.iter().any(|fields| fields[0] == "POST /order" && fields[9].is_empty()), "{csv}");

    let json: loadgen::LoadResult = serde_json::from_str(&read("load.json")).expect("JSON of the result");
    assert_eq!(
        (json.requests, &json.errors, json.series.len()),
        (result.requests, &result.errors, result.series.len())
    );
    for name in ["load.html", "load.md"] {
        for part in ["/api/dashboard", "/order", "all requests", &result.slowest[0].trace_id] {
            assert!(read(name).contains(part), "{name} lacks {part}");
        }
    }
    let html = read("load.html");
    for from_outside in ["http://www", "https://", "src=", "href=", "@import"] {
        assert!(!html.contains(from_outside), "the page needs {from_outside}");
    }
    assert!(html.matches("<svg").count() >= 4, "charts are missing");
    assert!(read("load.html").contains("<table"), "no table");
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_named_before_anything_starts() {
    let service = Service::start([]).await;
    let folder = tempfile::tempdir().unwrap();
    let taken: PathBuf = folder.path().join("load.html");
    std::fs::create_dir(&taken).unwrap();
    let config = LoadConfig { reports: vec![taken], ..service.config("mixed") };
    let error = run(&config, std::future::pending(), |_| {}).await.expect_err("a folder is in the way");
    assert!(matches!(error, LoadError::Report { .. }), "{error}");
    assert!(error.to_string().contains("load.html"), "{error}");
}
