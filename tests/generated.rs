//! The crate is built from the document that is checked in.

const REVIEWED: &str = include_str!("../generated/openapi.json");

#[test]
fn the_crate_was_built_from_the_document_that_was_reviewed() {
    assert!(genauth::OPENAPI == REVIEWED, "the crate was built from other fragments than generated/ was");
}

#[test]
fn the_document_is_one_for_the_openapiv3_crate() {
    let document: openapiv3::OpenAPI = serde_json::from_str(genauth::OPENAPI).unwrap();
    assert_eq!(document.openapi, "3.0.3");
    assert_eq!(document.operations().count(), genauth::operations().len());
}

/// A tag whose feature `Cargo.toml` lacks would never be compiled.
#[test]
fn every_feature_of_the_document_is_one_of_the_crate() {
    let document: serde_json::Value = serde_json::from_str(genauth::OPENAPI).unwrap();
    let named = document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["x-feature"].as_str());
    let (_, all) = include_str!("../Cargo.toml").split_once("\nall-groups = [\n").unwrap();
    let (all, _) = all.split_once(']').unwrap();
    let mut features: Vec<&str> = all.lines().map(|line| line.trim().trim_matches([',', '"'])).collect();
    let mut named: Vec<&str> = named.collect();
    features.sort_unstable();
    named.sort_unstable();
    // Several groups may come together.
    named.dedup();
    assert_eq!(features, named);
}
