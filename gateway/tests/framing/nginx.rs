//! nginx as a reverse proxy with kept connections, in a folder of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running nginx. It listens on a socket in its folder, so that no port can be taken from it.
pub(crate) struct Nginx {
    pub(crate) socket: PathBuf,
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts nginx before this endpoint, or says why it does not and returns nothing.
    pub(crate) fn start(endpoint: SocketAddr) -> Option<Self> {
        if !test_requirements::has_program("nginx", "nginx", "apt-get install nginx-light") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("nginx.sock");
        let configuration = configuration(folder.path().to_str().unwrap(), endpoint);
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { socket, process, _folder: folder })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The configuration asks for one process, without a master.
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn configuration(folder: &str, endpoint: SocketAddr) -> String {
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 10m;
    client_header_timeout 2s;
    client_body_timeout 2s;
    keepalive_timeout 2s;
    large_client_header_buffers 8 64k;
    upstream endpoint {{ server {endpoint}; keepalive 16; }}
    server {{
        listen unix:{folder}/nginx.sock;
        location / {{
            proxy_pass http://endpoint;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"
    )
}
