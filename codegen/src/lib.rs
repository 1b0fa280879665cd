//! From fragments of OpenAPI to the text of a typed client: load and merge, check the house rules, generate, annotate,
//! print.

pub mod annotate;
pub mod builders;
pub mod document;
pub mod enums;
pub mod fields;
pub mod fingerprint;
pub mod generate;
pub mod handwritten;
pub mod hoist;
pub mod load;
pub mod names;
pub mod rules;
pub mod setters;
pub mod shape;
pub mod syntax;
pub mod tables;
pub mod violation;

pub use violation::Violation;

use document::Document;
use std::path::Path;

/// What a build makes of the fragments.
#[derive(PartialEq)]
pub struct Compiled {
    /// The text of the generated module.
    pub api: String,
    /// The table of its operations, an item.
    pub operations: String,
    /// The merged document as JSON.
    pub openapi: String,
}

impl Compiled {
    /// As they are written, under which names. The last is for builds without the generator.
    pub fn files(self) -> [(&'static str, String); 4] {
        let fingerprint = include_str!("fingerprint.rs").to_owned();
        let Self { api, operations, openapi } = self;
        [("api.rs", api), ("operations.rs", operations), ("openapi.json", openapi), ("fingerprint.rs", fingerprint)]
    }
}

/// The fragments as one document, or everything that is wrong with them.
pub fn check(fragments: &Path, shown_as: &str) -> Result<Document, Vec<Violation>> {
    let mut document = load::load(fragments, shown_as)?;
    let violations = shape::check(&document);
    if !violations.is_empty() {
        return Err(violations);
    }
    let replacements: Vec<&str> = handwritten::REPLACEMENTS.iter().map(|(schema, _)| *schema).collect();
    let mut violations = rules::check(&document, &replacements);
    violations.extend(tables::unknown_credentials(&document));
    if violations.is_empty() {
        violations.extend(hoist::hoist(&mut document));
    }
    if violations.is_empty() { Ok(document) } else { Err(violations) }
}

/// The whole way, or everything that is wrong with the fragments.
pub fn compile(fragments: &Path, shown_as: &str) -> Result<Compiled, Vec<Violation>> {
    let document = check(fragments, shown_as)?;
    let (api, operations) = generate::generate(&document).map_err(|violation| vec![violation])?;
    let line = fingerprint::line(fragments).map_err(|error| {
        let message = format!("The fragments cannot be read again ({error}). Build once more.");
        vec![Violation { file: shown_as.to_owned(), line: 0, column: 0, rule: "readable", message }]
    })?;
    let openapi = format!("{:#}\n", document.value);
    Ok(Compiled { api: format!("{line}{api}"), operations, openapi })
}
