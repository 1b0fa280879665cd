//! What the build makes of the shipped fragments, checked in for builds without the generator, and so that a review shows what a change of the fragments, of
//! `codegen/` or of progenitor does to the API.
//!
//! `GENAUTH_REFRESH=1 cargo test --test generated` writes them anew.

#[allow(dead_code, reason = "shared with build.rs, which uses all of it")]
#[path = "../codegen/mod.rs"]
mod codegen;

use std::path::Path;

fn compiled() -> codegen::Compiled {
    let fragments = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    codegen::compile(&fragments, "openapi").unwrap_or_else(|violations| {
        let lines = violations.iter().map(ToString::to_string).collect::<Vec<_>>();
        panic!("the shipped fragments are broken:\n{}", lines.join("\n"))
    })
}

#[test]
fn the_generated_code_and_the_merged_document_are_the_ones_that_were_reviewed() {
    for (name, text) in compiled().files() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("codegen/generated").join(name);
        if std::env::var_os("GENAUTH_REFRESH").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(line) = reviewed.lines().zip(text.lines()).position(|(reviewed, made)| reviewed != made) {
            panic!("codegen/generated/{name} differs from line {} on; {REFRESH}", line + 1);
        }
        assert_eq!(reviewed.len(), text.len(), "codegen/generated/{name} is shorter or longer; {REFRESH}");
    }
}

const REFRESH: &str = "if that is meant, run GENAUTH_REFRESH=1 cargo test --test generated and review the difference";

#[test]
fn the_crate_was_built_from_the_same_document() {
    assert!(genauth::OPENAPI == compiled().openapi, "the crate was built from other fragments than openapi/");
}

#[test]
fn the_same_fragments_make_the_same_bytes() {
    assert!(compiled() == compiled());
}

#[test]
fn the_document_is_one_for_the_openapiv3_crate() {
    let document: openapiv3::OpenAPI = serde_json::from_str(genauth::OPENAPI).unwrap();
    assert_eq!(document.openapi, "3.0.3");
    assert_eq!(document.operations().count(), genauth::operations().len());
}
