//! A Redis server of the test's own, on a free port.

use redis::FromRedisValue;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

pub struct Redis {
    process: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Redis {
    /// Starts a server. Where the machine has no `redis-server` the result is `None`, and the test is reported as
    /// skipped; in CI it fails.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            assert!(std::env::var_os("GENAUTH_CI").is_none(), "{test}: there is no redis-server");
            // This does not use the macro `eprintln!`, whose output is only shown for tests that fail.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: there is no redis-server; install it (package redis-server)"
            );
            return None;
        }
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        // Another program may take the port before the server starts.
        let started = (0..5).find_map(|_| {
            let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
            Some(Self { process: launch(port, &arguments)?, port, arguments: arguments.clone() })
        });
        Some(started.expect("redis-server is there, and starts"))
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts an empty server on the same port.
    pub fn restart(&mut self) {
        self.process = launch(self.port, &self.arguments).expect("the port is still free");
    }

    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    pub fn run<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).query(&mut connection).unwrap()
    }

    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.run(&["KEYS", "*"]);
        keys.sort();
        keys
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until the server says that it is ready; `None` if it will not be.
fn launch(port: u16, arguments: &[String]) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(process.stdout.take()?).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
    // The server goes on writing; a pipe that nobody reads would block it.
    std::thread::spawn(move || lines.for_each(drop));
    if !ready {
        let _ = process.kill();
        let _ = process.wait();
    }
    ready.then_some(process)
}
