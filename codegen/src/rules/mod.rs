//! The house rules: what a fragment must comply with besides the shape of its parts.
//!
//! A rule is here because breaking it makes progenitor panic or generate something unusable, because it keeps the
//! client uniform, or because it keeps secrets out of logs.
//! uniform, or because it keeps secrets out of logs.

mod bodies;
mod examples;
mod house;
mod operations;
mod parameters;
mod references;
mod schemas;
mod secrets;
mod sentences;

pub use operations::RESERVED;
pub use secrets::looks_secret;
pub use sentences::UNWRITTEN;

use crate::document::Document;
use crate::violation::Violation;
use house::{House, Report};

/// Returns what is wrong with a document whose shape is right, by place. `replacements` names the schemas that the
/// build replaces by hand-written types.
pub fn check(document: &Document, replacements: &[&str]) -> Vec<Violation> {
    let house = House::new(document, replacements);
    let mut report = Report { document, violations: Vec::new() };
    operations::check(&house, &mut report);
    parameters::check(&house, &mut report);
    bodies::check(&house, &mut report);
    references::check(&house, &mut report);
    schemas::check(&house, &mut report);
    secrets::check(&house, &mut report);
    sentences::check(&mut report);
    examples::check(&house, &mut report);
    let mut violations = report.violations;
    violations.sort();
    // An alias gives one place to several nodes, so messages name what is there and not who uses it.
    violations.dedup();
    violations
}
