//! `genauth serve` as a process, and requests for it.

use genauth::mock::MockGenAuth;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct TokenServer {
    process: Child,
    pub url: String,
    log: Arc<Mutex<String>>,
}

/// The program, with nothing of this process's environment but what a system needs, as a client of the mock.
pub fn genauth(mock: &MockGenAuth, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_genauth"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", "/nonexistent");
    command
        .args(arguments)
        .env("GENAUTH_HOST", mock.url())
        .env("GENAUTH_APP_ID", MockGenAuth::APP_ID)
        .env("GENAUTH_APP_SECRET", MockGenAuth::APP_SECRET)
        .env("WECHAT_APP_ID", mock.wechat_app_id())
        .env("WECHAT_APP_SECRET", mock.wechat_app_secret());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl TokenServer {
    pub fn start(mock: &MockGenAuth, arguments: &[&str]) -> Self {
        Self::of(genauth(mock, &[&["serve", "--listen", "127.0.0.1:0"], arguments].concat()))
    }

    pub fn of(mut command: Command) -> Self {
        let mut process = command.spawn().unwrap();
        let (sender, addresses): (_, Receiver<String>) = channel();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, written) = (BufReader::new(process.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if event["message"] == "listening" {
                    let _ = sender.send(event["address"].as_str().unwrap().to_owned());
                }
                written.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let url = addresses.recv_timeout(Duration::from_secs(60));
        Self { url: url.unwrap_or_else(|_| panic!("{}", log.lock().unwrap())), process, log }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        signal(&self.process, name);
    }

    /// Ends the process with a SIGTERM. Returns its exit code and what it logged.
    pub fn end(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let code = self.process.wait().unwrap().code();
        // Another thread reads what the process wrote last.
        while !self.log().contains("\"stopped\"") {
            std::thread::yield_now();
        }
        (code, self.log())
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = http().build().unwrap().get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Value {
        http()
            .build()
            .unwrap()
            .post(format!("{}{path}", self.url))
            .body(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// Asks for a token as a library does.
    pub async fn token(&self, app_id: &str, secret: &str) -> Value {
        let path = format!("/cgi-bin/token?grant_type=client_credential&appid={app_id}&secret={secret}");
        serde_json::from_str(&self.get(&path).await.1).unwrap()
    }

    pub async fn stable_token(&self, app_id: &str, secret: &str, force_refresh: bool) -> Value {
        let body = json!({
            "grant_type": "client_credential", "appid": app_id, "secret": secret, "force_refresh": force_refresh
        });
        self.post("/cgi-bin/stable_token", body.to_string()).await
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn http() -> reqwest::ClientBuilder {
    // A client wants to know how, though nothing here speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

pub fn signal(process: &Child, name: &str) {
    let command = format!("kill -{name} {}", process.id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

/// Whether the test can run. If it cannot, prints so, or panics in CI.
pub fn is_there(what: &str, there: bool, how: &str) -> bool {
    assert!(there || std::env::var_os("GENAUTH_CI").is_none(), "{what} is missing, and GENAUTH_CI demands it; {how}");
    if !there {
        use std::io::Write as _;
        // The output of `eprintln!` would only be seen if the test failed.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {what} is missing; {how}");
    }
    there
}

pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
