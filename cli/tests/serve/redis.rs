//! A Redis server of the test's own.

use crate::server::is_there;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

pub struct Redis {
    process: Child,
    pub url: String,
}

impl Redis {
    pub fn start() -> Option<Self> {
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !is_there("redis-server", found, "install it") {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = ["--save", "", "--bind", "127.0.0.1", "--port"];
        let mut command = Command::new("redis-server");
        let process = command.args(options).arg(port.to_string()).stdout(Stdio::null()).spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Some(Self { process, url: format!("redis://127.0.0.1:{port}/") })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
