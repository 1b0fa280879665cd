//! `import`: a first draft of a fragment, from an OpenAPI document.
//!
//! A draft keeps the facts (paths, fields, types, what is required) and none of the sentences: those are somebody else's.
//! Each is left to be written, and the house rules say so until it is.

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

/// 0 with a draft on stdout; 2 if there is none, with the reasons on stderr.
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
                            "{} stands in {place} already; use that one, or change it there.",
                            operation.label()
                        ));
                    } else if !operations.iter().any(|known| std::ptr::eq(known.node, operation.node)) {
                        operations.push(operation);
                    }
                }
            }
        }
    }
    // Everything wrong is told at once.
    let draft = Draft::of(&source, &house, &operations).map_err(|refused| problems.extend(refused));
    draft.ok().filter(|_| problems.is_empty()).map(|draft| print::print(&draft)).ok_or(problems)
}
