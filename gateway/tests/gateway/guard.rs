//! The admin side takes changes from programs and from its own name only, and lets everybody read.

use crate::support::{Lab, Replica, Reply, config};

async fn under(lab: &Lab, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    lab.send_to(lab.admin, method, path, headers, body.to_owned()).await.unwrap()
}

const FOREIGN: [&[(&str, &str)]; 9] = [
    &[("host", "evil.example:8001")],
    &[("host", "evil.example:8001"), ("origin", "http://evil.example:8001")],
    &[("host", "localhost.evil.example")],
    &[("host", "10.1.2.3:8001")],
    &[("host", "gateway:8001")],
    &[("host", "localhost:8001"), ("origin", "http://evil.example")],
    &[("host", "localhost:8001"), ("origin", "null")],
    &[("host", "localhost:8001"), ("sec-fetch-site", "cross-site")],
    &[("host", "localhost:8001"), ("host", "evil.example")],
];

#[tokio::test]
async fn a_page_of_another_site_neither_adds_nor_removes_endpoints() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    let put = r#"{"url": "http://127.0.0.1:9"}"#;
    let delete = format!("/endpoints?url={}&wait=0s", replica.url());
    for headers in FOREIGN {
        for (method, path, body) in [("PUT", "/endpoints", put), ("DELETE", delete.as_str(), "")] {
            let reply = under(&lab, method, path, headers, body).await;
            assert_eq!(reply.status, 403, "{method} with {headers:?}");
            assert!(reply.error().contains("changes are not taken"), "{reply:?}");
        }
    }
    let endpoints = lab.endpoints().await;
    assert_eq!(endpoints.len(), 1, "{endpoints:?}");
    assert_eq!(endpoints[0]["state"], "ready");
}

#[tokio::test]
async fn programs_and_names_that_were_allowed_change_endpoints() {
    let allowed_hosts = vec!["gateway".to_owned(), "Lab.Example".to_owned()];
    let lab = Lab::with(gateway::GatewayConfig { allowed_hosts, ..config() }, &[]).await;
    let own: [&[(&str, &str)]; 6] = [
        &[],
        &[("host", "localhost:8001")],
        &[("host", "[::1]:8001")],
        &[("host", "gateway:8001")],
        &[("host", "lab.example")],
        &[("host", "localhost:8001"), ("origin", "http://localhost:8001"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in own {
        let reply = under(&lab, "PUT", "/endpoints", headers, r#"{"url": "http://127.0.0.1:9"}"#).await;
        assert_eq!(reply.status, 201, "{headers:?}");
        let reply = under(&lab, "DELETE", "/endpoints?url=http://127.0.0.1:9", headers, "").await;
        assert_eq!(reply.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn reading_is_free_under_any_name() {
    let lab = Lab::start(&[]).await;
    for path in ["/endpoints", "/sd", "/metrics", "/health"] {
        for method in ["GET", "HEAD"] {
            let reply = under(&lab, method, path, &[("host", "prometheus.example:8001")], "").await;
            assert_eq!(reply.status, 200, "{method} {path}");
        }
    }
}
