//! What must not compile, with what the compiler says about it.
//!
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes the expected texts anew.

#[test]
fn a_deprecated_item_is_refused_where_deprecation_is_denied_and_names_its_replacement() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
