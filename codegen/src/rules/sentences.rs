//! The rule `sentence`: the sentences that a draft leaves to be written, and texts that documentation would take for
//! code.

use super::house::{Report, items, members};
use crate::document::{escape, shown};

/// The placeholder in a draft for each sentence that its author has yet to write.
pub const UNWRITTEN: &str = "TODO(describe)";

pub(super) fn check(report: &mut Report<'_>) {
    let document = report.document;
    let mut open = vec![(String::new(), "", &document.value)];
    while let Some((pointer, key, value)) = open.pop() {
        if value.as_str().is_some_and(|text| text.contains(UNWRITTEN)) {
            let mend = match key {
                "summary" => "Say in one line what the operation does",
                "x-not-secret" => "Say why it is not a secret, or treat it as one",
                _ => "Say in your own words what it means to a caller",
            };
            let message = format!("{} is not written yet. {mend}, in place of {}.", shown(key), shown(UNWRITTEN));
            report.add(&pointer, "sentence", message);
        }
        let is_code = |line: &str| {
            let fenced = line.trim_start_matches(['>', ' ']);
            line.starts_with("    ") || line.starts_with('\t') || fenced.starts_with("```") || fenced.starts_with("~~~")
        };
        if matches!(key, "description" | "summary" | "title")
            && value.as_str().is_some_and(|text| text.lines().any(is_code))
        {
            let message = "A line is indented like code, which the documentation's tests would compile. \
                           Begin it without spaces.";
            report.add(&pointer, "sentence", message);
        }
        open.extend(members(value).map(|(key, value)| (format!("{pointer}/{}", escape(key)), key.as_str(), value)));
        open.extend(items(value).enumerate().map(|(index, item)| (format!("{pointer}/{index}"), key, item)));
    }
}
