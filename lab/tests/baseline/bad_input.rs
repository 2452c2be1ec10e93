//! What cannot be is named in one line, and nothing is started.

use tempfile::TempDir;

use crate::command::{lab, status, text};

#[test]
fn bad_input_is_named_and_nothing_is_started() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(
        folder.path().join("broken.json"),
        "{\"format\": \"autoscale-lab/baseline\", \"version\": 9}",
    )
    .expect("a file");
    let scenario = "apiVersion: autoscale-lab/v1\nkind: Scenario\nspec:\n  userz: []\n";
    std::fs::write(folder.path().join("mine.yaml"), scenario).expect("a file");
    for (arguments, expected_status, part) in [
        (&["baseline", "--slo", "rps=3"][..], 2, "response time"),
        (&["baseline", "--levels", "0"], 2, "--levels"),
        (&["baseline", "--levels", "100,2000000"], 2, "at most 1000000"),
        (&["baseline", "--replicas", "1..2", "--base-rps", "40"], 2, "--base-rps is 40"),
        (&["baseline", "--resolution", "0"], 2, "--resolution"),
        (&["baseline", "--request", "GET"], 2, "METHOD PATH"),
        (&["baseline", "--request", "GET /a b"], 2, "`/a%20b`"),
        (&["baseline", "--request", "FOO /ok"], 2, "`FOO` is not a method"),
        (&["baseline", "--host", "http://zoe:secret@h:99999"], 2, "`http://h:99999`"),
        (&["baseline", "--replicas", "0..3"], 2, "--replicas"),
        (&["baseline", "--replicas", "2", "--host", "http://127.0.0.1:1"], 2, "--host"),
        (&["baseline", "--report", "a.pdf"], 2, ".html"),
        (&["baseline", "--out", "nowhere/a.json"], 3, "nowhere/a.json"),
        (&["baseline", "--host", "http://127.0.0.1:1"], 3, "127.0.0.1:1"),
        (&["baseline", "--workers", "0"], 2, "workers"),
        (&["baseline", "--scenario", "no/such.yaml"], 2, "no/such.yaml"),
        (&["baseline", "--scenario", "mine.yaml"], 2, "mine.yaml:4"),
        (&["baseline", "--scenario", "shop", "--tags", "nothing"], 2, "nothing"),
        (&["baseline", "--scenario", "shop", "--request", "GET /"], 2, "--request"),
        (&["baseline", "--tags", "write"], 2, "--scenario"),
        (&["baseline", "--scenario", "shop", "--host", "http://127.0.0.1:1"], 3, "127.0.0.1:1"),
        (&["baseline", "--scenario", "shop", "--connections", "0"], 2, "connections is 0"),
        (&["baseline", "diff", "broken.json", "broken.json"], 2, "`version`"),
        (&["baseline", "diff", "none.json", "none.json"], 2, "none.json"),
        (&["baseline", "diff", "--interleave", "a", "b"], 2, "--levels"),
        (&["policy", "suggest", "--from", "none.json"], 2, "none.json"),
        (&["policy", "suggest", "--name", "a b"], 2, "--name"),
    ] {
        let output = lab(folder.path(), arguments);
        let error = text(&output.stderr);
        assert_eq!(status(&output), expected_status, "{arguments:?}: {error}");
        assert!(!error.contains("secret"), "{arguments:?} tells a password: {error}");
        assert!(error.contains(part), "{arguments:?} says nothing of `{part}`: {error}");
    }
}
