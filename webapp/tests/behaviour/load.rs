//! `/load` of one replica: what the short commands mean, and every shape that `PUT` takes.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::replica::{Replica, quiet};

async fn factor(replica: &Replica) -> f64 {
    replica.json("/load").await["factor"].as_f64().expect("a factor is a number")
}

fn assert_near(value: f64, expected: f64, what: &str) {
    assert!((value - expected).abs() < 1e-6, "{what}: {value}, expected {expected}");
}

#[tokio::test]
async fn the_short_commands_change_the_factor() {
    let replica = Replica::start(quiet()).await;
    for (command, expected) in [
        ("increase", 2.0),
        ("increase", 3.0),
        ("decrease", 2.0),
        ("decrease", 1.0),
        ("decrease", 0.0),
        ("decrease", 0.0),
        ("reset", 1.0),
    ] {
        replica.json(&format!("/load/{command}")).await;
        assert_near(factor(&replica).await, expected, command);
    }
    let version = &replica.json("/load").await["version"];
    assert_eq!(version["counter"], 7, "each change is counted: {version}");
}

#[tokio::test]
async fn a_spike_has_its_defaults_and_takes_others() {
    let replica = Replica::start(quiet()).await;
    let spike = |base: f64, peak: f64, hold: f64, ramp: f64| json!({"kind": "spike", "base": base, "peak": peak, "hold_seconds": hold, "ramp_seconds": ramp});
    let answer = replica.json("/load/spike").await;
    assert_eq!(answer["schedule"]["shape"], spike(1.0, 5.0, 120.0, 30.0));
    assert_near(answer["factor"].as_f64().unwrap(), 5.0, "the default spike");
    let remaining = answer["schedule"]["remaining_seconds"].as_f64().unwrap();
    assert!((149.0..=150.0).contains(&remaining), "{remaining} s remain");

    let answer = replica.json("/load/spike?factor=8&hold=60s&ramp=10s").await;
    assert_eq!(answer["schedule"]["shape"], spike(1.0, 8.0, 60.0, 10.0));
    let reply = replica.send(Method::PUT, "/load", Some(r#"{"factor": 6, "hold": "2m"}"#)).await;
    assert_eq!(reply.json::<Value>().unwrap()["schedule"]["shape"], spike(1.0, 6.0, 120.0, 30.0));

    replica.json("/load/spike?factor=9&hold=0s&ramp=0s").await;
    assert_near(factor(&replica).await, 1.0, "a spike that is over goes back to the lasting factor");
    replica.json("/load/reset").await;
    assert!(replica.json("/load").await["schedule"].is_null(), "a reset ends the spike");
}

#[tokio::test]
async fn put_takes_every_shape() {
    let replica = Replica::start(webapp::WebappConfig { base_rps: 40.0, ..quiet() }).await;
    for (body, expected) in [
        (json!({"factor": 3}), 3.0),
        (json!({"shape": {"kind": "steady", "level": 2}}), 2.0),
        (
            json!({"shape": {"kind": "steps", "steps": [{"at_seconds": 0, "level": 4}, {"at_seconds": 3600, "level": 1}]}}),
            4.0,
        ),
        (json!({"shape": {"kind": "ramp", "from": 6, "to": 6, "over_seconds": 60}}), 6.0),
        (
            json!({"shape": {"kind": "spike", "base": 1, "peak": 7, "hold_seconds": 60, "ramp_seconds": 1}}),
            7.0,
        ),
        (json!({"shape": {"kind": "sine", "mean": 3, "amplitude": 0, "period_seconds": 60}}), 3.0),
        (json!({"shape": {"kind": "diurnal", "low": 2, "high": 2, "peak_at_seconds": 0}}), 2.0),
        (
            json!({"shape": {"kind": "random_walk", "start": 5, "step": 1, "min": 1, "max": 9, "every_seconds": 3600, "seed": 3}}),
            5.0,
        ),
        (
            json!({"shape": {"kind": "replay", "points": [{"at_seconds": 0, "level": 8}], "end_seconds": 3600}}),
            8.0,
        ),
        (json!({"replay_csv": "time,requests\n0,12000\n60,400\n"}), 5.0),
    ] {
        let reply = replica.send(Method::PUT, "/load", Some(&body.to_string())).await;
        assert_eq!(reply.status, StatusCode::OK, "{body}: {:?}", reply.body);
        assert_near(factor(&replica).await, expected, &body.to_string());
    }
}
