//! The fragments that are there already.

use super::tree::Node;
use genauth_codegen::document::Document;
use genauth_codegen::load;
use std::path::Path;

/// Where they stand, unless the importer runs somewhere else.
const FOLDER: &str = "openapi";

/// The schemas that the crate has and every fragment may refer to.
const SHARED: [&str; 2] = ["Envelope", "UnixTimestamp"];

pub(super) struct House {
    document: Document,
    schemas: Node,
}

impl House {
    /// The fragments in `openapi`; without such a folder, what every fragment shares.
    pub(super) fn open() -> Result<Self, String> {
        let folder = Path::new(FOLDER);
        if !folder.is_dir() {
            return Ok(Self { document: Document::default(), schemas: shared() });
        }
        let document = load::load(folder, FOLDER)
            .map_err(|violations| violations.first().map(ToString::to_string).unwrap_or_default())?;
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

    /// Where an operation stands already, as file and line.
    pub(super) fn place(&self, method: &str, path: &str) -> Option<String> {
        let operations = self.document.operations();
        let known = operations.iter().find(|known| known.method == method && known.path == path)?;
        let mark = self.document.mark(&known.pointer);
        Some(format!("{}:{}", mark.file, mark.line))
    }
}

fn shared() -> Node {
    let field = |kind: &str, example: Node| Node::map().with("type", kind).with("example", example);
    let properties = Node::map()
        .with("statusCode", field("integer", Node::from(200)))
        .with("message", field("string", Node::from("Success")));
    let required = vec![Node::from("statusCode"), Node::from("message")];
    let envelope = Node::map().with("type", "object").with("required", required).with("properties", properties);
    SHARED.iter().fold(Node::map(), |node, name| node.with(*name, envelope.clone()))
}
