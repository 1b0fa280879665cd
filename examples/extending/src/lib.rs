//! The posts of a user pool, which the crate `genauth` does not describe.

/// What `build.rs` made of `fragments/`.
pub mod posts {
    include!(concat!(env!("OUT_DIR"), "/genauth.rs"));
}
