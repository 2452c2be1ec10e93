//! Prometheus' and Alertmanager's own programs accept the configuration.
//!
//! Where a program is not installed, the test says so and passes; with `LAB_REQUIRE=prometheus` it fails.

use std::path::Path;
use std::process::Command;

use crate::files;

/// Whether the program is there; panics if it is not and has to be.
fn installed(program: &str) -> bool {
    test_requirements::has_program(
        "prometheus",
        program,
        "apt-get install prometheus prometheus-alertmanager",
    )
}

/// Runs it in `observability/` and returns what it printed; it must succeed.
fn run(program: &str, arguments: &[&str], paths: &[impl AsRef<Path>]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .args(paths.iter().map(AsRef::as_ref))
        .current_dir(files::folder())
        .output()
        .expect("it is installed");
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {} failed:\n{printed}", arguments.join(" "));
    printed
}

#[test]
fn promtool_accepts_the_configurations() {
    if installed("promtool") {
        let paths = ["prometheus/prometheus.lab-up.yml", "prometheus/prometheus.compose.yml"];
        run("promtool", &["check", "config", "--lint=all", "--lint-fatal"], &paths);
    }
}

#[test]
fn promtool_accepts_the_rules() {
    if installed("promtool") {
        run("promtool", &["check", "rules", "--lint=all", "--lint-fatal"], &files::rule_files());
    }
}

#[test]
fn alerts_fire_and_stay_quiet_as_their_cases_say() {
    if installed("promtool") {
        let cases = files::list(&files::folder().join("prometheus/tests"), ".test.yml");
        run("promtool", &["test", "rules"], &cases);
    }
}

#[test]
fn amtool_accepts_the_routes_and_templates() {
    if installed("amtool") {
        run("amtool", &["check-config"], &["alertmanager/alertmanager.yml"]);
    }
}

#[test]
fn alerts_reach_whom_their_severity_asks_for() {
    if !installed("amtool") {
        return;
    }
    for (severity, receivers) in
        [("critical", "webhook,pagerduty-and-slack"), ("warning", "webhook,slack"), ("info", "webhook")]
    {
        let label = format!("severity={severity}");
        let file = "--config.file=alertmanager/alertmanager.yml";
        let expected = format!("--verify.receivers={receivers}");
        run("amtool", &["config", "routes", "test", file, &expected], &[label]);
    }
}

#[test]
fn messages_say_what_happened_and_what_to_do() {
    if !installed("amtool") {
        return;
    }
    let data = files::repository().join("observability/tests/configuration/message.json");
    let text = "--template.text={{ template \"lab.title\" . }}|{{ template \"lab.text\" . }}";
    let printed = run(
        "amtool",
        &["template", "render", "--template.glob=alertmanager/templates/*.tmpl", text, "--template.data"],
        &[data],
    );
    assert_eq!(
        printed.trim(),
        "1 firing: HighResponseTime|The mean response time is above 0.5 s\nCompleted requests took 600ms.\n\
         What to do: observability/runbooks/HighResponseTime.md"
    );
}
