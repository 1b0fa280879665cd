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
