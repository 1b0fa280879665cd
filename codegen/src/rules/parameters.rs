//! The rules `path` and `parameter`.

use super::house::{House, Report, items, label, members};
use super::schemas::counts;
use crate::document::{Operation, escape, referenced_name, shown};
use crate::near::{did_you_mean, near};
use heck::ToSnakeCase;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(house: &House<'_>, report: &mut Report<'_>) {
    for (path, item) in members(&house.document.value["paths"]) {
        let pointer = format!("/paths/{}", escape(path));
        if let Some(problem) = path_problem(path) {
            report.add(&pointer, "path", format!("The path {} {problem}", shown(path)));
        }
        if members(item).next().is_none() {
            report.add(&pointer, "path", format!("The path {} has no operation. Add one, or remove it.", shown(path)));
        }
        let mut seen = BTreeSet::new();
        for name in template_names(path).filter(|name| !seen.insert(*name)) {
            let message = format!("The path has {} twice. Rename one.", shown(&format!("{{{name}}}")));
            report.add(&pointer, "parameter", message);
        }
    }
    for operation in &house.operations {
        parameters(house, operation, report);
    }
}

fn path_problem(path: &str) -> Option<&'static str> {
    let Some(rest) = path.strip_prefix('/') else {
        return Some("does not start with a slash. Add it.");
    };
    if path.contains(['?', '#']) {
        return Some("has a query or fragment. Describe it by parameters.");
    }
    if rest.is_empty() || rest.ends_with('/') {
        return Some("ends with a slash. Remove it.");
    }
    let plain = |segment: &str| segment.chars().all(|c| c.is_ascii_alphanumeric() || "._~-".contains(c));
    let name = |segment: &str| segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let good = |segment: &str| match template_name(segment) {
        Some(inner) => !inner.is_empty() && name(inner),
        None => !segment.is_empty() && plain(segment),
    };
    let advice = "has a segment that cannot be generated. Use letters, digits and `._~-`, or only `{name}`.";
    (!rest.split('/').all(good)).then_some(advice)
}

fn template_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(template_name)
}

fn parameters(house: &House<'_>, operation: &Operation<'_>, report: &mut Report<'_>) {
    let mut in_path = BTreeSet::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (index, parameter) in items(&operation.value["parameters"]).enumerate() {
        let pointer = format!("{}/parameters/{index}", operation.pointer);
        let name = parameter["name"].as_str().unwrap_or_default();
        if let Some(first) = seen.insert(name.to_snake_case(), name) {
            let message = format!("The parameters {} and {} get the same name. Rename one.", shown(first), shown(name));
            report.add(&pointer, "parameter", message);
        }
        if parameter["in"] == "path" {
            in_path.insert(name);
            if !template_names(operation.path).any(|template| template == name) {
                let mend = did_you_mean(name, template_names(operation.path), "Add it, or remove it.");
                let message = format!("The path has no place for the parameter {}. {mend}", shown(name));
                report.add(&pointer, "parameter", message);
            }
            if parameter["required"] != true {
                let message = format!("The path parameter {} can be left out. Add `required: true`.", shown(name));
                report.add(&pointer, "parameter", message);
            }
        }
        if parameter["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            let message = format!("The parameter {} has no `description`. Say in a sentence what it is.", shown(name));
            report.add(&pointer, "description", message);
        }
        let schema = house.document.resolve(&parameter["schema"]);
        if schema["type"] == "number" && counts(name) {
            let message = format!("{} counts. Make it `type: integer`.", shown(name));
            report.add(&format!("{pointer}/schema"), "schema", message);
        }
        if parameter["schema"].is_null() {
            let message = format!("The parameter {} has no `schema`. Add one.", shown(name));
            report.add(&pointer, "parameter", message);
        } else if referenced_name(schema).is_none() && !fits(parameter, schema) {
            let message = match parameter["in"] == "path" {
                true => {
                    "is not a scalar. Make it a string, integer, number or boolean: nothing else has a place in a path."
                }
                false => {
                    "is neither a scalar nor an array. Make it one, or write `x-any: true`, which takes nested values."
                }
            };
            report.add(&format!("{pointer}/schema"), "parameter", format!("The parameter {} {message}", shown(name)));
        }
    }
    let is_meant = |name: &&str| near(name, in_path.iter().copied()).is_some();
    for name in template_names(operation.path).filter(|name| !in_path.contains(name) && !is_meant(name)) {
        let template = shown(&format!("{{{name}}}"));
        let message = format!("{} has no parameter for {template}. Add one with `in: path`.", label(operation));
        report.add(&operation.pointer, "parameter", message);
    }
}

/// Whether a parameter can be sent: a path only holds a text, and progenitor cannot set an object in a query.
fn fits(parameter: &Value, schema: &Value) -> bool {
    let is = |types: &[&str]| types.iter().any(|known| schema["type"] == *known);
    is(&["string", "integer", "number", "boolean"])
        || parameter["in"] != "path" && (is(&["array"]) || schema.get("x-any").is_some())
}
