//! `import`: makes a first draft of a fragment from an OpenAPI document.
//!
//! A draft keeps the facts (paths, fields, types, what is required) and none of the sentences, whose words belong to
//! others. Each sentence has to be written, and the house rules report it until it is.

mod draft;
mod example;
mod house;
mod names;
mod operation;
mod print;
mod schema;
mod source;
mod tree;

use draft::Draft;
use house::House;
use source::{Operation, Source};
use std::process::ExitCode;

/// Returns 0 with a draft on stdout, or 2 without one, with the reasons on stderr.
pub fn run(document: &str, operations: &[&str]) -> ExitCode {
    match import(document, operations) {
        Ok(draft) => {
            print!("{draft}");
            ExitCode::SUCCESS
        }
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            ExitCode::from(2)
        }
    }
}

fn import(document: &str, wanted: &[&str]) -> Result<String, Vec<String>> {
    let source = Source::read(document).map_err(|problem| vec![problem])?;
    let house = House::open().map_err(|problem| vec![problem])?;
    if wanted.is_empty() {
        let some = source.operations()[0].label();
        return Err(vec![format!("Nothing to import; name operations of {document} after it, such as {some}.")]);
    }
    let mut problems = Vec::new();
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for name in wanted {
        match source.find(name) {
            Err(problem) => problems.push(problem),
            Ok(found) => {
                for operation in found {
                    if let Some(place) = house.place(operation.method, operation.path) {
                        problems.push(format!(
                            "{} is already in {place}; use that one, or change it there.",
                            operation.label()
                        ));
                    } else if !operations.iter().any(|known| std::ptr::eq(known.node, operation.node)) {
                        operations.push(operation);
                    }
                }
            }
        }
    }
    // All problems are reported at once.
    let draft = Draft::of(&source, &house, &operations).map_err(|refused| problems.extend(refused));
    draft.ok().filter(|_| problems.is_empty()).map(|draft| print::print(&draft)).ok_or(problems)
}
