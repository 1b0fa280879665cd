//! `check`: the house rules, without a build.

use std::path::Path;
use std::process::ExitCode;

/// 0 if there is nothing to say, and 1 otherwise.
pub fn run(folder: &str) -> ExitCode {
    match genauth_codegen::check(Path::new(folder), folder) {
        Ok(document) => {
            println!("{folder}: {} operations, all in order.", document.operations().len());
            ExitCode::SUCCESS
        }
        Err(violations) => {
            violations.iter().for_each(|violation| eprintln!("{violation}"));
            ExitCode::FAILURE
        }
    }
}
