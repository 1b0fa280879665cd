//! The fragments that exist already.

use super::tree::Node;
use genauth_codegen::document::Document;
use genauth_codegen::load;
use std::path::Path;

pub(super) struct House {
    document: Document,
    schemas: Node,
}

impl House {
    /// Reads the fragments in `openapi` or, in a project that extends genauth, genauth's document and the fragments in
    /// `fragments`.
    pub(super) fn open() -> Result<Self, String> {
        let (folder, base) = match Path::new("openapi").is_dir() {
            true => ("openapi", None),
            false => ("fragments", Some(Document::genauth())),
        };
        let document = match base {
            Some(base) if !Path::new(folder).is_dir() => base,
            // The draft is usually redirected into a file of the folder, which exists by then and is empty.
            base => load::load_begun(base, Path::new(folder), folder)
                .map_err(|violations| violations.first().map(ToString::to_string).unwrap_or_default())?,
        };
        let schemas = Node::of(&document).get("components").get("schemas").clone();
        Ok(Self { document, schemas })
    }

    pub(super) fn schema(&self, name: &str) -> Option<&Node> {
        self.schemas.has(name).then(|| self.schemas.get(name))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.schemas.entries().iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn has_field(&self, schema: &str, field: &str) -> bool {
        let schema = &self.document.value["components"]["schemas"][schema];
        self.document.property(schema, field).is_some()
    }

    pub(super) fn has_tag(&self, tag: &str) -> bool {
        let mut tags = self.document.value["tags"].as_array().into_iter().flatten();
        tags.any(|known| known["name"] == tag)
    }

    pub(super) fn has_operation(&self, id: &str) -> bool {
        self.document.operations().iter().any(|operation| operation.id().eq_ignore_ascii_case(id))
    }

    /// The id of an operation that is not deprecated, by its path and id.
    pub(super) fn current_operation(&self, is_meant: impl Fn(&str, &str) -> bool) -> Option<String> {
        let operations = self.document.operations().into_iter();
        let mut meant = operations.filter(|known| !known.deprecated() && is_meant(known.path, known.id()));
        meant.next().map(|known| known.id().to_owned())
    }

    /// Where an operation is described already: a file and line, or another crate.
    pub(super) fn place(&self, method: &str, path: &str) -> Option<String> {
        let operations = self.document.operations();
        let known = operations.iter().find(|known| known.method == method && known.path == path)?;
        let mark = self.document.mark(&known.pointer);
        Some(if mark.file.is_empty() { "genauth".to_owned() } else { format!("{}:{}", mark.file, mark.line) })
    }
}
