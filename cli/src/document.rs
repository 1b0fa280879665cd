//! The OpenAPI document, as far as options are built from it.

use genauth::Operation;
use serde_json::{Value, json};

/// The whole document.
pub(crate) struct Document(Value);

/// A value that a request can carry, and its place: a parameter or a field of the body, or a field within one of these.
pub(crate) struct Field {
    pub(crate) place: Vec<String>,
    pub(crate) kind: FieldKind,
    /// Whether no request goes without it. Fields within others are left to the check of the whole body.
    pub(crate) required: bool,
    pub(crate) secret: bool,
    pub(crate) description: String,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Text,
    Integer,
    Number,
    Boolean,
    Choice(Vec<String>),
    /// An object, or one of several kinds of value, as JSON.
    Json,
    /// JSON if the text is JSON, and the text itself otherwise.
    Anything,
    List(Box<FieldKind>),
}

/// How deeply nested fields still become options.
const DEEPEST: usize = 4;

impl Document {
    pub(crate) fn parse() -> Self {
        // The build wrote this text, and a test reads it back.
        Self(serde_json::from_str(genauth::OPENAPI).unwrap_or_default())
    }

    /// The document's text with this server in place of the real ones.
    pub(crate) fn served_by(mut self, url: &str, description: &str) -> String {
        self.0["servers"] = json!([{ "url": url, "description": description }]);
        self.0.to_string()
    }

    fn operation(&self, operation: &Operation) -> &Value {
        &self.0["paths"][operation.path][operation.method.as_str().to_ascii_lowercase()]
    }

    /// The groups of operations: the name of each, and what it is about.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&str, &str)> {
        items(&self.0["tags"]).map(|tag| (text(tag, "name"), text(tag, "description")))
    }

    pub(crate) fn group(&self, operation: &Operation) -> &str {
        self.operation(operation)["tags"][0].as_str().unwrap_or_default()
    }

    pub(crate) fn description(&self, operation: &Operation) -> &str {
        text(self.operation(operation), "description")
    }

    fn body(&self, operation: &Operation) -> &Value {
        &self.operation(operation)["requestBody"]["content"]["application/json"]["schema"]
    }

    /// The name of the body's type, if the operation takes a body.
    pub(crate) fn body_type(&self, operation: &Operation) -> Option<&str> {
        self.body(operation)["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
    }

    /// The names of the parameters, which are not fields of the body.
    pub(crate) fn parameters(&self, operation: &Operation) -> Vec<&str> {
        items(&self.operation(operation)["parameters"]).map(|parameter| text(parameter, "name")).collect()
    }

    /// All fields: the parameters first, then the body's fields, each followed by the fields within it.
    pub(crate) fn fields(&self, operation: &Operation) -> Vec<Field> {
        let mut fields = Vec::new();
        for parameter in items(&self.operation(operation)["parameters"]) {
            let schema = self.resolve(&parameter["schema"]);
            fields.push(Field {
                place: vec![text(parameter, "name").to_owned()],
                kind: self.kind(schema),
                required: parameter["required"] == true,
                secret: false,
                description: text(parameter, "description").to_owned(),
            });
        }
        self.collect(self.body(operation), &[], operation.secret_fields, &mut fields);
        fields
    }

    fn collect(&self, schema: &Value, place: &[String], secrets: &[&str], fields: &mut Vec<Field>) {
        let schema = self.resolve(schema);
        for part in items(&schema["allOf"]) {
            self.collect(part, place, secrets, fields);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let resolved = self.resolve(property);
            let place = [place, std::slice::from_ref(name)].concat();
            let kind = self.kind(resolved);
            let description = property["description"].as_str().or_else(|| resolved["description"].as_str());
            fields.push(Field {
                kind: kind.clone(),
                required: place.len() == 1 && items(&schema["required"]).any(|required| required == name),
                secret: kind != FieldKind::Json && secrets.contains(&name.as_str()),
                description: description.unwrap_or_default().to_owned(),
                place: place.clone(),
            });
            if kind == FieldKind::Json && place.len() < DEEPEST {
                self.collect(resolved, &place, secrets, fields);
            }
        }
    }

    fn kind(&self, schema: &Value) -> FieldKind {
        let choices = items(&schema["enum"]).map(|value| value.as_str().map(str::to_owned));
        match (text(schema, "type"), choices.collect::<Option<Vec<_>>>()) {
            ("string", Some(choices)) if !choices.is_empty() => FieldKind::Choice(choices),
            ("string", _) => FieldKind::Text,
            ("integer", _) => FieldKind::Integer,
            ("number", _) => FieldKind::Number,
            ("boolean", _) => FieldKind::Boolean,
            _ if schema["x-any"] == true => FieldKind::Anything,
            ("array", _) => FieldKind::List(Box::new(self.kind(self.resolve(&schema["items"])))),
            _ => FieldKind::Json,
        }
    }

    /// The target of a reference, or the value itself if it is not one.
    fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        // A reference may lead to another; the build allows no circle of them.
        for _ in 0..16 {
            let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
            let target = pointer.and_then(|pointer| self.0.pointer(pointer));
            let Some(target) = target else { return value };
            value = target;
        }
        value
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The text of a member; empty if it is not a text.
fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
