//! Loads the live page as a browser does: every file it names, and the headers that keep it safe.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use scaler::policy_file::{NamedPolicy, PolicyOverrides};
use scaler::{Scaler, ScalerConfig, ServiceConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// All files together, without compression: a phone has them at once.
const PAGE_BYTES_MAX: usize = 96 * 1024;

struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

async fn start() -> SocketAddr {
    let policy = NamedPolicy::load("moderate", &PolicyOverrides::default()).unwrap();
    let service =
        ServiceConfig { gateway_admin: "http://127.0.0.1:1".to_owned(), ..ServiceConfig::new(policy) };
    let config = ScalerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..ScalerConfig::new(vec![service]) };
    let scaler = Scaler::bind(config).await.unwrap();
    let address = scaler.local_addr();
    tokio::spawn(scaler.serve(std::future::pending()));
    address
}

async fn get(address: SocketAddr, path: &str, header: &str) -> Reply {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{header}\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    connection.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Reply { status, headers, body: body.to_owned() }
}

/// The files that a text names: links of the page, imports of a script.
fn named_in(text: &str) -> Vec<String> {
    let links = text.split("\"/page/").skip(1);
    let imports = text.split("from \"./").skip(1);
    links.chain(imports).map(|rest| format!("/page/{}", rest.split('"').next().unwrap())).collect()
}

#[tokio::test]
async fn the_page_and_everything_it_names_is_served_under_a_strict_policy() {
    let address = start().await;
    let mut to_load = vec!["/".to_owned()];
    let mut loaded = BTreeMap::new();
    while let Some(path) = to_load.pop() {
        if loaded.contains_key(&path) {
            continue;
        }
        let reply = get(address, &path, "").await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let expected = match path.rsplit_once('.').map(|(_, ending)| ending) {
            None => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some(other) => panic!("{path}: what is a {other}?"),
        };
        assert_eq!(reply.headers["content-type"], expected, "{path}");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(reply.headers["cache-control"], "no-cache", "{path}");
        let policy = &reply.headers["content-security-policy"];
        for part in ["default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");

        let known = get(address, &path, &format!("if-none-match: {}\r\n", reply.headers["etag"])).await;
        assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
        to_load.extend(named_in(&reply.body));
        loaded.insert(path, reply.body.len());
    }
    assert!(loaded.len() > 10, "the imports were not followed: {loaded:?}");
    let size: usize = loaded.values().sum();
    assert!(size <= PAGE_BYTES_MAX, "{size} bytes, expected at most {PAGE_BYTES_MAX}: {loaded:?}");
}

#[tokio::test]
async fn what_is_no_file_of_the_page_is_not_served() {
    let address = start().await;
    for path in ["/page/", "/page/nothing.js", "/page/..%2fapi.rs", "/page/index.html/", "/favicon.ico"] {
        let reply = get(address, path, "").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.body.starts_with("{\"error\":"), "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn what_changes_is_never_kept() {
    let address = start().await;
    for path in ["/api/status", "/api/history", "/api/policy"] {
        assert_eq!(get(address, path, "").await.headers["cache-control"], "no-store", "{path}");
    }
}
