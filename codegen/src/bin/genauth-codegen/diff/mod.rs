//! `diff`: what a newer document means for a program that was built from an older one.
//!
//! Two questions are asked of each operation and each of its fields. On the wire: does the server of the newer document
//! understand what the program sends, and the program what the server answers? A request may become looser and an
//! answer stricter, but not the other way round. In Rust: does the program compile against the client of the newer
//! document, and mean the same?
//!
//! | what changes | of a request | of an answer |
//! |---|---|---|
//! | a field comes | new; if it is required, breaking | new |
//! | a field goes | gone | gone |
//! | optional becomes required | breaking on the wire | breaking in Rust, `Option` goes |
//! | required becomes optional | looser | breaking |
//! | null comes | looser | breaking |
//! | null goes | breaking on the wire | breaking in Rust |
//! | another type, or one of another name | breaking, or breaking in Rust | the same |
//! | an enum's value comes | looser | new: enums of answers are open |
//! | an enum's value goes | breaking | breaking in Rust |
//! | another `format` | breaking in Rust | breaking in Rust |
//! | a secret becomes a text, or a text a secret | breaking in Rust | breaking in Rust |

mod compare;
mod model;

use self::compare::{Finding, Kind};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Returns 0 if nothing breaks, 1 if something breaks or is gone, and 2 if a document cannot be read.
pub fn run(old: &str, new: &str) -> ExitCode {
    let calls = |path| model::operations(&read(path)?).map_err(|problem| format!("{path}: {problem}"));
    let (old, new) = match (calls(old), calls(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(problem), _) | (_, Err(problem)) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let findings = compare::documents(&old, &new);
    let mut text = String::new();
    for Finding { kind, operation, place, what, sides } in &findings {
        let (kind, place) = (kind.word(), if place.is_empty() { String::new() } else { format!("{place}  ") });
        let _ = writeln!(text, "{kind:<8}  {operation}  {place}{what}{sides}");
    }
    let count = |kind: Kind| findings.iter().filter(|finding| finding.kind == kind).count();
    let [breaking, gone, looser, new] = [Kind::Breaking, Kind::Gone, Kind::Looser, Kind::New].map(count);
    let _ = writeln!(text, "{breaking} breaking, {gone} gone, {looser} looser, {new} new.");
    // A failure is ignored: a reader that only wants the first lines has closed the pipe.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if breaking + gone == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Reads a folder of fragments, or a document in one file.
fn read(path: &str) -> Result<Value, String> {
    let file = Path::new(path);
    let value = if file.is_dir() {
        let document = genauth_codegen::load::load_either(file, path);
        document.map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?.value
    } else if file.extension().is_some_and(|ending| ending == "json") {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{path} cannot be read ({error}). Name a file or a folder."))?;
        serde_json::from_str(&text).map_err(|error| format!("{path} is not JSON ({error}). Save it again."))?
    } else {
        let document = genauth_codegen::load::read(file, path);
        document.map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?.value
    };
    if value["paths"].is_object() && value.get("swagger").is_none() {
        Ok(value)
    } else {
        Err(format!("{path} has no `paths` of OpenAPI 3. Name such a document, or a folder of fragments."))
    }
}
