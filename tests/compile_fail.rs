//! What must not compile, with what the compiler says about it.
//!
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes the expected texts anew.

#[test]
fn deprecated_items_and_careless_uses_of_a_secret_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
