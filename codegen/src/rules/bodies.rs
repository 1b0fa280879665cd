//! `answer`, `body` and `example`.

use super::house::{House, JSON, Report, body, items, label, members};
use crate::document::{escape, referenced_name, shown};
use serde_json::Value;

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    for operation in &house.operations {
        let pointer = &operation.pointer;
        let answer = &operation.value["responses"]["200"]["content"]["application/json"];
        let at = format!("{pointer}/responses/200/{JSON}");
        if answer["schema"].is_object() {
            answer_schema(house, &answer["schema"], &format!("{at}/schema"), report);
            example(house, answer, &at, "answer", report);
        } else {
            let message = format!("{} has no schema for its 200 JSON answer. Add one.", label(operation));
            report.add(&at, "answer", message);
        }
        if !operation.value["requestBody"].is_null() {
            let at = format!("{pointer}/requestBody/{JSON}");
            if operation.method == "get" {
                let message = format!("{} is a `get` with a body. Use parameters, or `post`.", label(operation));
                report.add(&format!("{pointer}/requestBody"), "body", message);
            }
            body_schema(house, &body(operation)["schema"], &format!("{at}/schema"), report);
            example(house, body(operation), &at, "request body", report);
        }
        for (index, parameter) in items(&operation.value["parameters"]).enumerate() {
            let schema = house.document.resolve(&parameter["schema"]);
            if parameter.get("example").is_none() && schema.get("example").is_none() {
                let name = shown(parameter["name"].as_str().unwrap_or_default());
                let message = format!("The parameter {name} has no example. Add one.");
                report.add(&format!("{pointer}/parameters/{index}"), "example", message);
            }
        }
    }
}

/// Every answer is an envelope.
fn answer_schema(house: &House<'_>, schema: &Value, pointer: &str, report: &mut Report<'_>) {
    if referenced_name(house.document.resolve(schema)).is_some() {
        return; // Leads nowhere, which is a matter of `reference`.
    }
    let name = referenced_name(schema).map(|name| format!(" {}", shown(name))).unwrap_or_default();
    for (field, kind) in [("statusCode", "integer"), ("message", "string")] {
        let property = house.document.property(schema, field).map(|property| house.document.resolve(property));
        let typed = property.is_some_and(|property| property["type"] == kind);
        if !typed || !house.requires(schema, field) {
            let message =
                format!("The answer{name} has no required {kind} `{field}`. Put the envelope in its `allOf`.");
            report.add(pointer, "answer", message);
        }
    }
}

fn body_schema(house: &House<'_>, schema: &Value, pointer: &str, report: &mut Report<'_>) {
    let target = house.document.resolve(schema);
    let parts = house.document.parts(schema);
    if referenced_name(target).is_none() && !parts.into_iter().any(|part| part["type"] == "object") {
        let name = referenced_name(schema).map(|name| format!(" {}", shown(name))).unwrap_or_default();
        let message = format!("The request body{name} is not an object. Give it `type: object`.");
        report.add(pointer, "body", message);
    }
}

fn example(house: &House<'_>, content: &Value, pointer: &str, what: &str, report: &mut Report<'_>) {
    let name = referenced_name(&content["schema"]).map(|name| format!(" {}", shown(name))).unwrap_or_default();
    match content.get("example") {
        None => report.add(pointer, "example", format!("The {what}{name} has no example. Add one.")),
        Some(example) => {
            compare(house, &content["schema"], example, &format!("{pointer}/example"), report);
        }
    }
}

/// Whether the example has what the schema requires, wherever the example goes into detail.
fn compare(house: &House<'_>, schema: &Value, example: &Value, pointer: &str, report: &mut Report<'_>) {
    let parts = house.document.parts(schema);
    let is_object = parts.iter().any(|part| part["type"] == "object");
    if is_object && !example.is_object() {
        return report.add(pointer, "example", "The example is no object, as its schema is. Correct it.");
    }
    if is_object {
        let mut required: Vec<&str> =
            parts.iter().flat_map(|part| items(&part["required"])).filter_map(Value::as_str).collect();
        required.sort_unstable();
        required.dedup();
        for name in required.into_iter().filter(|name| example.get(name).is_none()) {
            report.add(pointer, "example", format!("The example lacks {}, which is required. Add it.", shown(name)));
        }
    }
    for (name, value) in members(example) {
        if let Some(property) = house.document.property(schema, name) {
            compare(house, property, value, &format!("{pointer}/{}", escape(name)), report);
        }
    }
    if let Some(schema) = parts.iter().find_map(|part| part.get("items")) {
        for (index, value) in items(example).enumerate() {
            compare(house, schema, value, &format!("{pointer}/{index}"), report);
        }
    }
}
