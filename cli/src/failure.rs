//! Why a command ends without having done its work, and with which exit code.

use genauth::{Credential, Error, ErrorKind, Operation};
use std::io;

/// How the program ends. `EXIT_CODES` explains the codes to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Done = 0,
    Other = 1,
    Usage = 2,
    Configuration = 3,
    Network = 4,
    Server = 5,
    Refused = 6,
}

/// The exit codes, as `--help` explains them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something else, such as output that cannot be written; for `doctor`: there are warnings
  2  usage: an option, an argument or a field of the request is wrong
  3  configuration: the host, credentials, the configuration file or a secret are missing or wrong
  4  network: the server cannot be reached, or not in time
  5  the server's answer cannot be used: an HTTP error, a redirect, not JSON, no data
  6  the server refuses: an envelope whose `statusCode` is not 200, or whose payload says `success: false`";

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Request | ErrorKind::Deprecated => Self::Usage,
            ErrorKind::Configuration | ErrorKind::Credentials => Self::Configuration,
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport => Self::Network,
            ErrorKind::Redirect
            | ErrorKind::Http
            | ErrorKind::NoData
            | ErrorKind::Response
            | ErrorKind::TooLarge
            | ErrorKind::UnusableToken => Self::Server,
            ErrorKind::Api | ErrorKind::NotDone => Self::Refused,
            _ => Self::Other,
        }
    }
}

/// The message for an endpoint that the document does not describe; for any other, the document says which credentials
/// count.
const TOO_MANY: &str = "both an app or a user and an access key are configured, and it is not known which of them this \
                        endpoint takes; leave one out: GENAUTH_ACCESS_KEY_ID= GENAUTH_ACCESS_KEY_SECRET= genauth call …";

/// The end of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) text: Text,
}

#[derive(Debug)]
pub(crate) enum Text {
    /// One line for people.
    Line(String),
    /// Help, the version, or what is wrong with the arguments.
    Arguments(Box<clap::Error>),
    /// There is nothing left to say.
    Said,
}

impl Failure {
    fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self { exit, text: Text::Line(line.into()) }
    }

    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self::new(Exit::Usage, line)
    }

    pub(crate) fn configuration(line: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, line)
    }

    pub(crate) fn other(line: impl Into<String>) -> Self {
        Self::new(Exit::Other, line)
    }

    /// An end about which everything has been said already.
    pub(crate) fn said(exit: Exit) -> Self {
        Self { exit, text: Text::Said }
    }

    /// What clap says about the arguments, without any value that the user may have put in the wrong place: it may be a
    /// secret.
    pub(crate) fn arguments(mut error: clap::Error) -> Self {
        use clap::error::{ContextKind, ContextValue, ErrorKind};
        let stray = matches!(
            error.get(ContextKind::InvalidArg),
            Some(ContextValue::String(text)) if error.kind() == ErrorKind::UnknownArgument && !text.starts_with('-')
        );
        if stray {
            error.insert(ContextKind::InvalidArg, ContextValue::String("…".to_owned()));
            error.remove(ContextKind::Suggested);
        }
        // Nobody reads a list that long; clap also names the values that come close.
        const READABLE: usize = 20;
        if matches!(error.get(ContextKind::ValidValue), Some(ContextValue::Strings(all)) if all.len() > READABLE) {
            error.remove(ContextKind::ValidValue);
        }
        let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
        Self { exit, text: Text::Arguments(Box::new(error)) }
    }

    /// The line for people, empty if there is none.
    pub(crate) fn line(self) -> String {
        match self.text {
            Text::Line(line) => line,
            Text::Arguments(_) | Text::Said => String::new(),
        }
    }

    /// The failure of writing output. A reader that has seen enough and closes the pipe is not a failure.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::said(Exit::Done),
            _ => Self::other(format!("the output cannot be written: {error}")),
        }
    }

    /// An error of the library, worded for this program.
    pub(crate) fn call(error: &Error, operation: Option<&Operation>) -> Self {
        let line = match operation {
            Some(operation) if error.kind() == ErrorKind::Credentials => no_credentials(operation),
            None if error.kind() == ErrorKind::Credentials => TOO_MANY.to_owned(),
            _ => in_options(&error.to_string()),
        };
        Self::new(error.kind().into(), line)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::call(&error, None)
    }
}

/// The library's own message names methods of its builder; this one names options, as in `a and b, or c`.
fn no_credentials(operation: &Operation) -> String {
    let mut ways: Vec<String> = Vec::new();
    for alternative in operation.credentials {
        let options: Vec<&str> = alternative.iter().map(|credential| options_of(*credential)).collect();
        let way = options.join(" and ");
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let ways = ways.join(", or ");
    format!("{}: no credentials are configured that this operation takes; give {ways}", operation.id)
}

/// The options that give this program a credential.
fn options_of(credential: Credential) -> &'static str {
    match credential {
        Credential::AppId => "--app-id",
        Credential::UserAccessToken => "--access-token-file",
        Credential::ClientSecretBasic | Credential::ClientSecretPost => "--app-secret-file",
        Credential::AccessKeySignature => "--access-key-id with --access-key-secret-file",
        Credential::ManagementToken => "these with --access-key-use management-token",
        _ => "other credentials",
    }
}

/// Replaces the builder methods in the library's advice by options, whose names are almost the same.
fn in_options(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("`.") {
        told.push_str(before);
        let name = after.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_').next().unwrap_or_default();
        let call = after[name.len()..].strip_prefix("(..)`").or_else(|| after[name.len()..].strip_prefix("()`"));
        let Some(behind) = call.filter(|_| !name.is_empty()) else {
            told.push_str("`.");
            rest = after;
            continue;
        };
        let option = match name {
            "app" => "app-id` and `--app-secret-file".to_owned(),
            "user_access_token" => "access-token-file".to_owned(),
            "access_key" => "access-key-id` with `--access-key-secret-file".to_owned(),
            name => name.replace('_', "-"),
        };
        told.push_str(&format!("`--{option}`"));
        rest = behind;
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_the_builder_become_options() {
        for (text, told) in [
            ("say `.dangerously_allow_plain_http()`", "say `--dangerously-allow-plain-http`"),
            ("allow more with `.timeout(..)`, or", "allow more with `--timeout`, or"),
            ("build it with `.app(..)`.", "build it with `--app-id` and `--app-secret-file`."),
            ("leave out `.` and `..`", "leave out `.` and `..`"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(in_options(text), told);
        }
    }
}
