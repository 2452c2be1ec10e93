//! `lab policy check`.

use crate::command::{manifest, manifests, policy};

#[test]
fn each_wrong_manifest_is_refused_with_file_line_field_and_hint() {
    let files = manifests("wrong");
    assert_eq!(files.len(), 12);
    for file in files {
        let told = policy(&["check", &file]);
        assert_eq!(told.status, 2, "{file}: {}", told.stderr);
        let (first, hint) = told.stdout.split_once('\n').expect("two lines");
        let rest = first.strip_prefix(&format!("{file}:")).unwrap_or_else(|| panic!("{first}"));
        let (line, message) = rest.split_once(": ").expect("a message");
        assert!(line.parse::<u64>().is_ok_and(|line| line > 0), "{first}");
        assert!(message.starts_with('`') && hint.trim_start().starts_with("hint: "), "{}", told.stdout);
        let json = policy(&["check", "--json", &file]);
        assert_eq!(json.status, 2);
        let json = json.json();
        assert_eq!(json["valid"], false);
        let problem = &json["problems"][0];
        assert_eq!((problem["file"].as_str(), problem["line"].as_u64()), (Some(&*file), line.parse().ok()));
        for key in ["field", "message", "hint"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key} in {problem}");
        }
    }
}

#[test]
fn valid_manifests_and_shipped_policies_are_taken_together() {
    let files = manifests("valid");
    let mut arguments = vec!["check", "moderate", "aggressive"];
    arguments.extend(files.iter().map(String::as_str));
    let told = policy(&arguments);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    for part in [
        "moderate:1: ThresholdPolicy moderate is valid",
        "HorizontalPodAutoscaler backend is valid",
        "Service shop of Knative is valid",
    ] {
        assert!(told.stdout.contains(part), "{part} in {}", told.stdout);
    }
    let json = policy(&["check", "--json", &manifest("valid/v1.yaml")]).json();
    assert_eq!((&json["valid"], json["problems"].as_array().map(Vec::len)), (&true.into(), Some(0)));
    assert!(json["notices"][0]["message"].as_str().is_some_and(|text| text.contains("autoscaling/v2")));
}

#[test]
fn the_labs_own_kinds_are_checked_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.yaml");
    let path = path.to_str().expect("a path");
    for (text, line, field) in [
        (
            "apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nspec:\n  scaleUpTreshold: 0.6\n",
            4,
            "spec.scaleUpTreshold",
        ),
        (
            "apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nspec:\n  minReplicas: 0\n",
            4,
            "spec.minReplicas",
        ),
        ("apiVersion: autoscale-lab/v1\nkind: Thing\n", 2, "kind"),
    ] {
        std::fs::write(path, text).expect("a file");
        let json = policy(&["check", "--json", path]);
        assert_eq!(json.status, 2, "{text}");
        let problem = &json.json()["problems"][0];
        assert_eq!(
            (problem["line"].as_u64(), problem["field"].as_str()),
            (Some(line), Some(field)),
            "{problem}"
        );
    }
}

#[test]
fn files_that_cannot_be_read_are_bad_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("binary.yaml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).expect("a file");
    for file in
        ["/nowhere/at-all.yaml", folder.path().to_str().expect("a path"), binary.to_str().expect("a path")]
    {
        let told = policy(&["check", file]);
        assert_eq!(told.status, 2, "{file}");
        assert!(told.stdout.starts_with(&format!("{file}:1: the file cannot be")), "{}", told.stdout);
    }
    assert_eq!(policy(&["check"]).status, 2);
}
