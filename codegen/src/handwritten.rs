//! The hand-written types that generated code is made of.

/// Named schemas that a hand-written type stands for, with its path in the crate.
pub const REPLACEMENTS: &[(&str, &str)] = &[("UnixTimestamp", "crate::UnixTimestamp")];

/// The hand-written type of every `format: password` string.
pub const SECRET: &str = "crate::SecretString";
