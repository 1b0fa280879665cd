//! The tool for people who write fragments: `cargo run -p genauth-codegen -- …`.

mod check;
mod diff;
mod import;
mod refresh;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: genauth-codegen COMMAND

  check [FOLDER]   says what is wrong with the fragments in FOLDER, `openapi` unless given

  diff OLD NEW     says what NEW means to a program built from OLD; each is a folder of fragments or an OpenAPI
                   document. Exit code 1 if something breaks or is gone, 2 if a document cannot be read

  import DOCUMENT OPERATION...
                   prints a first draft of a fragment for operations of an OpenAPI 3.0 document: each is an
                   operationId, its short form or a path; what the fragments in `openapi` have is not repeated

  refresh          writes everything that is generated and checked in, for a change in `openapi/`
  refresh --check  changes nothing, and says what is not as it should be
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["check"] => check::run("openapi"),
        ["check", folder] => check::run(folder),
        ["diff", old, new] => diff::run(old, new),
        ["import", document, operations @ ..] => import::run(document, operations),
        ["refresh"] => refresh::run(false),
        ["refresh", "--check"] => refresh::run(true),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
