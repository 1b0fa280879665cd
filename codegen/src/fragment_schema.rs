//! The tables of [`shape`](crate::shape) as JSON Schemas of draft 7, which YAML editors use to complete and check
//! fragments.
//!
//! They only know the shape of one file. `check` knows the house rules, and what is in other files.

use crate::shape::{DOCUMENT, Object, REFERENCE, SCHEMA, Shape};
use serde_json::{Map, Value, json};

/// The keys of the document that a group may have, none of which is required.
const GROUP: [&str; 3] = ["tags", "paths", "components"];

/// What an editor shows for a key, if OpenAPI alone says too little.
const WORDS: &[(&str, &str)] = &[
    ("operationId", "In camelCase. The client's method has the same name in snake_case."),
    ("deprecated", "Callers are warned by the compiler, in the log and by a hook. `x-replaced-by` says what to call."),
    ("security", "The credentials that it takes: alternatives, each with all that go together."),
    ("x-replaced-by", "The `operationId` of what to call instead of this deprecated operation."),
    ("x-feature", "The Cargo feature that the operations of this tag need."),
    ("x-idempotent", "Whether a POST may be sent again."),
    ("x-not-secret", "Why this is not a secret, although its name looks like one."),
    ("format", "`password` makes it a `SecretString`, which is shown nowhere."),
];

/// The schemas of the root and of a group, with the names under which they are checked in.
pub fn files() -> [(&'static str, String); 2] {
    let group = |key: &str| GROUP.contains(&key);
    [
        ("root.schema.json", text("the fragment that every group shares", |_| true, DOCUMENT.required)),
        ("group.schema.json", text("a fragment of one group", group, &[])),
    ]
}

fn text(title: &str, has: impl Fn(&str) -> bool, required: &[&str]) -> String {
    let mut definitions = Definitions::default();
    let mut schema = definitions.mapping(DOCUMENT.known.iter().filter(|(key, _)| has(key)), required);
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("$comment".to_owned(), json!("Made from codegen/src/shape.rs. Do not edit."));
    schema.insert("title".to_owned(), json!(title));
    schema.insert("definitions".to_owned(), Value::Object(definitions.0));
    let mut schema = Value::Object(schema);
    // serde_json keeps the order of insertion if any crate of the build asks it to.
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

/// The objects that were visited, by their names.
#[derive(Default)]
struct Definitions(Map<String, Value>);

impl Definitions {
    fn mapping<'a>(
        &mut self,
        known: impl Iterator<Item = &'a (&'static str, Shape)>,
        required: &[&str],
    ) -> Map<String, Value> {
        let properties: Map<_, _> = known.map(|(key, shape)| ((*key).to_owned(), self.property(key, shape))).collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), json!(required));
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema
    }

    fn property(&mut self, key: &str, shape: &Shape) -> Value {
        let mut schema = self.of(shape);
        if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == key) {
            schema["description"] = json!(words);
        }
        schema
    }

    fn of(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Flag => json!({ "type": "boolean" }),
            Shape::True => json!({ "const": true }),
            Shape::Number => json!({ "type": "number" }),
            Shape::Count => json!({ "type": "integer", "minimum": 0 }),
            Shape::Text => json!({ "type": "string" }),
            Shape::Words => json!({ "type": "string", "pattern": "\\S" }),
            Shape::Version => json!({ "type": "string", "pattern": "^3\\.0\\." }),
            Shape::OneOf(words) => json!({ "enum": words }),
            Shape::List(shape) => json!({ "type": "array", "items": self.of(shape) }),
            Shape::Map(shape) => json!({ "type": "object", "additionalProperties": self.of(shape) }),
            Shape::Object(object) => self.reference(object),
            Shape::Schema => self.schema(),
            Shape::FlagOrSchema => json!({ "anyOf": [{ "type": "boolean" }, self.schema()] }),
            // Any value is allowed here, and so is what only `check` can judge.
            _ => json!({}),
        }
    }

    fn reference(&mut self, object: &Object) -> Value {
        let name = object.what.split(' ').skip(1).collect::<Vec<_>>().join("-");
        if !self.0.contains_key(&name) {
            // The name is reserved first, since the object may contain itself.
            self.0.insert(name.clone(), Value::Null);
            let mut schema = self.mapping(object.known.iter(), object.required);
            schema.extend(object.mend.map(|mend| ("description".to_owned(), json!(mend))));
            self.0.insert(name.clone(), Value::Object(schema));
        }
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    /// A reference or a schema. An editor offers the keys of both while there is none yet.
    fn schema(&mut self) -> Value {
        let either = json!({
            "type": "object",
            "properties": { "$ref": { "type": "string" } },
            "if": { "required": ["$ref"] },
            "then": self.reference(&REFERENCE),
            "else": self.reference(&SCHEMA),
        });
        self.0.insert("schema-or-reference".to_owned(), either);
        json!({ "$ref": "#/definitions/schema-or-reference" })
    }
}
