//! Compares the operations of two documents.

use super::model::{Call, Calls, Field, Fields};

/// The kind of a finding. There is no kind for what stays the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Breaking,
    Gone,
    Looser,
    New,
}

pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) operation: String,
    pub(super) place: String,
    pub(super) what: String,
    /// The sides on which something breaks.
    pub(super) sides: &'static str,
}

const BOTH: &str = " (wire, Rust)";
const WIRE: &str = " (wire)";
const RUST: &str = " (Rust)";

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Gone => "gone",
            Self::Looser => "looser",
            Self::New => "new",
        }
    }
}

/// Compares the documents, in the order of the operations' ids and the fields' places.
pub(super) fn documents(old: &Calls, new: &Calls) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at = |all: &Calls, wanted: &Call| {
        let found = all.iter().find(|(_, other)| other.method == wanted.method && other.path == wanted.path);
        found.map(|(id, _)| id.clone())
    };
    for (id, before) in old {
        let mut report = Report { operation: id, findings: &mut findings };
        // An operation's short id may have become the whole one because another operation came that ends alike.
        let same = new.get(id).or_else(|| new.values().find(|now| now.whole_id == before.whole_id));
        let renamed = at(new, before).filter(|now| !new.contains_key(id) && !old.contains_key(now));
        match (same, renamed) {
            (Some(now), _) => operations(before, now, &mut report),
            (None, Some(name)) => {
                report.add(Kind::Breaking, "", format!("is called {name} now"), RUST);
                operations(before, &new[&name], &mut report);
            }
            (None, None) => report.add(Kind::Gone, "", "the operation".to_owned(), BOTH),
        }
    }
    let is_old = |now: &Call| old.values().any(|before| before.whole_id == now.whole_id);
    for (id, now) in new.iter().filter(|(id, now)| !old.contains_key(*id) && !is_old(now)) {
        if at(old, now).is_none_or(|before| new.contains_key(&before)) {
            Report { operation: id, findings: &mut findings }.add(Kind::New, "", "the operation".to_owned(), "");
        }
    }
    findings.sort_by(|one, other| (&one.operation, &one.place).cmp(&(&other.operation, &other.place)));
    findings
}

struct Report<'a> {
    operation: &'a str,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, kind: Kind, place: &str, what: String, sides: &'static str) {
        let (operation, place) = (self.operation.to_owned(), place.to_owned());
        self.findings.push(Finding { kind, operation, place, what, sides });
    }
}

fn operations(before: &Call, now: &Call, report: &mut Report<'_>) {
    if (&before.method, &before.path) != (&now.method, &now.path) {
        report.add(Kind::Breaking, "", format!("moved to {} {}", now.method, now.path), WIRE);
    }
    if now.deprecated && !before.deprecated {
        report.add(Kind::New, "", "is deprecated: a compiler warning".to_owned(), "");
    }
    match (before.idempotent, now.idempotent) {
        (true, false) => report.add(Kind::Breaking, "", "is no longer sent again if it fails".to_owned(), WIRE),
        (false, true) => report.add(Kind::Looser, "", "is sent again if it fails".to_owned(), ""),
        _ => {}
    }
    // If the new document also takes no credentials, any are enough.
    for gone in before.security.difference(&now.security).filter(|_| !now.security.contains("")) {
        report.add(Kind::Breaking, "security", format!("{} is not enough any more", or_nothing(gone)), WIRE);
    }
    for new in now.security.difference(&before.security) {
        report.add(Kind::Looser, "security", format!("{} is enough, too", or_nothing(new)), "");
    }
    fields(&before.request, &now.request, false, report);
    fields(&before.answer, &now.answer, true, report);
}

fn or_nothing(credentials: &str) -> &str {
    if credentials.is_empty() { "nothing" } else { credentials }
}

fn fields(before: &Fields, now: &Fields, answered: bool, report: &mut Report<'_>) {
    // Fields within a field that goes, comes or gets another type are not reported on their own.
    let is_within = |place: &str, outer: &[&str]| {
        outer.iter().any(|outer| place.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[', '{', '|'])))
    };
    let mut settled: Vec<&str> = Vec::new();
    for (place, field) in before {
        if is_within(place, &settled) {
            continue;
        }
        let Some(other) = now.get(place) else {
            report.add(Kind::Gone, place, "the field".to_owned(), BOTH);
            settled.push(place);
            continue;
        };
        if field.kind != other.kind {
            let sides = if !answered && (&*field.kind, &*other.kind) == ("integer", "number") { RUST } else { BOTH };
            report.add(Kind::Breaking, place, format!("was {} and is {}", a(&field.kind), a(&other.kind)), sides);
            settled.push(place);
            continue;
        }
        one(place, field, other, answered, report);
    }
    for (place, field) in now.iter().filter(|(place, _)| !before.contains_key(*place)) {
        if !is_within(place, &settled) {
            match (answered, field.required) {
                (false, true) => report.add(Kind::Breaking, place, "is new, and required".to_owned(), BOTH),
                _ => report.add(Kind::New, place, "the field".to_owned(), ""),
            }
            settled.push(place);
        }
    }
}

fn a(kind: &str) -> String {
    match kind {
        "" => "anything".to_owned(),
        "integer" | "object" | "array" => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

fn one(place: &str, before: &Field, now: &Field, answered: bool, report: &mut Report<'_>) {
    use Kind::{Breaking, Looser, New};
    let mut add = |kind, what: &str, sides| report.add(kind, place, what.to_owned(), sides);
    match (before.required, now.required, answered) {
        (false, true, false) => add(Breaking, "is required now", WIRE),
        (false, true, true) => add(Breaking, "is always there now, and not an `Option`", RUST),
        (true, false, false) => add(Looser, "may be left out", ""),
        (true, false, true) => add(Breaking, "may be missing now", BOTH),
        _ => {}
    }
    match (before.nullable, now.nullable, answered) {
        (false, true, false) => add(Looser, "may be null", ""),
        (false, true, true) => add(Breaking, "may be null now", BOTH),
        (true, false, false) => add(Breaking, "may not be null any more", WIRE),
        (true, false, true) => add(Breaking, "is never null now, and not an `Option`", RUST),
        _ => {}
    }
    match (before.secret, now.secret) {
        (false, true) => add(Breaking, "is a secret now", RUST),
        (true, false) => add(Breaking, "is not a secret any more", RUST),
        _ => {}
    }
    if before.secret == now.secret && before.format != now.format {
        let named =
            |format: &str| if format.is_empty() { "no format".to_owned() } else { format!("the format {format}") };
        add(Breaking, &format!("had {} and has {}", named(&before.format), named(&now.format)), RUST);
    }
    if before.name != now.name {
        let named = |name: &Option<String>| {
            name.as_ref().map_or_else(|| "without a name".to_owned(), |name| format!("a {name}"))
        };
        add(Breaking, &format!("was {} and is {}", named(&before.name), named(&now.name)), RUST);
    }
    match (&before.values, &now.values) {
        (None, Some(_)) => add(Breaking, "takes only listed values now", if answered { RUST } else { BOTH }),
        (Some(_), None) => add(Breaking, "takes any value, and is not an enum", RUST),
        (Some(old), Some(new)) => {
            for value in new.difference(old) {
                add(if answered { New } else { Looser }, &format!("has the value {value}"), "");
            }
            for value in old.difference(new) {
                add(Breaking, &format!("no longer has the value {value}"), if answered { RUST } else { BOTH });
            }
        }
        (None, None) => {}
    }
}
