//! The rule `schema`.

use super::house::{House, Place, Report, Role, items, members};
use crate::document::{referenced_name, shown};
use crate::enums::UNLISTED;
use crate::near::did_you_mean;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    names(house, report);
    for place in house.places.iter().filter(|place| place.schema.get("$ref").is_none()) {
        kind(place, report);
        one_kind(house, place, report);
        if !house.is_replaced(&place.pointer) {
            kept(place, report);
        }
        values(place, report);
        default(place, report);
        described(house, place, report);
        properties(house, place, report);
    }
}

/// Checks that all parts of a schema are of one kind, since they become one type.
fn one_kind(house: &House<'_>, place: &Place<'_>, report: &mut Report<'_>) {
    let Place { pointer, schema, .. } = place;
    if items(&schema["allOf"]).nth(1).is_none() {
        return;
    }
    let kinds: BTreeSet<&str> =
        house.document.parts(schema).into_iter().filter_map(|part| part["type"].as_str()).collect();
    if kinds.iter().any(|kind| *kind != "object") {
        let message = "The parts of an `allOf` become one object, but one of them is not an object. \
                       Give each `type: object`.";
        report.add(&format!("{pointer}/allOf"), "schema", message);
    }
}

fn names(house: &House<'_>, report: &mut Report<'_>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let schemas = &house.document.value["components"]["schemas"];
    for (name, pointer) in house.members("/components/schemas", schemas) {
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            let message = format!(
                "The schema {} is not PascalCase. Begin with a capital letter, and use only letters and digits.",
                shown(name)
            );
            report.add(&pointer, "schema", message);
        }
        if let Some(first) = seen.insert(name.to_lowercase(), name) {
            let message = format!("The schemas {} and {} differ only in case. Rename one.", shown(first), shown(name));
            report.add(&pointer, "schema", message);
        }
    }
}

fn kind(place: &Place<'_>, report: &mut Report<'_>) {
    let Place { pointer, schema, role, .. } = place;
    let what = match role {
        Role::Property(name) => Some(format!("The property {}", shown(name))),
        Role::Items => Some("The schema of the items".to_owned()),
        Role::Component => Some("The schema".to_owned()),
        Role::Other => None,
    };
    if schema.get("x-any").is_some() {
        let narrower = members(schema)
            .find(|(key, _)| !matches!(key.as_str(), "x-any" | "x-not-secret" | "description" | "title" | "example"));
        if let Some((key, _)) = narrower {
            let message = format!("{} says more than `x-any`. Remove one of them.", shown(key));
            report.add(&format!("{pointer}/x-any"), "schema", message);
        }
    } else if let Some(what) = what.filter(|_| ["type", "allOf", "oneOf"].iter().all(|key| schema.get(key).is_none())) {
        let message = format!(
            "{what} does not say what it is. Give it a `type`, `allOf`, `oneOf` or `$ref`, or `x-any: true` if it may be anything."
        );
        report.add(pointer, "schema", message);
    }
    if schema["type"] == "array" && schema.get("items").is_none() {
        report.add(pointer, "schema", "The array does not say what its items are. Add `items`.");
    }
    for (key, wanted) in
        [("properties", "object"), ("required", "object"), ("additionalProperties", "object"), ("items", "array")]
    {
        if schema.get(key).is_some() && schema.get("type").is_some_and(|kind| kind != wanted) {
            let message = format!("`{key}` is for `type: {wanted}`. Write that, or remove it.");
            report.add(&format!("{pointer}/{key}"), "schema", message);
        }
    }
    for key in ["allOf", "oneOf"] {
        if schema[key].as_array().is_some_and(Vec::is_empty) {
            report.add(&format!("{pointer}/{key}"), "schema", format!("`{key}` is empty. Fill it, or remove it."));
        }
    }
}

/// Refuses a default: it would always be sent, even by callers who did not mean to say anything, and read where a
/// server said nothing.
fn default(place: &Place<'_>, report: &mut Report<'_>) {
    if place.schema.get("default").is_some() {
        let message = "A `default` would be sent, or read, where no value was given. Say in the description what the \
                       server assumes then.";
        report.add(&format!("{}/default", place.pointer), "schema", message);
    }
}

/// Checks descriptions, from which help texts and documentation are made.
fn described(house: &House<'_>, place: &Place<'_>, report: &mut Report<'_>) {
    let Place { pointer, schema, role, .. } = place;
    let what = match role {
        Role::Property(name) => format!("The property {}", shown(name)),
        Role::Component => "The schema".to_owned(),
        Role::Items | Role::Other => return,
    };
    let has = |schema: &Value| schema["description"].as_str().is_some_and(|text| !text.trim().is_empty());
    if !has(schema) && !house.document.parts(schema).into_iter().any(has) {
        report.add(pointer, "description", format!("{what} has no `description`. Say in a sentence what it is."));
    }
    if let Role::Property(name) = role
        && schema["type"] == "number"
        && counts(name)
    {
        let message = format!("{} counts, and would be sent as `10.0`. Make it `type: integer`.", shown(name));
        report.add(&format!("{pointer}/type"), "schema", message);
    }
}

/// Whether a number of this name is a whole one.
pub(super) fn counts(name: &str) -> bool {
    let name = name.to_snake_case();
    let last = name.rsplit('_').next().unwrap_or_default();
    ["page", "limit", "offset", "size", "count", "total", "skip", "index", "times", "number", "num"].contains(&last)
}

fn values(place: &Place<'_>, report: &mut Report<'_>) {
    let Place { pointer, schema, .. } = place;
    let Some(values) = schema.get("enum") else { return };
    let texts: Vec<&str> = items(values).filter_map(Value::as_str).collect();
    let distinct: BTreeSet<&str> = texts.iter().copied().collect();
    let message = if schema["type"] != "string" {
        "`enum` is for strings. Add `type: string`, or remove it.".to_owned()
    } else if texts.len() != items(values).count() {
        "`enum` has a value that is not a string. Quote it.".to_owned()
    } else if texts.is_empty() {
        "`enum` is empty. Fill it, or remove it.".to_owned()
    } else if distinct.len() != texts.len() {
        "`enum` has a value twice. Remove one.".to_owned()
    } else if let Some((first, other)) = alike(&texts) {
        let [first, other] = [first, other].map(shown);
        format!(
            "{first} and {other} become the same variant. Make it a plain string, and list the values in the description."
        )
    } else if let Some(text) = texts.iter().find(|text| text.to_upper_camel_case() == UNLISTED) {
        format!("{} becomes the variant for every value that is not listed. Make it a plain string.", shown(text))
    } else {
        return;
    };
    report.add(&format!("{pointer}/enum"), "schema", message);
}

/// Two values from which the generator would make the same variant.
fn alike<'a>(texts: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    texts.iter().find_map(|text| seen.insert(text.to_upper_camel_case(), text).map(|first| (first, *text)))
}

/// Refuses what a generated type cannot keep, or only with a crate that the client would have to depend on.
fn kept(place: &Place<'_>, report: &mut Report<'_>) {
    const CONSTRAINTS: [&str; 7] = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern"];
    const FORMATS: [&str; 6] = ["uuid", "date", "date-time", "ip", "ipv4", "ipv6"];
    let Place { pointer, schema, .. } = place;
    let secret = schema["format"] == "password";
    for constraint in CONSTRAINTS.into_iter().filter(|key| !secret && schema.get(key).is_some()) {
        let message = format!("The generated type does not check {}. Say it in the description.", shown(constraint));
        report.add(&format!("{pointer}/{constraint}"), "schema", message);
    }
    if let Some(format) = schema["format"].as_str().filter(|format| FORMATS.contains(format)) {
        let message = format!("The client has no type for the format {}. Say it in the description.", shown(format));
        report.add(&format!("{pointer}/format"), "schema", message);
    }
}

fn properties<'a>(house: &House<'a>, place: &Place<'a>, report: &mut Report<'_>) {
    let Place { pointer, schema, whole, .. } = place;
    for (index, name) in items(&schema["required"]).enumerate() {
        let name = name.as_str().unwrap_or_default();
        let leads_nowhere = || house.document.parts(whole).into_iter().any(|part| referenced_name(part).is_some());
        if house.document.property(whole, name).is_none() && !leads_nowhere() {
            let known = house.document.property_names(whole);
            let mend = did_you_mean(name, known, "Add it, or leave it out here.");
            let message = format!("{} is required but is not a property. {mend}", shown(name));
            report.add(&format!("{pointer}/required/{index}"), "schema", message);
        }
    }
    let collision = |first: &str, second: &str, field: &str| {
        let [first, second, field] = [first, second, field].map(shown);
        format!("The properties {first} and {second} both become the field {field}. Rename one.")
    };
    let mut fields: BTreeMap<String, &str> = BTreeMap::new();
    for (name, pointer) in house.members(&format!("{pointer}/properties"), &schema["properties"]) {
        if let Some(first) = fields.insert(name.to_snake_case(), name) {
            report.add(&pointer, "schema", collision(first, name, &name.to_snake_case()));
        }
    }
    if !std::ptr::eq(*schema, *whole) || schema.get("allOf").is_none() {
        return;
    }
    // The parts of an `allOf` become one type. A collision within one part is reported at that part.
    let mut fields: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for (index, part) in house.document.parts(schema).into_iter().enumerate() {
        for (name, _) in members(&part["properties"]) {
            let (first, of) = *fields.entry(name.to_snake_case()).or_insert((name, index));
            if first != name && of != index {
                report.add(pointer, "schema", collision(first, name, &name.to_snake_case()));
            }
        }
    }
}
