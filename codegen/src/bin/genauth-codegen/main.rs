//! The tool of whoever works on fragments: `cargo run -p genauth-codegen -- …`.

mod check;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: genauth-codegen COMMAND

  check [FOLDER]   says what is wrong with the fragments in FOLDER, `openapi` unless given
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["check"] => check::run("openapi"),
        ["check", folder] => check::run(folder),
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
