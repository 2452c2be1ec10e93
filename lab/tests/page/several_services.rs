//! One scaler that watches two services: its page lets one choose.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::closed_loop::support::{Up, lab};
use super::{DESK, QUICK, assert_no_complaint, browser};

/// A scaler without a `lab up`; ended when dropped.
pub(super) struct Scaler(std::process::Child);

impl Scaler {
    /// Starts it with further flags; returns its address, too.
    pub(super) fn start(flags: &[&str]) -> (Self, String) {
        let mut child = lab()
            .args(["scaler", "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the lab starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        let scaler = Self(child);
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)
            .expect("it tells its address");
        (scaler, line.trim().trim_start_matches("listening on ").to_owned())
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

#[tokio::test]
async fn the_page_shows_the_service_that_is_chosen() {
    let Some(mut browser) = browser().await else { return };
    // Both services are this loop, which is what two scalers that only watch would see.
    let up = Up::start(&QUICK);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("services.yaml");
    let text = format!(
        "apiVersion: autoscale-lab/v1\nkind: Services\nservices:\n  - {{name: webapp, gatewayAdmin: '{0}'}}\n  - \
         {{name: database, gatewayAdmin: '{0}', policy: aggressive}}\n",
        up.admin
    );
    std::fs::write(&file, text).expect("the folder can be written");
    let (_scaler, address) = Scaler::start(&["--services", &file.to_string_lossy()]);
    browser.open(&address, DESK).await;
    let about = |service: &str| {
        format!("document.getElementById('about')?.textContent.startsWith('Scaler of {service} ')")
    };
    let within = Duration::from_secs(15);
    browser.until("the first service", &about("webapp"), within).await;
    let choice = "!document.getElementById('services').hidden && [...document.getElementById('service').options].map((one) => one.value)";
    browser.until("a choice", &format!("({choice}) !== false"), within).await;
    assert_eq!(browser.evaluate(choice).await, json!(["webapp", "database"]));
    let choose = "(() => { const select = document.getElementById('service'); select.value = 'database'; select.dispatchEvent(new Event('change')); return true; })()";
    browser.evaluate(choose).await;
    browser.until("the other service", &about("database"), within).await;
    let policy = "document.getElementById('policy')?.textContent.startsWith('Policy aggressive')";
    browser.until("its policy", policy, within).await;
    browser.click("#pause").await;
    let paused = "document.getElementById('pause')?.textContent === 'Resume'";
    browser.until("the pause of this one", paused, within).await;
    let of = |service: &str| format!("{address}/api/services/{service}/status");
    for (service, is_paused) in [("database", true), ("webapp", false)] {
        assert_eq!(up.get(&of(service)).await.expect("a status")["paused"], is_paused, "{service}");
    }
    assert_no_complaint(&mut browser).await;
}
