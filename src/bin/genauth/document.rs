//! The OpenAPI document, as far as options are made of it.

use genauth::Operation;
use serde_json::Value;

/// The whole document.
pub(crate) struct Document(Value);

/// Something that a request can carry, at its place: a parameter or field, and within that a field of its own.
pub(crate) struct Field {
    pub(crate) place: Vec<String>,
    pub(crate) kind: Kind,
    /// Whether no request goes without it. Fields within others are left to the check of the whole body.
    pub(crate) required: bool,
    pub(crate) secret: bool,
    pub(crate) description: String,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Choice(Vec<String>),
    /// Anything, as JSON.
    Json,
    List(Box<Kind>),
}

/// How deep fields within fields become options.
const DEEPEST: usize = 4;

impl Document {
    pub(crate) fn parse() -> Self {
        // The build wrote it; a test reads it back.
        Self(serde_json::from_str(genauth::OPENAPI).unwrap_or_default())
    }

    fn operation(&self, operation: &Operation) -> &Value {
        &self.0["paths"][operation.path][operation.method.as_str().to_ascii_lowercase()]
    }

    pub(crate) fn description(&self, operation: &Operation) -> &str {
        self.operation(operation)["description"].as_str().unwrap_or_default()
    }

    fn body(&self, operation: &Operation) -> &Value {
        &self.operation(operation)["requestBody"]["content"]["application/json"]["schema"]
    }

    /// The name of the body's type, if the operation takes a body.
    pub(crate) fn body_type(&self, operation: &Operation) -> Option<&str> {
        self.body(operation)["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
    }

    /// The names of the parameters, which are no fields of the body.
    pub(crate) fn parameters(&self, operation: &Operation) -> Vec<&str> {
        let parameters = self.operation(operation)["parameters"].as_array().into_iter().flatten();
        parameters.filter_map(|parameter| parameter["name"].as_str()).collect()
    }

    /// Parameters first, then the body's fields, each before what is within it.
    pub(crate) fn fields(&self, operation: &Operation) -> Vec<Field> {
        let mut fields = Vec::new();
        for parameter in self.operation(operation)["parameters"].as_array().into_iter().flatten() {
            let schema = self.resolve(&parameter["schema"]);
            fields.push(Field {
                place: vec![parameter["name"].as_str().unwrap_or_default().to_owned()],
                kind: self.kind(schema),
                required: parameter["required"] == true,
                secret: false,
                description: parameter["description"].as_str().unwrap_or_default().to_owned(),
            });
        }
        self.collect(self.body(operation), &[], operation.secret_fields, &mut fields);
        fields
    }

    fn collect(&self, schema: &Value, place: &[String], secrets: &[&str], fields: &mut Vec<Field>) {
        let schema = self.resolve(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, place, secrets, fields);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let resolved = self.resolve(property);
            let place = [place, std::slice::from_ref(name)].concat();
            let is_required =
                |required: &Value| required.as_array().is_some_and(|all| all.contains(&name.as_str().into()));
            let kind = self.kind(resolved);
            let description = property["description"].as_str().or_else(|| resolved["description"].as_str());
            fields.push(Field {
                kind: kind.clone(),
                required: place.len() == 1 && is_required(&schema["required"]),
                secret: kind != Kind::Json && secrets.contains(&name.as_str()),
                description: description.unwrap_or_default().to_owned(),
                place: place.clone(),
            });
            if kind == Kind::Json && place.len() < DEEPEST {
                self.collect(resolved, &place, secrets, fields);
            }
        }
    }

    fn kind(&self, schema: &Value) -> Kind {
        let choices = schema["enum"].as_array().into_iter().flatten().map(|value| value.as_str().map(str::to_owned));
        match (schema["type"].as_str().unwrap_or_default(), choices.collect::<Option<Vec<_>>>()) {
            ("string", Some(choices)) if !choices.is_empty() => Kind::Choice(choices),
            ("string", _) => Kind::Text,
            ("integer", _) => Kind::Integer,
            ("number", _) => Kind::Number,
            ("boolean", _) => Kind::Boolean,
            ("array", _) => Kind::List(Box::new(self.kind(self.resolve(&schema["items"])))),
            _ => Kind::Json,
        }
    }

    /// What a reference points to, or the value itself.
    fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        // A reference may lead to another; the build lets no ring into the document.
        for _ in 0..16 {
            let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
            let target = pointer.and_then(|pointer| self.0.pointer(pointer));
            let Some(target) = target else { return value };
            value = target;
        }
        value
    }
}
