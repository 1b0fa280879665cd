//! What the generator makes of the shipped fragments is what is checked in: for builds without it, and so that a review
//! shows what a change of the fragments, of the generator or of progenitor does to the API.

use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const REFRESH: &str =
    "if that is meant, run GENAUTH_REFRESH=1 cargo test -p genauth-codegen --test generated and review the difference";

fn compiled() -> genauth_codegen::Compiled {
    genauth_codegen::compile(&Path::new(ROOT).join("openapi"), "openapi").unwrap_or_else(|violations| {
        let lines = violations.iter().map(ToString::to_string).collect::<Vec<_>>();
        panic!("the shipped fragments are broken:\n{}", lines.join("\n"))
    })
}

#[test]
fn the_generated_code_and_the_merged_document_are_the_ones_that_were_reviewed() {
    let files =
        compiled().files().into_iter().map(|(name, text)| (format!("generated/{name}"), text)).collect::<Vec<_>>();
    // The generator has the document with it, for those who describe operations beside it.
    let carried = files.iter().find(|(name, _)| name == "generated/openapi.json").cloned();
    let carried = carried.map(|(_, text)| ("codegen/src/openapi.json".to_owned(), text));
    for (name, text) in files.into_iter().chain(carried) {
        let path = Path::new(ROOT).join(&name);
        if std::env::var_os("GENAUTH_REFRESH").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(line) = reviewed.lines().zip(text.lines()).position(|(reviewed, made)| reviewed != made) {
            panic!("{name} differs from line {} on; {REFRESH}", line + 1);
        }
        assert_eq!(reviewed.len(), text.len(), "{name} is shorter or longer; {REFRESH}");
    }
}

#[test]
fn the_same_fragments_make_the_same_bytes() {
    assert!(compiled() == compiled());
}
