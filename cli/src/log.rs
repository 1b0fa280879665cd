//! The library's warnings on stderr, such as a deprecated operation or a Redis that fails.

use crate::output;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Shows warnings from here on.
pub(crate) fn start() {
    // This cannot fail: nothing else in this process sets a subscriber.
    let _ = tracing::subscriber::set_global_default(Warnings);
}

struct Warnings;

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The keeper's warning about a failed refresh is left out: the command returns that error itself.
        let told_elsewhere = metadata.target().starts_with("genauth::keeper::keeper");
        let ours = metadata.target().starts_with("genauth") && !told_elsewhere;
        metadata.is_event() && *metadata.level() <= Level::WARN && ours
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        output::warning(&format!("{}{}", line.message, line.error));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    error: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "error" {
            self.error = format!(" ({value})");
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        }
    }
}
