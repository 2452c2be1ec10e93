//! The classic environment variables, each also as a file, and those of Docker's own programs: honoured or refused.

use http_client::HttpClient;
use serde_json::Value;
use tempfile::TempDir;

use crate::leaving_reader::Server;
use crate::support::{TIMEOUT, lab};

/// Ends with status 2 and these words, where these variables are set.
#[track_caller]
fn refused(arguments: &[&str], variables: &[(&str, &str)], words: &[&str]) {
    let output = lab().args(arguments).envs(variables.iter().copied()).output().expect("the lab runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{variables:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{variables:?} do not give `{word}`:\n{said}");
    }
}

#[tokio::test]
async fn a_value_in_a_file_counts_as_the_variable_itself() {
    let folder = TempDir::new().expect("a folder");
    for flag in [None, Some(["--max-replicas", "3"])] {
        let mut command = lab();
        command.args(["scaler", "--listen", "127.0.0.1:0"]).args(flag.iter().flatten());
        for (name, value) in [
            ("SCALE_UP_THRESHOLD", "0.7"),
            ("SCALE_DOWN_THRESHOLD", "0.1"),
            ("MIN_REPLICAS", "2"),
            ("MAX_REPLICAS", "9"),
            ("CHECK_INTERVAL", "7"),
            ("SCALE_UP_COOLDOWN", "31"),
            ("SCALE_DOWN_COOLDOWN", "61s"),
        ] {
            let file = folder.path().join(name);
            std::fs::write(&file, format!("{value}\n")).expect("the folder can be written");
            command.env(format!("{name}_FILE"), file);
        }
        let scaler = Server::run(command);
        let reply = HttpClient::new().get(&format!("{}/api/policy", scaler.url), TIMEOUT).await;
        let policy: Value = reply.expect("it answers").json().expect("JSON");
        let settings = &policy["settings"];
        // A flag beats them, as it beats the variable.
        assert_eq!(settings["maxReplicas"], if flag.is_some() { 3 } else { 9 }, "{policy}");
        assert_eq!(settings["minReplicas"], 2, "{policy}");
        for (field, value) in [("scaleUpThreshold", 0.7), ("scaleDownThreshold", 0.1)] {
            assert_eq!(settings[field].as_f64(), Some(value), "{policy}");
        }
        for (field, value) in
            [("checkInterval", "7s"), ("scaleUpCooldown", "31s"), ("scaleDownCooldown", "1m 1s")]
        {
            assert_eq!(settings[field], value, "{policy}");
        }
    }
}

#[test]
fn files_that_cannot_be_are_refused_by_every_command_that_reads_them() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("value");
    std::fs::write(&file, "many\n").expect("the folder can be written");
    let path = file.to_str().expect("the path is text");
    let prometheus = ["scaler", "--source", "prometheus"];
    for command in [&["scaler"][..], &["up"], &["demo", "--fast"]] {
        refused(command, &[("MAX_REPLICAS_FILE", path)], &["MAX_REPLICAS", "many", "hint: "]);
        refused(command, &[("MAX_REPLICAS_FILE", "/nowhere")], &["MAX_REPLICAS_FILE", "/nowhere", "hint: "]);
        refused(command, &[("MAX_REPLICAS_FILE", path), ("MAX_REPLICAS", "4")], &["both set", "hint: unset"]);
    }
    refused(&prometheus, &[("PROMETHEUS_URL_FILE", path)], &["PROMETHEUS_URL", "many"]);
    refused(&prometheus, &[("PROMETHEUS_URL_FILE", path), ("PROMETHEUS_URL", "http://x")], &["both set"]);
    refused(&["scaler"], &[("SERVICE_NAME_FILE", "/nowhere")], &["SERVICE_NAME_FILE", "/nowhere"]);
}

#[test]
fn a_name_beside_a_file_of_services_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("services.yaml");
    let text = "apiVersion: autoscale-lab/v1\nkind: Services\nservices: [{name: a}, {name: b}]\n";
    std::fs::write(&file, text).expect("the folder can be written");
    let command = ["scaler", "--services", file.to_str().expect("the path is text")];
    refused(&command, &[("SERVICE_NAME", "shop")], &["SERVICE_NAME is `shop`", "services.yaml"]);
    let flag = [&command[..], &["--service-name", "shop"]].concat();
    refused(&flag, &[], &["--service-name is `shop`", "services.yaml"]);
}

#[test]
fn variables_of_docker_that_would_be_ignored_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().to_str().expect("the path is text");
    let tcp = ("DOCKER_HOST", "tcp://127.0.0.1:1");
    for actuator in ["compose", "compose-cli", "swarm", "ansible"] {
        let command = ["scaler", "--listen", "127.0.0.1:0", "--actuator", actuator];
        refused(&command, &[("DOCKER_TLS_VERIFY", "1")], &["DOCKER_TLS_VERIFY", "hint: "]);
        refused(&command, &[tcp, ("DOCKER_CERT_PATH", path)], &["DOCKER_CERT_PATH", "hint: "]);
        refused(
            &command,
            &[tcp, ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path)],
            &["ca.pem", "DOCKER_CERT_PATH"],
        );
        refused(&command, &[("DOCKER_CONTEXT", "far")], &["DOCKER_CONTEXT is `far`", "hint: "]);
    }
}
