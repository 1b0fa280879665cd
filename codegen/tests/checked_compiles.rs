//! What the rules accept, the later steps can generate: no author gets an error of a later step.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/house_rules/sample");
const GROUP: &str = include_str!("../../examples/extending/fragments/posts.yaml");

/// The number of changed documents that a test has time for.
const MOST: usize = 60;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checked_compiles").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The sample and a group, as one document.
fn whole() -> Value {
    let all = folder("all");
    for name in ["genauth.yaml", "wechat.yaml"] {
        fs::copy(Path::new(SAMPLE).join(name), all.join(name)).unwrap();
    }
    // The sample has no `managementToken`.
    fs::write(all.join("posts.yaml"), GROUP.replace("        - managementToken: []\n", "")).unwrap();
    genauth_codegen::load::load(&all, "openapi").unwrap().value
}

fn pointers(value: &Value, pointer: String, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let pointer = format!("{pointer}/{key}");
        pointers(value, pointer.clone(), found);
        found.push(pointer);
    }
}

/// What an author might write instead.
fn instead(pointer: &str) -> Vec<Option<Value>> {
    let mut all = vec![None];
    if pointer.ends_with("/type") {
        all.extend(["string", "integer", "number", "boolean", "array", "object"].map(|kind| Some(kind.into())));
    } else if pointer.contains("/properties/") || pointer.ends_with("/schema") {
        all.push(Some(json!({ "type": "string", "enum": ["a", "b c", "1", "é"], "description": "One of some." })));
        all.push(Some(json!({ "x-any": true, "description": "Anything." })));
        all.push(Some(json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }], "description": "One of two." })));
        all.push(Some(json!({ "type": "array", "items": { "type": "object", "properties": { "type": { "type": "string", "description": "It." } } }, "description": "Some." })));
        all.push(Some(json!({ "type": "object", "additionalProperties": { "type": "integer", "nullable": true }, "description": "By name." })));
    } else if pointer.ends_with("/summary") || pointer.ends_with("/description") {
        all.push(Some("`*/ \" \\ {} [x] <y> é \u{202e}".into()));
    }
    all
}

#[test]
fn what_is_accepted_compiles() {
    let document = whole();
    let mut found = Vec::new();
    pointers(&document, String::new(), &mut found);
    let changes = found.iter().flat_map(|pointer| instead(pointer).into_iter().map(move |value| (pointer, value)));
    let place = folder("changed");
    let mut accepted = Vec::new();
    for (pointer, value) in changes {
        let mut changed = document.clone();
        match value {
            Some(value) => *changed.pointer_mut(pointer).unwrap() = value,
            None => {
                let (around, name) = pointer.rsplit_once('/').unwrap();
                match changed.pointer_mut(around) {
                    Some(Value::Object(members)) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
                    Some(Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
                    _ => unreachable!("a node within a node"),
                }
            }
        }
        // JSON is YAML.
        fs::write(place.join("genauth.yaml"), changed.to_string()).unwrap();
        if genauth_codegen::check(&place, "openapi").is_ok() {
            accepted.push((pointer, fs::read_to_string(place.join("genauth.yaml")).unwrap()));
        }
    }
    let all = std::env::var_os("GENAUTH_ALL").is_some();
    let step = if all { 1 } else { accepted.len().div_ceil(MOST) };
    assert!(accepted.len() > 20, "{}", accepted.len());
    let mut failed = Vec::new();
    for (pointer, text) in accepted.into_iter().step_by(step) {
        fs::write(place.join("genauth.yaml"), text).unwrap();
        let told = genauth_codegen::compile(&place, "openapi", &|_| true).err().unwrap_or_default();
        failed.extend(told.iter().map(|violation| format!("with another {pointer}: {violation}")));
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
