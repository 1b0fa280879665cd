//! The posts of a user pool, which the crate `genauth` does not describe.

/// The code that `build.rs` generates from `fragments/`.
pub mod posts {
    include!(concat!(env!("OUT_DIR"), "/genauth.rs"));
}
