//! The JSON Schemas of the document's types, by name (feature `schemars`).
//!
//! ```
//! let schema = genauth::schema::of("GetWechatAccessTokenDto").unwrap();
//! assert_eq!(schema.as_value()["properties"]["appSecret"]["format"], "password");
//! ```

/// The names of all types that the document describes.
pub fn names() -> impl Iterator<Item = &'static str> {
    crate::api::SCHEMAS.iter().map(|(name, _)| *name)
}

/// The JSON Schema (2020-12) of the type that the document calls `name`, or `None` if there is no such type.
#[must_use]
pub fn of(name: &str) -> Option<schemars::Schema> {
    let (_, schema) = crate::api::SCHEMAS.iter().find(|(known, _)| *known == name)?;
    Some(schema())
}
