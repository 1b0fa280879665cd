//! The rules `answer` and `body`.

use super::house::{House, JSON, Report, body, label};
use crate::document::{referenced_name, shown};
use serde_json::Value;

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    for operation in &house.operations {
        let pointer = &operation.pointer;
        let answer = &operation.value["responses"]["200"]["content"]["application/json"];
        let at = format!("{pointer}/responses/200/{JSON}");
        if answer["schema"].is_object() {
            answer_schema(house, &answer["schema"], &format!("{at}/schema"), report);
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
        }
    }
}

/// Checks that an answer is an envelope.
fn answer_schema(house: &House<'_>, schema: &Value, pointer: &str, report: &mut Report<'_>) {
    if house.document.parts(schema).into_iter().any(|part| referenced_name(part).is_some()) {
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
