//! The rule `example`: readers, the mock and the tests rely on examples.

use super::house::{House, JSON, Report, body, items, members};
use crate::document::{escape, referenced_name, shown};
use crate::near::did_you_mean;
use serde_json::Value;

#[derive(Clone, Copy)]
struct How {
    /// Whether it is the example of a request, whose enums are closed. An answer may hold values that the server has
    /// added since.
    asked: bool,
    /// Whether the schemas are in order. If one is not, an example that contradicts it may be the better of the two.
    strict: bool,
}

/// Checks the examples. This comes after all other rules.
pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    let strict = report.violations.iter().all(|violation| ["description", "sentence"].contains(&violation.rule));
    for place in &house.places {
        if let Some(example) = place.schema.get("example") {
            let how = How { asked: false, strict };
            compare(how, house, place.schema, example, &format!("{}/example", place.pointer), report);
        }
    }
    for operation in &house.operations {
        let pointer = &operation.pointer;
        let answer = &operation.value["responses"]["200"]["content"]["application/json"];
        if answer["schema"].is_object() {
            let how = How { asked: false, strict };
            of_content(how, house, answer, &format!("{pointer}/responses/200/{JSON}"), "answer", report);
        }
        if !operation.value["requestBody"].is_null() {
            let how = How { asked: true, strict };
            of_content(how, house, body(operation), &format!("{pointer}/requestBody/{JSON}"), "request body", report);
        }
        for (index, parameter) in items(&operation.value["parameters"]).enumerate() {
            let schema = house.document.resolve(&parameter["schema"]);
            if parameter.get("example").is_none() && schema.get("example").is_none() {
                let name = shown(parameter["name"].as_str().unwrap_or_default());
                let message = format!("The parameter {name} has no example. Add one.");
                report.add(&format!("{pointer}/parameters/{index}"), "example", message);
            }
            if let Some(example) = parameter.get("example") {
                let at = format!("{pointer}/parameters/{index}/example");
                compare(How { asked: true, strict }, house, &parameter["schema"], example, &at, report);
            }
        }
    }
}

fn of_content(how: How, house: &House<'_>, content: &Value, pointer: &str, what: &str, report: &mut Report<'_>) {
    let name = referenced_name(&content["schema"]).map(|name| format!(" {}", shown(name))).unwrap_or_default();
    match content.get("example") {
        None => report.add(pointer, "example", format!("The {what}{name} has no example. Add one.")),
        Some(example) => compare(how, house, &content["schema"], example, &format!("{pointer}/example"), report),
    }
}

/// Compares an example with its schema, in every detail that it goes into.
fn compare(how: How, house: &House<'_>, schema: &Value, example: &Value, pointer: &str, report: &mut Report<'_>) {
    let parts = house.document.parts(schema);
    let of_parts = |key: &str| parts.iter().find_map(|part| part.get(key));
    if example.is_null() && of_parts("nullable").is_some_and(|nullable| nullable == true) {
        return;
    }
    if of_parts("x-any").is_some() {
        return;
    }
    if let Some(alternatives) = of_parts("oneOf") {
        let fits = |alternative: &Value| {
            let mut told = Report { document: house.document, violations: Vec::new() };
            compare(how, house, alternative, example, pointer, &mut told);
            told.violations.is_empty()
        };
        if how.strict && !items(alternatives).any(fits) {
            report.add(pointer, "example", "The example is not one of its schema's alternatives. Write one of them.");
        }
        return;
    }
    let kind = of_parts("type").and_then(Value::as_str).unwrap_or_default();
    if !is_a(kind, example) {
        if !how.strict {
            return;
        }
        let kind = if kind == "integer" { "whole number" } else { kind };
        let mend = format!(
            "Write {} {kind}, as the schema says.",
            if kind == "array" || kind == "object" { "an" } else { "a" }
        );
        return report.add(pointer, "example", format!("The example is not of its schema's type. {mend}"));
    }
    // An answer may hold values that the server has added since.
    if let (true, Some(text), Some(values)) = (how.strict && how.asked, example.as_str(), of_parts("enum"))
        && !items(values).any(|value| value == text)
    {
        let mend = did_you_mean(text, items(values).filter_map(Value::as_str), "Take one that it lists.");
        report.add(pointer, "example", format!("The example {} is not in the schema's `enum`. {mend}", shown(text)));
    }
    if kind == "object" {
        let mut required: Vec<&str> =
            parts.iter().flat_map(|part| items(&part["required"])).filter_map(Value::as_str).collect();
        required.sort_unstable();
        required.dedup();
        // The rule `schema` reports a required name that is not a property.
        let is_property = |name: &&str| house.document.property(schema, name).is_some();
        for name in required.into_iter().filter(is_property).filter(|name| example.get(name).is_none()) {
            report.add(pointer, "example", format!("The example lacks {}, which is required. Add it.", shown(name)));
        }
    }
    let known = house.document.property_names(schema);
    let is_open = match of_parts("additionalProperties") {
        Some(more) => more != false,
        None => known.is_empty(),
    };
    for (name, value) in members(example) {
        let pointer = format!("{pointer}/{}", escape(name));
        match house.document.property(schema, name) {
            Some(property) => compare(how, house, property, value, &pointer, report),
            None if is_open => {
                if let Some(inner) = of_parts("additionalProperties").filter(|inner| inner.is_object()) {
                    compare(how, house, inner, value, &pointer, report);
                }
            }
            None if !how.strict => {}
            None => {
                let mend = did_you_mean(name, known.iter().copied(), "Describe it, or leave it out.");
                let message = format!("The example has {}, which its schema does not describe. {mend}", shown(name));
                report.add(&pointer, "example", message);
            }
        }
    }
    if let Some(schema) = of_parts("items") {
        for (index, value) in items(example).enumerate() {
            compare(how, house, schema, value, &format!("{pointer}/{index}"), report);
        }
    }
}

/// Whether a value is of a kind. A schema that is missing, or a reference that leads nowhere, allows any.
fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    }
}
