//! The document that is imported from, and which of its operations are meant.

use super::names;
use super::tree::Node;
use genauth_codegen::document::{Document, shown};
use genauth_codegen::load;
use std::fs;
use std::path::Path;
use strsim::levenshtein;

const METHODS: [&str; 8] = ["get", "post", "put", "delete", "patch", "head", "options", "trace"];

/// An OpenAPI 3.0 document.
pub(super) struct Source {
    pub(super) file: String,
    pub(super) root: Node,
}

/// One operation of it.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) node: &'a Node,
    /// The path item, which may have more than operations, such as parameters that they share.
    pub(super) shared: &'a Node,
}

impl<'a> Operation<'a> {
    pub(super) fn id(&self) -> &'a str {
        self.node.get("operationId").text()
    }

    /// The operation's name in the document.
    pub(super) fn label(&self) -> String {
        match self.id() {
            "" => shown(&format!("{} {}", self.method.to_uppercase(), self.path)),
            id => shown(id),
        }
    }

    fn answers_to(&self, name: &str) -> bool {
        self.id() == name || self.path == name || names::short(self.id()) == name
    }
}

impl Source {
    pub(super) fn read(file: &str) -> Result<Self, String> {
        let bytes =
            fs::read(file).map_err(|_| format!("{file} cannot be read; give the path of an OpenAPI 3.0 document."))?;
        let root = match load::read(Path::new(file), file) {
            Ok(document) => Node::of(&document),
            // JSON may hold what YAML does not allow, such as a character escaped as two.
            Err(violations) => match serde_json::from_slice(&bytes) {
                Ok(value) => Node::of(&Document { value, ..Document::default() }),
                Err(_) => return Err(violations.first().map(ToString::to_string).unwrap_or_default()),
            },
        };
        if root.has("swagger") {
            return Err(format!("{file} is a Swagger 2 document; convert it to OpenAPI 3.0 and import from that."));
        }
        let version = root.get("openapi").text();
        if version.is_empty() {
            return Err(format!("{file} has no `openapi: 3.0.x`; give an OpenAPI 3.0 document in JSON or YAML."));
        }
        if !version.starts_with("3.0.") {
            let version = shown(version);
            return Err(format!("{file} is OpenAPI {version}; convert it to 3.0 and import from that."));
        }
        let source = Self { file: file.to_owned(), root };
        if source.operations().is_empty() {
            return Err(format!("{} has no operations to import; give a document that has some.", source.file));
        }
        Ok(source)
    }

    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.root.get("paths").entries().iter();
        let operations = paths.flat_map(|(path, shared)| {
            let operations = shared.entries().iter().filter(|(method, _)| METHODS.contains(&method.as_str()));
            operations.map(move |(method, node)| Operation { path, method, node, shared })
        });
        operations.collect()
    }

    /// The operations that `name` stands for: one, or all of a path.
    pub(super) fn find(&self, name: &str) -> Result<Vec<Operation<'_>>, String> {
        let all = self.operations();
        let found: Vec<_> = all.iter().copied().filter(|operation| operation.answers_to(name)).collect();
        let exact: Vec<_> = found.iter().copied().filter(|operation| operation.id() == name).collect();
        if !exact.is_empty() {
            return Ok(exact);
        }
        let one_path = found.iter().all(|operation| operation.path == found[0].path);
        if !found.is_empty() && (found.len() == 1 || one_path) {
            return Ok(found);
        }
        let (name, file) = (shown(name), &self.file);
        if !found.is_empty() {
            let ids: Vec<_> = found.iter().map(Operation::label).collect();
            return Err(format!("{name} is short for {} in {file}; give one of these.", ids.join(" and ")));
        }
        let candidates =
            all.iter().flat_map(|operation| [operation.id(), names::short(operation.id()), operation.path]);
        let plain = name.trim_matches('`').to_lowercase();
        let near = candidates
            .filter(|candidate| !candidate.is_empty())
            .map(|candidate| (levenshtein(&candidate.to_lowercase(), &plain), candidate))
            .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
            .min_by_key(|(distance, candidate)| (*distance, candidate.len()));
        Err(match near {
            Some((_, near)) => format!("{file} has no operation {name}; did you mean {}?", shown(near)),
            None => {
                format!("{file} has no operation {name}; give an operationId of it, the id's short form or a path.")
            }
        })
    }

    /// The node itself, or what it refers to; `None` if the reference leads nowhere.
    pub(super) fn resolve<'a>(&'a self, mut node: &'a Node) -> Option<&'a Node> {
        for _ in 0..64 {
            match node.get("$ref").text() {
                "" => return Some(node),
                reference => node = self.root.pointer(reference.strip_prefix('#')?)?,
            }
        }
        None
    }

    /// The schema itself and, through references and `allOf`, its parts.
    pub(super) fn parts<'a>(&'a self, schema: &'a Node) -> Vec<&'a Node> {
        let mut parts: Vec<&Node> = Vec::new();
        let mut open = vec![schema];
        while let Some(part) = open.pop().and_then(|next| self.resolve(next)) {
            if !parts.iter().any(|seen| std::ptr::eq(*seen, part)) {
                parts.push(part);
                open.extend(part.get("allOf").items().iter().rev());
            }
        }
        parts
    }
}
