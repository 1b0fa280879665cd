//! From fragments of OpenAPI to the text of a typed client: load and merge, check the house rules, generate, annotate,
//! print.

pub mod annotate;
pub mod document;
pub mod extension;
pub mod fields;
pub mod fingerprint;
pub mod generate;
pub mod load;
pub mod rules;
pub mod shape;
pub mod tables;

use document::Document;
use std::fmt;
use std::path::Path;

/// One thing wrong with a fragment: where, which rule it breaks, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The fragment's path as it was loaded, such as `openapi/wechat.yaml`.
    pub file: String,
    /// Counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Counted from 1; 0 where the whole file is meant.
    pub column: usize,
    /// The rule's name, such as `operation-id`.
    pub rule: &'static str,
    /// What is wrong and what to do: one line, two short sentences.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, rule, message } = self;
        if *line == 0 {
            write!(f, "{file}: [{rule}] {message}")
        } else {
            write!(f, "{file}:{line}:{column}: [{rule}] {message}")
        }
    }
}

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
    let document = load::load(fragments, shown_as)?;
    let violations = shape::check(&document);
    if !violations.is_empty() {
        return Err(violations);
    }
    let replacements: Vec<&str> = generate::REPLACEMENTS.iter().map(|(schema, _)| *schema).collect();
    let mut violations = rules::check(&document, &replacements);
    violations.extend(tables::unknown_credentials(&document));
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
