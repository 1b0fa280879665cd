//! A document as its operations, and each operation as the fields that it has on the wire. It is read leniently: what
//! is not understood becomes a field of unknown type.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The operations by their ids.
pub(super) type Calls = BTreeMap<String, Call>;

pub(super) struct Call {
    /// The operation's full id, before the document's prefix is left out.
    pub(super) whole_id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) deprecated: bool,
    pub(super) idempotent: bool,
    /// The alternatives, each the names of credentials that go together.
    pub(super) security: BTreeSet<String>,
    pub(super) request: Fields,
    pub(super) answer: Fields,
}

/// The fields by their places, such as `body.list[].code`.
pub(super) type Fields = BTreeMap<String, Field>;

#[derive(Clone, PartialEq)]
pub(super) struct Field {
    pub(super) required: bool,
    pub(super) nullable: bool,
    pub(super) secret: bool,
    /// The kind of value, as OpenAPI names it.
    pub(super) kind: String,
    /// The `format`, except for that of a secret.
    pub(super) format: String,
    /// The name of the schema, which is the type's in Rust.
    pub(super) name: Option<String>,
    pub(super) values: Option<BTreeSet<String>>,
}

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// No document nests more deeply; this ends one that goes in circles by another way than a reference.
const DEEPEST: usize = 24;

/// The most fields of one request or answer: schemas that refer to each other from many places would be written out
/// without end.
const MOST: usize = 20_000;

/// Reads the operations, or says which of them is too large.
pub(super) fn operations(document: &Value) -> Result<Calls, String> {
    let mut found = Calls::new();
    let of_item = |(_, item): (_, &Value)| {
        members(item)
            .filter_map(|(_, operation)| operation["operationId"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let all: Vec<String> = members(&document["paths"]).flat_map(of_item).collect();
    for (path, item) in members(&document["paths"]) {
        let item = resolve(document, item);
        for (method, operation) in members(item).filter(|(method, _)| METHODS.contains(&method.as_str())) {
            let unnamed = || format!("{} {path}", method.to_uppercase());
            let whole_id = operation["operationId"].as_str().map_or_else(unnamed, str::to_owned);
            let id = short(&whole_id, &all).to_owned();
            let mut reader = Reader { document, fields: Fields::new(), within: Vec::new() };
            for parameter in items(&item["parameters"]).chain(items(&operation["parameters"])) {
                let parameter = resolve(document, parameter);
                let place = format!("{}.{}", text(&parameter["in"]), text(&parameter["name"]));
                reader.read(&parameter["schema"], place, parameter["required"] == true, 0);
            }
            let body = resolve(document, &operation["requestBody"]);
            reader.read(content(body), "body".to_owned(), body["required"] == true, 0);
            let request = std::mem::take(&mut reader.fields);
            let answers = &operation["responses"];
            let answer =
                ["200", "201", "default"].iter().find_map(|status| answers.get(status)).unwrap_or(&Value::Null);
            reader.read(content(resolve(document, answer)), "answer".to_owned(), true, 0);
            if request.len().max(reader.fields.len()) > MOST {
                return Err(format!(
                    "{id} has more than {MOST} fields, each counted wherever it occurs. Compare its schemas by hand."
                ));
            }
            let security = operation.get("security").unwrap_or(&document["security"]);
            let names = |all: &Value| members(all).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("+");
            let call = Call {
                whole_id,
                method: method.to_uppercase(),
                path: path.clone(),
                deprecated: operation["deprecated"] == true,
                idempotent: method != "post" || operation["x-idempotent"] == true,
                security: if items(security).next().is_none() {
                    BTreeSet::from([String::new()])
                } else {
                    items(security).map(names).collect()
                },
                request,
                answer: reader.fields,
            };
            if let Some(other) = found.insert(id.clone(), call) {
                return Err(format!(
                    "{} {path} and {} {} are both called {id}. Rename one.",
                    method.to_uppercase(),
                    other.method,
                    other.path
                ));
            }
        }
    }
    Ok(found)
}

/// The id without the prefix that some generators put before it, as in `GroupsController_listGroups`, unless other ids
/// end alike.
fn short<'a>(id: &'a str, all: &[String]) -> &'a str {
    let end = |id: &'a str| id.rsplit('_').next().unwrap_or(id);
    let alike = all.iter().filter(|other| other.rsplit('_').next() == Some(end(id))).count();
    if alike == 1 { end(id) } else { id }
}

struct Reader<'a> {
    document: &'a Value,
    fields: Fields,
    /// The names of the enclosing schemas, none of which is entered again.
    within: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Value, place: String, required: bool, depth: usize) {
        if !schema.is_object() || depth > DEEPEST || self.fields.len() > MOST {
            return;
        }
        let parts = parts(self.document, schema);
        let of_parts = |key: &str| parts.iter().find_map(|part| part.get(key));
        let name = parts.iter().find_map(|part| name_of(part));
        let values = of_parts("enum").map(|values| items(values).map(text).collect());
        let object = if of_parts("properties").is_some() { "object" } else { "" };
        let alternatives = of_parts("oneOf").or_else(|| of_parts("anyOf"));
        let several = alternatives.map(|all| format!("one of {}", items(all).count()));
        let kind = of_parts("type").map_or_else(|| several.unwrap_or_else(|| object.to_owned()), text);
        let format = of_parts("format").map_or_else(String::new, text);
        let field = Field {
            required,
            nullable: of_parts("nullable") == Some(&Value::Bool(true)),
            secret: format == "password",
            format,
            kind,
            name: name.map(str::to_owned),
            values,
        };
        self.fields.insert(place.clone(), field);
        if name.is_some_and(|name| self.within.contains(&name)) {
            return;
        }
        self.within.extend(name);
        let needed: BTreeSet<&str> =
            parts.iter().flat_map(|part| items(&part["required"])).filter_map(Value::as_str).collect();
        for part in &parts {
            for (name, property) in members(&part["properties"]) {
                self.read(property, format!("{place}.{name}"), needed.contains(name.as_str()), depth + 1);
            }
            self.read(&part["items"], format!("{place}[]"), true, depth + 1);
            self.read(&part["additionalProperties"], format!("{place}{{}}"), true, depth + 1);
        }
        for (index, alternative) in alternatives.into_iter().flat_map(items).enumerate() {
            self.read(alternative, format!("{place}|{}", index + 1), true, depth + 1);
        }
        if name.is_some() {
            self.within.pop();
        }
    }
}

/// The parts of a schema: itself and, through references and `allOf`, its parts, each once.
fn parts<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let (mut parts, mut open): (Vec<&Value>, _) = (Vec::new(), vec![schema]);
    while let Some(part) = open.pop() {
        if !parts.iter().any(|seen| std::ptr::eq(*seen, part)) {
            parts.push(part);
            open.extend(part.get("$ref").map(|_| resolve(document, part)));
            open.extend(items(&part["allOf"]));
        }
    }
    parts
}

fn name_of(part: &Value) -> Option<&str> {
    part.get("$ref")?.as_str()?.rsplit('/').next()
}

/// Follows a reference by one step: further references are parts of their own.
fn resolve<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let pointer = node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(node, |pointer| document.pointer(pointer).unwrap_or(&Value::Null))
}

/// The schema of the JSON content, or else of the first content.
fn content(node: &Value) -> &Value {
    let content = &node["content"];
    let json = content.get("application/json").or_else(|| members(content).next().map(|(_, media)| media));
    json.map_or(&Value::Null, |media| &media["schema"])
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
