//! Examples: the document's own values if they are plain and fit, otherwise made-up ones, and never a secret's.

use super::names;
use super::tree::Node;
use serde_json::Value;

const UNIX_SECONDS: i64 = 1_772_618_400;
pub(super) const DATE_TIME: &str = "2026-01-02T03:04:05.000Z";

/// The value as an example of a scalar of `kind`, if it fits and looks neither like prose nor like a secret.
pub(super) fn fitting(kind: &str, value: &Node) -> Option<Node> {
    let Node::Scalar(value) = value else { return None };
    match (kind, value) {
        ("integer", Value::Number(number)) => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
            number.as_i64().or(whole.map(|number| number as i64)).map(Node::from)
        }
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => Some(Node::Scalar(value.clone())),
        ("string", Value::String(text)) if is_plain(text) => Some(Node::from(text.as_str())),
        _ => None,
    }
}

/// Whether a text is an identifier, a code or the like: not words, not an address, and nothing random.
fn is_plain(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:/+".contains(c));
    plain && (1..=40).contains(&text.len()) && !text.contains("//") && !text.starts_with("eyJ")
}

/// An example of a scalar called `name`.
pub(super) fn scalar(schema: &Node, name: &str) -> Node {
    if schema.get("format").text() == "password" {
        return Node::from(format!("example-{}", names::kebab(name)));
    }
    if let Some(first) = schema.get("enum").items().first() {
        return first.clone();
    }
    let lower = name.to_lowercase();
    match schema.get("type").text() {
        "boolean" => Node::from(true),
        "integer" => Node::from(1),
        "number" => Node::Scalar(Value::from(1.5)),
        _ if name.ends_with("At") => Node::from(DATE_TIME),
        _ if lower.contains("email") => Node::from("user@example.com"),
        _ if lower.ends_with("url") || lower.ends_with("uri") => {
            Node::from(format!("https://example.com/{}", names::kebab(name)))
        }
        _ => Node::from(format!("example-{}", names::kebab(name))),
    }
}

/// An example of the schema, with what it requires; `None` if it requires itself. `find` looks up the named schemas.
pub(super) fn of<'a>(
    schema: &'a Node,
    name: &'a str,
    find: &impl Fn(&str) -> Option<&'a Node>,
    within: &mut Vec<&'a str>,
) -> Option<Node> {
    if schema.has("example") {
        return Some(schema.get("example").clone());
    }
    if let Some(target) = schema.referenced() {
        if target == "UnixTimestamp" {
            return Some(Node::from(UNIX_SECONDS));
        }
        if within.contains(&target) {
            return None;
        }
        within.push(target);
        let example = find(target).and_then(|schema| of(schema, name, find, within));
        within.pop();
        return example;
    }
    if let Some(first) = schema.get("oneOf").items().first() {
        return of(first, name, find, within);
    }
    if schema.has("allOf") {
        let parts: Option<Vec<Node>> =
            schema.get("allOf").items().iter().map(|part| of(part, name, find, within)).collect();
        let mut merged: Vec<(String, Node)> = Vec::new();
        for (key, value) in parts?.iter().flat_map(Node::entries) {
            if !merged.iter().any(|(seen, _)| seen == key) {
                merged.push((key.clone(), value.clone()));
            }
        }
        return Some(Node::Map(merged));
    }
    match schema.get("type").text() {
        "array" => Some(Node::List(of(schema.get("items"), name, find, within).into_iter().collect())),
        "object" => {
            let properties = schema.get("properties").entries();
            let required = |name: &str| schema.get("required").items().iter().any(|required| required.text() == name);
            // If nothing is required, one property shows what is meant.
            let one = properties.first().filter(|_| schema.get("required").items().is_empty());
            let mut members = Vec::new();
            for (name, property) in properties {
                let needed = required(name);
                if needed || one.is_some_and(|(one, _)| one == name) {
                    match of(property, name, find, within) {
                        Some(example) => members.push((name.clone(), example)),
                        None if needed => return None,
                        None => {}
                    }
                }
            }
            Some(Node::Map(members))
        }
        _ => Some(scalar(schema, name)),
    }
}
