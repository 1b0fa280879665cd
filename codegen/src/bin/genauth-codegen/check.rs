//! `check`: checks the house rules without a build.

use std::path::Path;
use std::process::ExitCode;

/// Returns 0 if there are no violations, and 1 otherwise.
pub fn run(folder: &str) -> ExitCode {
    match genauth_codegen::check_either(Path::new(folder), folder) {
        Ok(document) => {
            // For an extension, the document that it adds to is not its own.
            let own = document.operations().iter().filter(|operation| document.is_own(&operation.pointer)).count();
            println!("{folder}: {own} operations, all in order.");
            ExitCode::SUCCESS
        }
        Err(violations) => {
            violations.iter().for_each(|violation| eprintln!("{violation}"));
            ExitCode::FAILURE
        }
    }
}
