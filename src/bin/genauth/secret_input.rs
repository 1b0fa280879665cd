//! Where secrets and bodies come from: a file, stdin, or a prompt without echo.

use crate::failure::Failure;
use genauth::SecretString;
use std::io::{IsTerminal as _, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// The text of a file, or of stdin where `path` is `-`. `what` names it in an error.
pub(crate) fn read(path: &str, what: &str) -> Result<String, Failure> {
    // Whoever comes second would find it empty.
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let mut text = String::new();
    let read = if path == "-" {
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(Failure::usage(format!("{what}: stdin can be read once; take a file for one of the two")));
        }
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| {
        let source = if path == "-" { "stdin" } else { path };
        Failure::configuration(format!("{what}: {source} cannot be read: {error}"))
    })?;
    Ok(text)
}

/// A secret from a file or stdin, without the line break at its end.
pub(crate) fn read_secret(path: &str, what: &str) -> Result<SecretString, Failure> {
    let text = read(path, what)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        let source = if path == "-" { "stdin" } else { path };
        return Err(Failure::configuration(format!("{what}: {source} is empty; put the secret there")));
    }
    Ok(secret.into())
}

/// Asks for a secret, if somebody is there to answer.
pub(crate) fn ask(what: &str) -> Result<Option<SecretString>, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let typed = rpassword::prompt_password(format!("{what} (not shown): "));
    let typed =
        typed.map_err(|error| Failure::configuration(format!("{what}: the terminal cannot be read: {error}")))?;
    Ok(Some(typed).filter(|typed| !typed.is_empty()).map(SecretString::from))
}
