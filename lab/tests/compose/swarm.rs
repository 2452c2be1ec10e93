//! The lab as a stack of a swarm of one node, which is begun for the test and left after it.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{bounded, docker, is_there, root, run};
use crate::ground::{Ground, fast_overlay};

const NAME: &str = "labcmp-swarm";

/// The network that joins a node's containers to the outside, which leaving a swarm does not remove.
const BRIDGE: &str = "docker_gwbridge";

/// Replicas as the scaler's status counts them.
fn count(status: &Value, which: &str) -> u64 {
    status["replicas"][which].as_u64().unwrap_or_default()
}

/// A swarm with the stack; both are ended when dropped.
struct Stack {
    gateway: String,
    scaler: String,
    ground: Ground,
    had_bridge: bool,
}

impl Stack {
    /// None where the engine is part of a swarm already, which is nobody's to play with.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
    fn deploy() -> Option<Self> {
        let ground = Ground::prepare(NAME);
        let state = docker(&["info", "--format", "{{.Swarm.LocalNodeState}}"]);
        if state.trim() != "inactive" {
            eprintln!("skipped: the engine is part of a swarm already");
            return None;
        }
        let had_bridge =
            docker(&["network", "ls", "--format", "{{.Name}}"]).lines().any(|name| name == BRIDGE);
        let stack = Self {
            gateway: ground.url("GATEWAY_PORT"),
            scaler: ground.url("SCALER_PORT"),
            ground,
            had_bridge,
        };
        docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        // As the guide and the head of the file say it; the image is made already.
        let mut deploy = bounded(Duration::from_secs(120), root().join("scripts/deploy-stack.sh"));
        run(deploy.args(["--no-build", &fast_overlay()]).envs(stack.ground.settings().iter().cloned()));
        Some(stack)
    }

    async fn wait_for(&self, what: &str, within: Duration, condition: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let status = self.ground.get(&format!("{}/api/status", self.scaler)).await;
            if status.as_ref().is_ok_and(&condition) {
                return;
            }
            assert!(
                began.elapsed() < within,
                "not within {within:?}: {what}\n{status:?}\n{}\n{}",
                docker(&["stack", "ps", "--no-trunc", NAME]),
                docker(&["service", "logs", "--tail", "200", &format!("{NAME}_scaler")])
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Containers and networks of the stack that are there. Its volumes stay, as they do after `docker compose down`.
    fn leftovers() -> String {
        let filter = format!("label=com.docker.stack.namespace={NAME}");
        let list = |what: [&str; 2]| docker(&[what[0], what[1], "-q", "--filter", &filter]);
        [["ps", "-a"], ["network", "ls"]].into_iter().map(list).collect()
    }

    /// Takes the stack down as a user does, and leaves the swarm.
    async fn remove(self) {
        docker(&["stack", "rm", NAME]);
        let began = Instant::now();
        while !Self::leftovers().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "containers of the stack are left");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        docker(&["swarm", "leave", "--force"]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // After a test that failed all of it is still there; after one that did not, the volumes are.
        let run = |arguments: &[&str]| {
            let output = Command::new("docker").args(arguments).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
        };
        run(&["stack", "rm", NAME]);
        run(&["swarm", "leave", "--force"]);
        let filter = format!("label=com.docker.stack.namespace={NAME}");
        for (list, remove) in [(["ps", "-a"], ["rm", "-f"]), (["volume", "ls"], ["volume", "rm"])] {
            for id in run(&[list[0], list[1], "-q", "--filter", &filter]).split_whitespace() {
                run(&[remove[0], remove[1], id]);
            }
        }
        if !self.had_bridge {
            run(&["network", "rm", BRIDGE]);
        }
    }
}

#[tokio::test]
#[ignore = "a swarm disturbs the names of projects that run beside it; scripts/long-run.sh runs it"]
async fn a_stack_scales_under_a_spike_and_leaves_nothing() {
    if !is_there() {
        return;
    }
    let Some(stack) = Stack::deploy() else { return };
    stack
        .wait_for("values from Prometheus", Duration::from_secs(120), |status| {
            status["source"] == "prometheus"
                && status["actuator"] == "swarm"
                && status["signals"]["response_time_mean_seconds"]["value"].is_f64()
        })
        .await;
    let spike = format!("{}/load/spike?factor=5&hold=75s&ramp=5s", stack.gateway);
    run(bounded(Duration::from_secs(10), "curl").args(["-fsS", "--max-time", "8", &spike]));
    stack
        .wait_for("three replicas in the spike", Duration::from_secs(90), |status| {
            count(status, "ready") >= 3
        })
        .await;
    let service = format!("{NAME}_webapp");
    let replicas =
        docker(&["service", "inspect", "--format", "{{.Spec.Mode.Replicated.Replicas}}", &service]);
    assert!(replicas.trim().parse::<u32>().is_ok_and(|replicas| replicas >= 3), "{replicas}");
    stack
        .wait_for("one replica after the spike", Duration::from_secs(180), |status| {
            count(status, "current") == 1 && count(status, "ready") == 1
        })
        .await;
    stack.remove().await;
}
