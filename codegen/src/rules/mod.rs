//! The house rules: what a fragment must keep to besides the shape of its parts.
//!
//! A rule is here because breaking it makes progenitor panic or generate something unusable, because it keeps the client
//! uniform, or because it keeps secrets out of logs.

mod bodies;
mod operations;
mod parameters;
mod references;
mod schemas;
mod secrets;
mod sentences;

pub use secrets::looks_secret;
pub use sentences::UNWRITTEN;

use crate::Violation;
use crate::document::{Document, Mark, Operation, escape, shown};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is wrong with a document whose shape is right, by place. `replacements` names the schemas that the build
/// replaces by hand-written types.
pub fn check(document: &Document, replacements: &[&str]) -> Vec<Violation> {
    let house = House::new(document, replacements);
    let mut report = Report { document, violations: Vec::new() };
    operations::check(&house, &mut report);
    parameters::check(&house, &mut report);
    bodies::check(&house, &mut report);
    references::check(&house, &mut report);
    schemas::check(&house, &mut report);
    secrets::check(&house, &mut report);
    sentences::check(&mut report);
    let mut violations = report.violations;
    violations.sort();
    // An alias makes one place stand for several, so messages name what stands there and not who uses it.
    violations.dedup();
    violations
}

/// What the rules read.
struct House<'a> {
    document: &'a Document,
    /// In the order of the fragments.
    operations: Vec<Operation<'a>>,
    places: Vec<Place<'a>>,
    /// The schemas that a hand-written type stands for.
    replacements: &'a [&'a str],
    /// The named schemas that an answer can hold, as they stand in a pointer.
    answered: BTreeSet<String>,
}

/// A schema and where it stands.
#[derive(Clone)]
struct Place<'a> {
    pointer: String,
    schema: &'a Value,
    role: Role<'a>,
    /// The schema whose `allOf` this is a part of, however deep; the schema itself otherwise.
    whole: &'a Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role<'a> {
    Component,
    Property(&'a str),
    Items,
    Other,
}

struct Report<'a> {
    document: &'a Document,
    violations: Vec<Violation>,
}

impl Report<'_> {
    fn add(&mut self, pointer: &str, rule: &'static str, message: impl Into<String>) {
        self.violations.push(self.document.violation(pointer, rule, message));
    }
}

const JSON: &str = "content/application~1json";

impl<'a> House<'a> {
    fn new(document: &'a Document, replacements: &'a [&'a str]) -> Self {
        let mut operations = document.operations();
        let places = places(document, &operations);
        let answers = operations.iter().map(Operation::answer_schema);
        let answered = document.reachable(answers).iter().map(|name| escape(name).into_owned()).collect();
        let mut house = Self { document, operations: Vec::new(), places, replacements, answered };
        operations.sort_by_cached_key(|operation| house.order(&operation.pointer));
        house.operations = operations;
        house
    }

    /// The members of the mapping at `pointer`, in the order of the fragments: a map may have another.
    fn members(&self, pointer: &str, mapping: &'a Value) -> Vec<(&'a str, String)> {
        let member = |(name, _): (&'a String, _)| (name.as_str(), format!("{pointer}/{}", escape(name)));
        let mut found: Vec<_> = members(mapping).map(member).collect();
        found.sort_by_cached_key(|(_, pointer)| self.order(pointer));
        found
    }

    fn order(&self, pointer: &str) -> (String, usize, usize) {
        let Mark { file, line, column } = self.document.mark(pointer);
        (file, line, column)
    }

    /// Whether a schema is, or stands within, one that a hand-written type replaces.
    fn is_replaced(&self, pointer: &str) -> bool {
        let path = pointer.strip_prefix("/components/schemas/").unwrap_or_default();
        self.replacements.contains(&path.split('/').next().unwrap_or_default())
    }

    /// Whether a schema is, or stands within, one that an answer can hold.
    fn is_answered(&self, pointer: &str) -> bool {
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        match path.as_slice() {
            ["components", "schemas", name, ..] => self.answered.contains(*name),
            ["paths", _, _, part, ..] => *part == "responses",
            _ => false,
        }
    }

    /// Whether any part of the schema names `name` as required.
    fn requires(&self, schema: &Value, name: &str) -> bool {
        self.document.parts(schema).into_iter().any(|part| items(&part["required"]).any(|required| required == name))
    }
}

/// Every schema in the document, inner ones included. References are places, but not followed.
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

/// The items of a list; none of anything else.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The members of a mapping; none of anything else.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The JSON content of the request body; null if there is none.
fn body<'a>(operation: &Operation<'a>) -> &'a Value {
    &operation.value["requestBody"]["content"]["application/json"]
}

/// What a message calls an operation.
fn label(operation: &Operation<'_>) -> String {
    match operation.id() {
        "" => shown(&format!("{} {}", operation.method.to_uppercase(), operation.path)),
        id => shown(id),
    }
}
