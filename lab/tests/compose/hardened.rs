//! The hardened lab: the scaler has no socket and no rights, and still does its work; others are kept out.

use std::process::Output;
use std::time::{Duration, Instant};

use crate::docker::{bounded, docker, is_there, root, run, text};
use crate::project::Project;

/// What `lab health`, run inside a container, says of an address.
fn ask_from(container: &str, url: &str) -> Output {
    bounded(Duration::from_secs(20), "docker")
        .args(["exec", container, "/lab", "health", url])
        .output()
        .expect("docker can be started")
}

/// Looks at all command lines of this machine, as any of its users can, for as long as some health checks take.
fn no_command_line_has_the_password() {
    let password = std::fs::read(root().join("compose/secrets/prometheus_password")).expect("it was made");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        for process in std::fs::read_dir("/proc").expect("there is /proc").flatten() {
            // What has ended meanwhile has none.
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let is_shown = line.windows(password.len()).any(|part| part == password);
            assert!(
                !is_shown,
                "Prometheus' password is on a command line: {}",
                String::from_utf8_lossy(&line)
            );
        }
    }
}

#[tokio::test]
async fn the_scaler_scales_without_a_socket_and_others_are_kept_out() {
    if !is_there() {
        return;
    }
    // The file of Prometheus that knows the password looks each 5 s.
    let lab = Project::start_with("labcmp-hard", &[("LAB_SCALER_WINDOW", "30s")], &["--hardened"]);
    lab.wait_for("values from a Prometheus with a password", Duration::from_secs(90), |status| {
        status["signals"]["response_time_mean_seconds"]["value"].is_f64()
            && status["problems"].as_array().is_some_and(Vec::is_empty)
    })
    .await;

    no_command_line_has_the_password();

    lab.scale_by_hand(2);
    lab.wait_for("a second replica by hand", Duration::from_secs(60), |status| {
        status["replicas"]["ready"] == 2
    })
    .await;
    assert_eq!(lab.containers("webapp").len(), 2);
    lab.scale_by_hand(1);
    lab.wait_for("one replica by hand", Duration::from_secs(60), |status| status["replicas"]["current"] == 1)
        .await;

    let scaler = lab.container("scaler");
    let inspect = |format: &str| docker(&["inspect", "--format", format, &scaler]).trim().to_owned();
    assert_eq!(inspect("{{.Config.User}}"), "65532:65532");
    let mounts = inspect("{{range .Mounts}}{{.Source}} {{end}}");
    assert!(!mounts.contains("docker.sock"), "the scaler has a socket: {mounts}");

    for path in ["/info", "/containers/json", "/images/json", "/v1.41/volumes"] {
        let answer = ask_from(&scaler, &format!("http://docker-proxy:2375{path}"));
        assert_eq!(answer.status.code(), Some(1), "{path}: {}", text(&answer));
        assert!(text(&answer).starts_with("403 "), "{path}: {}", text(&answer));
    }
    let of_another = ask_from(&scaler, &format!("http://docker-proxy:2375/containers/{scaler}/json"));
    assert!(text(&of_another).starts_with("200 "), "the project's own containers may be looked at");
    let stranger =
        docker(&["create", "--label", "com.docker.compose.project=another", crate::image::LAB_IMAGE]);
    let looked = ask_from(&scaler, &format!("http://docker-proxy:2375/containers/{}/json", stranger.trim()));
    docker(&["rm", stranger.trim()]);
    assert!(text(&looked).starts_with("403 "), "another project's container was shown: {}", text(&looked));

    let from_gateway = ask_from(&lab.container("gateway"), "http://docker-proxy:2375/_ping");
    assert_eq!(
        from_gateway.status.code(),
        Some(3),
        "the gateway reaches the engine: {}",
        text(&from_gateway)
    );

    let code = run(bounded(Duration::from_secs(10), "curl").args([
        "-sS",
        "--max-time",
        "8",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        &format!("{}/api/v1/targets", lab.prometheus),
    ]));
    assert_eq!(code, "401", "Prometheus answers without a password");

    lab.stop();
    assert_eq!(lab.leftovers(), "", "containers, networks or volumes are left");
}
