//! The merged document: plain JSON, with the place in the fragments that each part came from.

use crate::violation::Violation;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A place in a fragment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    pub file: String,
    pub line: usize,
    pub column: usize,
}

/// The merged fragments. Pointers are JSON pointers (RFC 6901) into `value`.
#[derive(Debug, Clone, Default)]
pub struct Document {
    pub value: Value,
    /// The place of each node, by its pointer: of its key if it is a member of a mapping, otherwise of the node itself.
    pub marks: BTreeMap<String, Mark>,
    /// The schemas for which no type is made here because `genauth` has one, whose path is the value.
    pub types_of_genauth: BTreeMap<String, String>,
}

/// One operation of the document, borrowed from it.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    pub pointer: String,
    pub method: &'a str,
    pub path: &'a str,
    pub value: &'a Value,
}

impl<'a> Operation<'a> {
    pub fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    pub fn deprecated(&self) -> bool {
        self.value["deprecated"] == true
    }

    /// The schema of the JSON body; null if there is none.
    pub fn body_schema(&self) -> &'a Value {
        &self.value["requestBody"]["content"]["application/json"]["schema"]
    }

    /// The schema of the JSON answer, usually a reference.
    pub fn answer_schema(&self) -> &'a Value {
        &self.value["responses"]["200"]["content"]["application/json"]["schema"]
    }
}

impl Document {
    /// The place of the node at `pointer`, or of its nearest ancestor that has one.
    pub fn mark(&self, pointer: &str) -> Mark {
        let mut pointer = pointer;
        loop {
            if let Some(mark) = self.marks.get(pointer) {
                return mark.clone();
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return Mark::default(),
            }
        }
    }

    /// The document of the `genauth` of the same version. It has no places, since the author of an extension cannot
    /// correct it.
    pub fn genauth() -> Self {
        fn visit(value: &Value, pointer: String, marks: &mut BTreeMap<String, Mark>) {
            match value {
                Value::Object(members) => {
                    members.iter().for_each(|(name, value)| visit(value, format!("{pointer}/{}", escape(name)), marks))
                }
                Value::Array(items) => items
                    .iter()
                    .enumerate()
                    .for_each(|(index, value)| visit(value, format!("{pointer}/{index}"), marks)),
                _ => {}
            }
            marks.insert(pointer, Mark::default());
        }
        let value = serde_json::from_str(include_str!("openapi.json")).unwrap_or_default();
        let mut marks = BTreeMap::new();
        visit(&value, String::new(), &mut marks);
        Self { value, marks, ..Self::default() }
    }

    pub fn schema_pointer(name: &str) -> String {
        format!("/components/schemas/{}", escape(name))
    }

    /// Whether the node at `pointer` comes from a fragment.
    pub fn is_own(&self, pointer: &str) -> bool {
        !self.mark(pointer).file.is_empty()
    }

    pub fn violation(&self, pointer: &str, rule: &'static str, message: impl Into<String>) -> Violation {
        let Mark { file, line, column } = self.mark(pointer);
        Violation { file, line, column, rule, message: message.into() }
    }

    /// All operations, by path and then method.
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations = Vec::new();
        for (path, item) in self.value["paths"].as_object().into_iter().flatten() {
            for (method, value) in item.as_object().into_iter().flatten() {
                let pointer = format!("/paths/{}/{method}", escape(path));
                operations.push(Operation { pointer, method, path, value });
            }
        }
        operations
    }

    /// The named schemas.
    pub fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.value["components"]["schemas"].as_object().into_iter().flatten()
    }

    /// Follows references to a node that is not one. A dangling or circular reference yields the last node reached.
    pub fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..64 {
            let Some(name) = referenced_name(schema) else { break };
            match self.value["components"]["schemas"].get(name) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// The parts of an object schema: itself and, through references and `allOf`, its parts, each once.
    pub fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let mut parts: Vec<&Value> = Vec::new();
        let mut open = vec![schema];
        while let Some(next) = open.pop() {
            let part = self.resolve(next);
            if !parts.iter().any(|seen| std::ptr::eq(*seen, part)) {
                parts.push(part);
                open.extend(part["allOf"].as_array().into_iter().flatten().rev());
            }
        }
        parts
    }

    /// The property `name` of an object schema, looked for through references and `allOf`.
    pub fn property<'a>(&'a self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        self.parts(schema).into_iter().find_map(|part| part["properties"].get(name))
    }

    /// The names of all properties of an object schema, through references and `allOf`.
    pub fn property_names<'a>(&'a self, schema: &'a Value) -> BTreeSet<&'a str> {
        let properties = self.parts(schema).into_iter().filter_map(|part| part["properties"].as_object());
        properties.flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// The names of the schemas that can be reached from any of the nodes.
    pub fn reachable<'a>(&'a self, nodes: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Value> = nodes.into_iter().collect();
        while let Some(node) = open.pop() {
            if let Some(name) = referenced_name(node)
                && seen.insert(name.to_owned())
            {
                open.extend(self.value["components"]["schemas"].get(name));
            }
            match node {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => open.extend(members.values()),
                _ => {}
            }
        }
        seen
    }

    /// Whether a schema is a secret string, or a list, a map or a choice of such. The properties of an object are left
    /// out: each is a field of its own.
    pub fn holds_secret(&self, schema: &Value) -> bool {
        let parts = |key: &str| schema[key].as_array().into_iter().flatten();
        if !schema.is_object() {
            return false;
        }
        schema["format"] == "password"
            || referenced_name(schema).is_some() && self.resolve(schema)["format"] == "password"
            || ["items", "additionalProperties"].iter().any(|key| self.holds_secret(&schema[*key]))
            || parts("allOf").chain(parts("oneOf")).any(|part| self.holds_secret(part))
    }
}

/// The `Name` of `{"$ref": "#/components/schemas/Name"}`.
pub fn referenced_name(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// Escapes a key for a JSON pointer.
pub fn escape(key: &str) -> Cow<'_, str> {
    if key.contains('~') || key.contains('/') { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

/// Quotes a text of the document for a message: in backticks, and on one line whatever it holds.
pub fn shown(text: &str) -> String {
    let mut shown = String::from("`");
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown + "`"
}
