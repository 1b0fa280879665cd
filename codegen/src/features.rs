//! What is only there with a Cargo feature: the operations of a tag that names one by `x-feature`, and the types that
//! nothing else needs.

use crate::document::{Document, Operation};
use crate::names::plain;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syn::{Attribute, parse_quote};

/// The features any of which brings an item; empty if it is always there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct With(BTreeSet<String>);

impl With {
    pub fn attribute(&self) -> Option<Attribute> {
        let features = &self.0;
        match features.len() {
            0 => None,
            1 => Some(parse_quote!(#[cfg(#(feature = #features)*)])),
            _ => Some(parse_quote!(#[cfg(any(#(feature = #features),*))])),
        }
    }

    /// The feature, if there is exactly one.
    pub fn single(&self) -> Option<&str> {
        self.0.first().filter(|_| self.0.len() == 1).map(String::as_str)
    }

    /// How many features bring it.
    pub fn breadth(&self) -> usize {
        self.0.len()
    }

    fn is_on(&self, is_on: &dyn Fn(&str) -> bool) -> bool {
        self.0.is_empty() || self.0.iter().any(|feature| is_on(feature))
    }
}

/// The features that bring operations and types, by their [`plain`] names.
pub struct Features {
    pub operations: BTreeMap<String, With>,
    pub schemas: BTreeMap<String, With>,
}

impl Features {
    pub fn of(document: &Document) -> Self {
        let mut operations = BTreeMap::new();
        let mut always = BTreeSet::new();
        let mut needed: BTreeMap<String, With> = BTreeMap::new();
        for operation in document.operations() {
            let with = of_operation(document, &operation);
            for schema in document.reachable([operation.value]) {
                match with.single() {
                    Some(feature) => _ = needed.entry(schema).or_default().0.insert(feature.to_owned()),
                    None => _ = always.insert(schema),
                }
            }
            operations.insert(plain(operation.id()), with);
        }
        needed.retain(|schema, _| !always.contains(schema));
        let schemas = needed.into_iter().map(|(schema, with)| (plain(&schema), with)).collect();
        Self { operations, schemas }
    }

    /// All features that some operation or type needs.
    pub fn names(&self) -> BTreeSet<&str> {
        self.operations.values().flat_map(|with| with.0.iter().map(String::as_str)).collect()
    }
}

/// The feature of each tag that has one, by the tag's name.
pub fn of_tags(document: &Document) -> BTreeMap<&str, &str> {
    let tags = document.value["tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| Some((tag["name"].as_str()?, tag["x-feature"].as_str()?))).collect()
}

fn of_operation(document: &Document, operation: &Operation<'_>) -> With {
    let features = of_tags(document);
    let tags = operation.value["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    With(tags.filter_map(|tag| features.get(tag)).map(ToString::to_string).collect())
}

/// The document without what only features that are off would bring.
pub fn only(document: &Document, is_on: &dyn Fn(&str) -> bool) -> Document {
    let features = Features::of(document);
    let mut value = document.value.clone();
    if let Some(paths) = value["paths"].as_object_mut() {
        for methods in paths.values_mut().filter_map(Value::as_object_mut) {
            methods.retain(|_, operation| {
                let id = operation["operationId"].as_str().map(plain);
                id.and_then(|id| features.operations.get(&id)).is_none_or(|with| with.is_on(is_on))
            });
        }
        paths.retain(|_, methods| methods.as_object().is_some_and(|methods| !methods.is_empty()));
    }
    if let Some(schemas) = value["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| features.schemas.get(&plain(name)).is_none_or(|with| with.is_on(is_on)));
    }
    Document { value, ..document.clone() }
}
