//! Output: data goes to stdout, and text for people to stderr.
//!
//! Both lose their colours if they are not a terminal, or if `NO_COLOR` is set.

use crate::failure::Failure;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::Write as _;

pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Writes data, and a line break unless the text ends with one.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut stdout = anstream::stdout().lock();
    let written = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
    written.map_err(|error| Failure::output(&error))
}

/// Writes data as bytes, without any change.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| Failure::output(&error))
}

pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    data(&pretty(value))
}

pub(crate) fn pretty(value: &impl Serialize) -> String {
    // This only fails for a map whose keys are not texts, and there is no such map.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

pub(crate) fn error(text: &str) {
    note(BAD, "error", text);
}

pub(crate) fn warning(text: &str) {
    note(DOUBTFUL, "warning", text);
}

pub(crate) fn say(text: &str) {
    // A failure is ignored: a user who closes stderr does not want to know.
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn note(style: Style, word: &str, text: impl Display) {
    say(&format!("{style}{word}:{style:#} {text}"));
}
