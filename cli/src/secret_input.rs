//! Reads secrets and bodies from a file, from stdin, or from a prompt without echo.

use crate::failure::Failure;
use genauth::SecretString;
use std::io::{IsTerminal as _, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads a file, or stdin if `path` is `-`. `what` names the source in an error.
pub(crate) fn read(path: &str, what: &str) -> Result<String, Failure> {
    // A second reader of stdin would find it empty.
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let mut text = String::new();
    let read = if path == "-" {
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(Failure::usage(format!("{what}: stdin can only be read once; give a file for one of the two")));
        }
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    // The value is not repeated: a user who is used to curl may have put a body there, or a secret.
    read.map_err(|error| {
        let wanted = "takes a file, or - for stdin, and what was given cannot be read";
        Failure::configuration(format!("{what} {wanted}: {error}"))
    })?;
    Ok(text)
}

/// Reads a secret from a file or stdin, without the line break at its end.
pub(crate) fn read_secret(path: &str, what: &str) -> Result<SecretString, Failure> {
    let text = read(path, what)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        let source = if path == "-" { "stdin" } else { path };
        return Err(Failure::configuration(format!("{what}: {source} is empty; put the secret there")));
    }
    Ok(secret.into())
}

/// Asks for a secret, if there is a terminal to ask at.
pub(crate) fn ask(what: &str) -> Result<Option<SecretString>, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let typed = {
        let _quiet = Quiet::start();
        rpassword::prompt_password(format!("{what} (not shown): "))
    };
    let typed =
        typed.map_err(|error| Failure::configuration(format!("{what}: the terminal cannot be read: {error}")))?;
    Ok(Some(typed).filter(|typed| !typed.is_empty()).map(SecretString::from))
}

/// Keeps a terminal from showing what is typed, until this is dropped. rpassword asks first and hides then: if somebody
/// pastes at once, or a program answers, the secret would be seen.
#[cfg(unix)]
struct Quiet(Option<(std::fs::File, rustix::termios::Termios)>);

#[cfg(unix)]
impl Quiet {
    fn start() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let quiet = || {
            let terminal = std::fs::File::open("/dev/tty").ok()?;
            let before = tcgetattr(&terminal).ok()?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(&terminal, OptionalActions::Now, &silent).ok()?;
            Some((terminal, before))
        };
        Self(quiet())
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some((terminal, before)) = &self.0 {
            // A failure is ignored: a terminal that is gone shows nothing either.
            let _ = rustix::termios::tcsetattr(terminal, rustix::termios::OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn start() -> Self {
        Self
    }
}
