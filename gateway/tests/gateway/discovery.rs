//! Endpoints are found by name, and a name that is not found takes nobody away.

use gateway::{DnsTarget, GatewayConfig};

use crate::support::{Lab, Replica, config, eventually};

fn discovering(name: &str, port: u16) -> GatewayConfig {
    GatewayConfig { discover: Some(DnsTarget { name: name.to_owned(), port }), ..config() }
}

#[tokio::test]
async fn a_name_that_is_found_brings_its_endpoints() {
    if !test_requirements::has_name("localhost") {
        return;
    }
    let replica = Replica::plain().await;
    let lab = Lab::with(discovering("localhost", replica.address.port()), &[]).await;
    lab.until_ready(1).await;
    assert_eq!(lab.get("/").await.status, 200);
    assert_eq!(lab.endpoints().await[0]["url"], replica.url());

    assert_eq!(lab.delete(&replica).await.status, 200);
    // The name is looked up each second; two more look-ups must not bring it back.
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_millis(2200) {
        assert_eq!(lab.endpoints().await.len(), 0, "what was drained stays out while DNS names it");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    lab.put(&replica).await;
    lab.until_ready(1).await;
}

#[tokio::test]
async fn a_name_that_is_not_found_is_counted_and_takes_nobody_away() {
    let replica = Replica::plain().await;
    // A name that no resolver may find (RFC 6761).
    let lab = Lab::with(discovering("webapp.invalid", 80), &[&replica]).await;
    eventually("it is counted", || async { lab.metric("gateway_discovery_errors_total").await > 0.5 }).await;
    assert_eq!(lab.get("/").await.status, 200);
    assert_eq!(lab.states().await["ready"], 1);
}
