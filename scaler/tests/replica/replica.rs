//! A replica for tests with a real engine: answers everything on port 8000 with 200 and ends at SIGTERM.
//!
//! A program of its own, compiled without Cargo, because it is all that its image contains. As process 1 of a container
//! it would not even end at a signal that it does not ask for.

use std::io::{Read, Write};
use std::net::TcpListener;

const SIGTERM: i32 = 15;

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(status: i32) -> !;
}

extern "C" fn end(_: i32) {
    unsafe { _exit(0) }
}

fn main() {
    if std::env::args().any(|argument| argument == "health") {
        return;
    }
    if std::path::Path::new("/flags/fail").exists() {
        eprintln!("told to fail");
        std::process::exit(7);
    }
    unsafe { signal(SIGTERM, end) };
    let listener = TcpListener::bind("0.0.0.0:8000").expect("port 8000 is free in a container");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        std::thread::spawn(move || {
            let mut request = [0; 4096];
            let _length = stream.read(&mut request);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            let _sent = stream.write_all(answer);
        });
    }
}
