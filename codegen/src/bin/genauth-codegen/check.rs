//! `check`: the house rules, without a build.

use std::path::Path;
use std::process::ExitCode;

/// 0 if there is nothing to say, and 1 otherwise.
pub fn run(folder: &str) -> ExitCode {
    match genauth_codegen::check_either(Path::new(folder), folder) {
        Ok(document) => {
            // What an extension is put onto is not its own.
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
