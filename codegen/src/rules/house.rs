//! What the rules read from a document, and where they report what is wrong.

use crate::document::{Document, Mark, Operation, escape, shown};
use crate::violation::Violation;
use serde_json::Value;

/// The document as the rules read it.
pub(super) struct House<'a> {
    pub(super) document: &'a Document,
    /// The operations in the order of the fragments.
    pub(super) operations: Vec<Operation<'a>>,
    pub(super) places: Vec<Place<'a>>,
    /// The schemas that a hand-written type replaces.
    pub(super) replacements: &'a [&'a str],
}

/// A schema and its place.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) pointer: String,
    pub(super) schema: &'a Value,
    pub(super) role: Role<'a>,
    /// The schema whose `allOf` this is a part of, however deep; otherwise the schema itself.
    pub(super) whole: &'a Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'a> {
    Component,
    Property(&'a str),
    Items,
    Other,
}

pub(super) struct Report<'a> {
    pub(super) document: &'a Document,
    pub(super) violations: Vec<Violation>,
}

impl Report<'_> {
    pub(super) fn add(&mut self, pointer: &str, rule: &'static str, message: impl Into<String>) {
        self.violations.push(self.document.violation(pointer, rule, message));
    }
}

pub(super) const JSON: &str = "content/application~1json";

impl<'a> House<'a> {
    pub(super) fn new(document: &'a Document, replacements: &'a [&'a str]) -> Self {
        let mut operations = document.operations();
        let places = places(document, &operations);
        let mut house = Self { document, operations: Vec::new(), places, replacements };
        operations.sort_by_cached_key(|operation| house.order(&operation.pointer));
        house.operations = operations;
        house
    }

    /// The members of the mapping at `pointer`, in the order of the fragments, which the map itself need not have.
    pub(super) fn members(&self, pointer: &str, mapping: &'a Value) -> Vec<(&'a str, String)> {
        let member = |(name, _): (&'a String, _)| (name.as_str(), format!("{pointer}/{}", escape(name)));
        let mut found: Vec<_> = members(mapping).map(member).collect();
        found.sort_by_cached_key(|(_, pointer)| self.order(pointer));
        found
    }

    fn order(&self, pointer: &str) -> (String, usize, usize) {
        let Mark { file, line, column } = self.document.mark(pointer);
        (file, line, column)
    }

    /// Whether a schema is, or is part of, one that a hand-written type replaces.
    pub(super) fn is_replaced(&self, pointer: &str) -> bool {
        let path = pointer.strip_prefix("/components/schemas/").unwrap_or_default();
        self.replacements.contains(&path.split('/').next().unwrap_or_default())
    }

    /// Whether any part of the schema requires `name`.
    pub(super) fn requires(&self, schema: &Value, name: &str) -> bool {
        self.document.parts(schema).into_iter().any(|part| items(&part["required"]).any(|required| required == name))
    }
}

/// Every schema in the document, inner ones included. References are listed, but not followed.
fn places<'a>(document: &'a Document, operations: &[Operation<'a>]) -> Vec<Place<'a>> {
    let mut open = Vec::new();
    let mut root = |pointer, schema, role| open.push(Place { pointer, schema, role, whole: schema });
    for (name, schema) in document.schemas() {
        root(format!("/components/schemas/{}", escape(name)), schema, Role::Component);
    }
    for operation in operations {
        let pointer = &operation.pointer;
        root(format!("{pointer}/requestBody/{JSON}/schema"), &body(operation)["schema"], Role::Other);
        root(format!("{pointer}/responses/200/{JSON}/schema"), operation.answer_schema(), Role::Other);
        for (index, parameter) in items(&operation.value["parameters"]).enumerate() {
            root(format!("{pointer}/parameters/{index}/schema"), &parameter["schema"], Role::Other);
        }
    }
    let mut places = Vec::new();
    while let Some(place) = open.pop() {
        if place.schema.is_object() {
            open.extend(inner(&place));
            places.push(place);
        }
    }
    places
}

fn inner<'a>(place: &Place<'a>) -> Vec<Place<'a>> {
    let Place { pointer, schema, whole, .. } = place;
    let mut inner = Vec::new();
    let mut add = |pointer, schema, role, whole| inner.push(Place { pointer, schema, role, whole });
    for (name, property) in members(&schema["properties"]) {
        add(format!("{pointer}/properties/{}", escape(name)), property, Role::Property(name), property);
    }
    for (key, role) in [("items", Role::Items), ("additionalProperties", Role::Other)] {
        add(format!("{pointer}/{key}"), &schema[key], role, &schema[key]);
    }
    for (index, part) in items(&schema["allOf"]).enumerate() {
        add(format!("{pointer}/allOf/{index}"), part, Role::Other, *whole);
    }
    for (index, alternative) in items(&schema["oneOf"]).enumerate() {
        add(format!("{pointer}/oneOf/{index}"), alternative, Role::Other, alternative);
    }
    inner
}

/// The items of a list; empty for anything else.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The members of a mapping; empty for anything else.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The JSON content of the request body; null if there is none.
pub(super) fn body<'a>(operation: &Operation<'a>) -> &'a Value {
    &operation.value["requestBody"]["content"]["application/json"]
}

/// The name of an operation in messages.
pub(super) fn label(operation: &Operation<'_>) -> String {
    match operation.id() {
        "" => shown(&format!("{} {}", operation.method.to_uppercase(), operation.path)),
        id => shown(id),
    }
}
