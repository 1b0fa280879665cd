//! What the generator makes of the shipped fragments is checked in: for builds without the generator, and so that a
//! review shows what a change of the fragments, of the generator or of progenitor does to the API.

use genauth_codegen::checked_in::{GROUPS, checked_in};
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const REFRESH: &str = "if that is meant, run `cargo run -p genauth-codegen -- refresh` and review the difference";

fn made() -> Vec<(String, String)> {
    checked_in(Path::new(ROOT)).unwrap_or_else(|violations| {
        let lines = violations.iter().map(ToString::to_string).collect::<Vec<_>>();
        panic!("the shipped fragments are broken:\n{}", lines.join("\n"))
    })
}

#[test]
fn the_generated_code_and_the_merged_document_are_the_ones_that_were_reviewed() {
    for (name, text) in made() {
        let reviewed = std::fs::read_to_string(Path::new(ROOT).join(&name)).unwrap_or_default();
        if let Some(line) = reviewed.lines().zip(text.lines()).position(|(reviewed, made)| reviewed != made) {
            panic!("{name} differs from line {} on; {REFRESH}", line + 1);
        }
        assert_eq!(reviewed.len(), text.len(), "{name} is shorter or longer; {REFRESH}");
    }
}

#[test]
fn nothing_is_left_of_a_fragment_that_is_gone() {
    let made = made();
    for file in std::fs::read_dir(Path::new(ROOT).join(GROUPS)).expect("a folder") {
        let name = format!("{GROUPS}/{}", file.expect("a file").file_name().to_string_lossy());
        assert!(made.iter().any(|(known, _)| *known == name), "{name} is of no fragment; {REFRESH}");
    }
}

#[test]
fn the_same_fragments_make_the_same_bytes() {
    assert!(made() == made());
}
