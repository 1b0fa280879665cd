//! Running the program, and servers for it.

use genauth::mock::{MockGenAuth, MockGenAuthBuilder};
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

pub const BINARY: &str = env!("CARGO_BIN_EXE_genauth");

/// What a process has left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A call of the program: with nothing of this process's environment, and no configuration.
pub struct Program {
    command: Command,
    stdin: String,
}

pub fn genauth(arguments: &[&str]) -> Program {
    let mut command = Command::new(BINARY);
    clean(&mut command).args(arguments);
    Program { command, stdin: String::new() }
}

/// Takes the environment away, but for what a system needs to run a process.
pub fn clean(command: &mut Command) -> &mut Command {
    command.env_clear().env("HOME", "/nonexistent").env("USERPROFILE", "/nonexistent");
    for name in ["PATH", "SYSTEMROOT", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

impl Program {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Adds the host and the application of a mock.
    pub fn at(self, server: &MockGenAuth) -> Self {
        self.env("GENAUTH_HOST", server.url())
            .env("GENAUTH_APP_ID", MockGenAuth::APP_ID)
            .env("GENAUTH_APP_SECRET", MockGenAuth::APP_SECRET)
    }

    /// Adds the access key of a mock.
    pub fn key(self) -> Self {
        self.env("GENAUTH_ACCESS_KEY_ID", MockGenAuth::ACCESS_KEY_ID)
            .env("GENAUTH_ACCESS_KEY_SECRET", MockGenAuth::ACCESS_KEY_SECRET)
    }

    /// Adds the WeChat app of a mock.
    pub fn wechat(self, server: &MockGenAuth) -> Self {
        self.env("WECHAT_APP_ID", server.wechat_app_id()).env("WECHAT_APP_SECRET", server.wechat_app_secret())
    }

    pub fn spawn(&mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn run(mut self) -> Run {
        let mut child = self.spawn();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read it may be gone by now.
        let _ = stdin.write_all(self.stdin.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// What a call has printed that succeeds, with nothing on stderr.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// What a call has said that fails with this code.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.starts_with("error: "), "{self:?}");
        self.stderr
    }
}

/// A mock in this process, and what drives it.
pub struct Server {
    server: MockGenAuth,
    pub runtime: tokio::runtime::Runtime,
}

impl Deref for Server {
    type Target = MockGenAuth;

    fn deref(&self) -> &MockGenAuth {
        &self.server
    }
}

pub fn serve(builder: MockGenAuthBuilder) -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(builder.start()).unwrap();
    Server { server, runtime }
}

pub fn server() -> Server {
    serve(MockGenAuth::builder())
}

/// `genauth mock` as a process of its own, which ends with this.
pub struct Served {
    child: Child,
    pub knows: serde_json::Value,
}

impl Served {
    pub fn with(arguments: &[&str]) -> Self {
        let mut child = genauth(&[&["mock", "--port", "0", "--format", "json"], arguments].concat()).spawn();
        let mut text = String::new();
        for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        Self { child, knows: serde_json::from_str(&text).unwrap() }
    }

    pub fn url(&self) -> &str {
        self.knows["GENAUTH_HOST"].as_str().unwrap()
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A call with everything that the mock knows.
    pub fn call(&self, arguments: &[&str]) -> Program {
        let variables = self.knows.as_object().unwrap().iter();
        variables.fold(genauth(arguments), |program, (name, value)| program.env(name, value.as_str().unwrap()))
    }

    /// What the mock has logged.
    pub fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        std::io::Read::read_to_string(self.child.stderr.as_mut().unwrap(), &mut log).unwrap();
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that is removed when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("genauth-cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// A file that only its owner can read.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
pub fn set_mode(path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub fn set_mode(_: &str, _: u32) {}

/// Whether a tool that a test needs is there. With `GENAUTH_CI`, it must be.
pub fn has(tool: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(tool).is_file());
    assert!(found || std::env::var_os("GENAUTH_CI").is_none(), "{tool} is missing, and GENAUTH_CI demands it");
    if !found {
        // This goes past the capture of a test's output: a test that does not run must not look as if it had.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {tool} is not installed; GENAUTH_CI=1 would demand it");
    }
    found
}
