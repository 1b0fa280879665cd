//! A document whose mappings keep their order, for reading and for writing.

use genauth_codegen::document::{Document, escape};
use serde_json::Value;

/// The key of a comment, whose value is a text like any other.
pub(super) const COMMENT: &str = "#";

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

const NOTHING: &Node = &Node::Scalar(Value::Null);

impl Node {
    /// The document in the order of its file.
    pub(super) fn of(document: &Document) -> Self {
        fn node(document: &Document, pointer: &str, value: &Value) -> Node {
            match value {
                Value::Array(items) => {
                    let item = |(index, item)| node(document, &format!("{pointer}/{index}"), item);
                    Node::List(items.iter().enumerate().map(item).collect())
                }
                Value::Object(members) => {
                    let mut members: Vec<_> =
                        members.iter().map(|(key, value)| (format!("{pointer}/{}", escape(key)), key, value)).collect();
                    members.sort_by_cached_key(|(pointer, ..)| {
                        document.marks.get(pointer).map(|mark| (mark.file.clone(), mark.line, mark.column))
                    });
                    let member = |(pointer, key, value): (String, &String, &Value)| {
                        (key.clone(), node(document, &pointer, value))
                    };
                    Node::Map(members.into_iter().map(member).collect())
                }
                scalar => Node::Scalar(scalar.clone()),
            }
        }
        node(document, "", &document.value)
    }

    /// The value of `key`; null if there is none.
    pub(super) fn get(&self, key: &str) -> &Self {
        self.entries().iter().find(|(name, _)| name == key).map_or(NOTHING, |(_, node)| node)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries().iter().any(|(name, _)| name == key)
    }

    /// The members of a mapping; empty for anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    /// The items of a list; empty for anything else.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The text; empty for anything else.
    pub(super) fn text(&self) -> &str {
        if let Self::Scalar(Value::String(text)) = self { text } else { "" }
    }

    pub(super) fn is(&self, flag: bool) -> bool {
        *self == Self::Scalar(Value::Bool(flag))
    }

    /// The node that a JSON pointer leads to.
    pub(super) fn pointer(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |node, key| {
            let key = key.replace("~1", "/").replace("~0", "~");
            node.entries().iter().find(|(name, _)| *name == key).map(|(_, node)| node)
        })
    }

    /// Adds a member at the end.
    pub(super) fn with(mut self, key: impl Into<String>, value: impl Into<Self>) -> Self {
        if let Self::Map(entries) = &mut self {
            entries.push((key.into(), value.into()));
        }
        self
    }

    /// Adds a member at the end if there is a value for it.
    pub(super) fn with_some(self, key: &str, value: Option<impl Into<Self>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    pub(super) fn map() -> Self {
        Self::Map(Vec::new())
    }

    pub(super) fn reference(name: &str) -> Self {
        Self::map().with("$ref", format!("#/components/schemas/{name}"))
    }

    /// The `Name` in a reference to a schema.
    pub(super) fn referenced(&self) -> Option<&str> {
        self.get("$ref").text().strip_prefix("#/components/schemas/")
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Scalar(Value::from(text))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Scalar(Value::from(text))
    }
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Scalar(Value::from(flag))
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Self::Scalar(Value::from(number))
    }
}

impl From<Vec<Node>> for Node {
    fn from(items: Vec<Node>) -> Self {
        Self::List(items)
    }
}
