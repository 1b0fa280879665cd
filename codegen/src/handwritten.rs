//! The hand-written types that generated code uses.

/// The named schemas that a hand-written type replaces, with its path in the crate.
pub const REPLACEMENTS: &[(&str, &str)] = &[("UnixTimestamp", "crate::UnixTimestamp")];

/// The hand-written type of every `format: password` string.
pub const SECRET: &str = "crate::SecretString";
