//! The rules `reference`, `replacement` and `unreferenced`.

use super::house::{House, Report, items, members};
use crate::document::{escape, referenced_name, shown};
use crate::near::{did_you_mean, near};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    let document = house.document;
    let schemas = &document.value["components"]["schemas"];
    let known = || document.schemas().map(|(name, _)| name.as_str());
    // A schema that a misspelled reference means counts as used.
    let mut meant = Vec::new();
    for place in &house.places {
        let Some(reference) = place.schema.get("$ref") else { continue };
        let message = match referenced_name(place.schema) {
            None => {
                let reference = shown(reference.as_str().unwrap_or_default());
                format!("{reference} is not a reference to a schema. Write `#/components/schemas/NAME`.")
            }
            Some(name) if schemas.get(name).is_none() => {
                let mend = did_you_mean(name, known(), "Describe it, or refer to one that exists.");
                format!("There is no schema {}. {mend}", shown(name))
            }
            Some(_) => continue,
        };
        let name = referenced_name(place.schema);
        meant.extend(
            name.and_then(|name| near(name, known()))
                .and_then(|meant| schemas.get(meant).map(|schema| (meant, schema))),
        );
        report.add(&format!("{}/$ref", place.pointer), "reference", message);
    }
    let mut used =
        document.reachable([&document.value["paths"]].into_iter().chain(meant.iter().map(|(_, schema)| *schema)));
    used.extend(meant.iter().map(|(name, _)| (*name).to_owned()));
    for (name, schema) in document.schemas() {
        let pointer = format!("/components/schemas/{}", escape(name));
        if made_of(schemas, schema).contains(name.as_str()) {
            let message = format!(
                "The schema {} contains itself without end. Break the circle: a property may refer back by a plain \
                 `$ref`.",
                shown(name)
            );
            report.add(&pointer, "reference", message);
        }
        if !used.contains(name) {
            report.add(&pointer, "unreferenced", format!("No operation uses the schema {}. Remove it.", shown(name)));
        }
    }
    for name in house.replacements.iter().filter(|name| schemas.get(**name).is_none()) {
        let message = format!(
            "The build replaces the schema {} by a hand-written type, but there is no such schema. Add it, or drop the \
             replacement.",
            shown(name)
        );
        report.add("", "replacement", message);
    }
}

/// The schemas that the generator has to look into to make `schema`: itself a reference, or merged by an `allOf`
/// anywhere in it. Any other reference only becomes a type's name, and may be circular.
fn made_of<'a>(schemas: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let mut open = vec![(schema, true)];
    while let Some((node, merged)) = open.pop() {
        if let Some(name) = referenced_name(node)
            && merged
            && names.insert(name)
        {
            open.extend(schemas.get(name).map(|target| (target, true)));
        }
        let parts: Vec<_> = items(&node["allOf"]).collect();
        // A single part is as good as a reference.
        let merged = merged || parts.len() > 1;
        open.extend(parts.into_iter().map(|part| (part, merged)));
        let plain = members(&node["properties"]).map(|(_, property)| property).chain(items(&node["oneOf"]));
        let plain = plain.chain(["items", "additionalProperties"].into_iter().filter_map(|key| node.get(key)));
        open.extend(plain.map(|inner| (inner, false)));
    }
    names
}
