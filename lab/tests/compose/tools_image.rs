//! The image `lab-tools`, run as the guide to actuators says it, scales a lab in containers.

use std::process::Child;
use std::time::Duration;

use crate::docker::{bounded, is_there, root, run};
use crate::ground::free_ports;
use crate::image::{LAB_IMAGE, build_command};
use crate::project::Project;

const NAME: &str = "labcmp-tools";

/// The container that the guide's line runs; the guide gives it no name.
const CONTAINER: &str = "labcmp-tools-scaler";

const TOOLS_IMAGE: &str = "autoscale-lab/lab-tools:test";

/// The guide's `docker run`, with these words of it replaced.
fn line_of_the_guide(replaced: &[(&str, &str)]) -> String {
    let guide = std::fs::read_to_string(root().join("docs/guides/actuators.md")).expect("the guide is there");
    let line = guide
        .split_once("\ndocker run ")
        .and_then(|(_, rest)| rest.split_once("\n```"))
        .map(|(line, _)| format!("exec docker run {line}"))
        .expect("the guide has it");
    replaced.iter().fold(line, |line, (word, by)| {
        assert!(line.contains(word), "`{word}` is not in the guide's line:\n{line}");
        line.replace(word, by)
    })
}

/// The scaler in its container; ended when dropped.
struct ScalerInTools {
    page: String,
    process: Child,
}

impl ScalerInTools {
    fn start(lab: &Project) -> Self {
        let address = format!("127.0.0.1:{}", free_ports(1)[0]);
        // A name to end it by, and the image of replicas, which a user has from `.env`.
        let options = format!("docker run --name {CONTAINER} -e LAB_IMAGE={LAB_IMAGE} ");
        let line = line_of_the_guide(&[
            ("docker run ", &options),
            ("127.0.0.1:8090", &address),
            ("autoscale-lab/lab-tools:0.1.0", TOOLS_IMAGE),
            ("--compose-project autoscale-lab", &format!("--compose-project {NAME}")),
            ("compose/compose.yaml", "compose/compose.yaml,compose/compose.offline.yaml"),
        ]);
        let line = format!("{line} --gateway {} --gateway-admin {}", lab.gateway, lab.gateway_admin);
        let mut command = bounded(Duration::from_secs(300), "bash");
        // Its output is the only place where it says why it does not start.
        let process = command.args(["-c", &line]).spawn().expect("bash can be started");
        Self { page: format!("http://{address}"), process }
    }
}

impl Drop for ScalerInTools {
    fn drop(&mut self) {
        drop(bounded(Duration::from_secs(60), "docker").args(["rm", "-f", CONTAINER]).output());
        drop(self.process.wait());
    }
}

#[tokio::test]
#[ignore = "minutes, and an image of its own; scripts/long-run.sh runs it"]
async fn the_image_with_ansible_scales_as_the_guide_says() {
    if !is_there() {
        return;
    }
    let lab = Project::start(NAME, &[]);
    run(build_command().arg("--tools").env("LAB_TOOLS_IMAGE", TOOLS_IMAGE));
    lab.let_scaler("pause").await;

    let scaler = ScalerInTools::start(&lab);
    let status = format!("{}/api/status", scaler.page);
    lab.wait_for_status_at(&status, "the replica seen", Duration::from_secs(60), |status| {
        status["actuator"] == "ansible" && status["replicas"]["current"] == 1
    })
    .await;
    for count in [3, 1] {
        Project::scale_by_hand_at(&scaler.page, count);
        assert_eq!(lab.containers("webapp").len() as u64, u64::from(count));
    }
}
