//! The playbook that is shipped, by hand and through the actuator `ansible`, on a lab in containers.

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use crate::docker::{bounded, is_there, text};
use crate::ground::free_ports;
use crate::project::Project;

const PLAYBOOK: &str = "compose/ansible/playbook-scale.yml";

/// Whether Ansible can be run; panics if it cannot and has to.
fn has_ansible() -> bool {
    test_requirements::has_program("ansible", "ansible-playbook", "apt-get install ansible-core")
}

fn play(lab: &Project, variables: &[&str]) -> Output {
    let mut command = bounded(Duration::from_secs(120), "ansible-playbook");
    command.args([PLAYBOOK, "-e", &format!("compose_project={}", lab.name)]);
    command.args(variables.iter().flat_map(|variable| ["-e", variable]));
    command.envs(lab.settings()).env("LAB_OVERLAYS", lab.overlays()).env("ANSIBLE_NOCOLOR", "1");
    command.output().expect("Ansible can be started")
}

/// A scaler on this machine that leaves scaling to the playbook; ended when dropped.
struct HostScaler {
    page: String,
    process: Child,
}

impl HostScaler {
    fn start(lab: &Project) -> Self {
        let address = format!("127.0.0.1:{}", free_ports(1)[0]);
        let mut command = bounded(Duration::from_secs(120), env!("CARGO_BIN_EXE_lab"));
        command.args([
            "scaler",
            "--listen",
            &address,
            "--actuator",
            "ansible",
            "--ansible-playbook",
            PLAYBOOK,
        ]);
        command.args(["--compose-project", lab.name, "--compose-service", "webapp"]);
        // Relative, as a user gives them who stands in the workspace.
        command.args(["--compose-file", "compose/compose.yaml,compose/compose.offline.yaml"]);
        command.args(["--gateway", &lab.gateway, "--gateway-admin", &lab.gateway_admin]);
        command.envs(lab.settings()).env("CHECK_INTERVAL", "1h");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the scaler can be started");
        Self { page: format!("http://{address}"), process }
    }
}

impl Drop for HostScaler {
    fn drop(&mut self) {
        // `timeout` passes the signal on, and ends with it.
        drop(test_requirements::try_send_signal(self.process.id(), "TERM"));
        drop(self.process.wait());
    }
}

#[tokio::test]
async fn the_shipped_playbook_scales_by_hand_and_for_the_scaler() {
    if !is_there() || !has_ansible() {
        return;
    }
    let lab = Project::start("labcmp-play", &[]);
    lab.let_scaler("pause").await;

    let output = play(&lab, &["target_replicas=3"]);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("webapp of labcmp-play: 1 replicas before, 3 now, all healthy"), "{said}");
    assert_eq!(lab.containers("webapp").len(), 3);
    let output = play(&lab, &["target_replicas=three"]);
    assert!(!output.status.success());
    assert!(
        text(&output).contains("target_replicas is three, expected a whole number from 0 to 50"),
        "{}",
        text(&output)
    );
    assert_eq!(lab.containers("webapp").len(), 3);

    let scaler = HostScaler::start(&lab);
    lab.wait_for_status_at(
        &format!("{}/api/status", scaler.page),
        "the replicas seen",
        Duration::from_secs(30),
        |status| status["actuator"] == "ansible" && status["replicas"]["current"] == 3,
    )
    .await;
    Project::scale_by_hand_at(&scaler.page, 1);
    assert_eq!(lab.containers("webapp").len(), 1);
}
