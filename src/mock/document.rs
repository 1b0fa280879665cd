//! The operations of the document, in the form in which requests are checked against them.
//!
//! It understands as much of OpenAPI as the build lets into the document, and no more.

use std::io;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::Extension;

use super::json::{items, members, text};
use super::kind::{self, Fields, RowKind, Shape, Subject};
use super::refusal::Refusal;
use super::role::Role;
use super::schema::to_json_schema;
use super::scheme::Scheme;

/// All operations, sorted by the number of variables in their paths, the fewest first.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
    operations: Vec<DescribedOperation>,
    pub(super) kinds: Vec<RowKind>,
}

/// One method of one path, as the document describes it.
#[derive(Debug)]
pub(super) struct DescribedOperation {
    pub(super) id: String,
    method: String,
    path: String,
    /// The alternatives; a call has to meet all schemes of one of them.
    pub(super) requirements: Vec<Vec<Scheme>>,
    pub(super) parameters: Vec<QueryParameter>,
    pub(super) body: Option<DescribedBody>,
    /// Whether `client_secret` is a field of the body, so that callers set it.
    pub(super) has_client_secret: bool,
    /// The example of the answer.
    pub(super) example: Value,
    pub(super) role: Role,
    /// The example of the body; null if there is none.
    pub(super) request_example: Value,
    pub(super) subject: Subject,
}

#[derive(Debug)]
pub(super) struct QueryParameter {
    name: String,
    is_required: bool,
    /// Whether the query may have `name[]=` or `name[field]=`.
    is_structured: bool,
    /// The type of the value; for a list, that of its items.
    type_name: String,
}

#[derive(Debug)]
pub(super) struct DescribedBody {
    schema: Value,
    /// The validator, or why it cannot be made. It is made for the first body, because most mocks are asked for few of
    /// the operations, and to make all validators would take most of the time of a start.
    validator: OnceLock<Result<Validator, String>>,
}

/// Whether the operation's feature is on.
fn is_built(id: &str) -> bool {
    crate::Operation::by_id(id).is_some()
}

impl Document {
    /// Returns the document of this build. Nothing changes it, so all mocks of a process share it.
    pub(super) fn shared() -> io::Result<Arc<Self>> {
        static SHARED: OnceLock<Arc<Document>> = OnceLock::new();
        if let Some(document) = SHARED.get() {
            return Ok(Arc::clone(document));
        }
        let document = Self::parse(crate::OPENAPI, is_built)?;
        Ok(Arc::clone(SHARED.get_or_init(|| Arc::new(document))))
    }

    /// Returns the document of this build with those of extensions merged into it.
    pub(super) fn with(extensions: &[&Extension]) -> io::Result<Arc<Self>> {
        if extensions.is_empty() {
            return Self::shared();
        }
        let mut root: Value = serde_json::from_str(crate::OPENAPI)?;
        for extension in extensions {
            let more: Value = serde_json::from_str(extension.openapi())?;
            for kind in ["/paths", "/components/schemas", "/components/securitySchemes"] {
                let (Some(Value::Object(known)), Some(Value::Object(more))) =
                    (root.pointer_mut(kind), more.pointer(kind))
                else {
                    continue;
                };
                for (name, value) in more {
                    known.entry(name).or_insert_with(|| value.clone());
                }
            }
        }
        let of_extensions = |id: &str| extensions.iter().any(|one| one.operations().iter().any(|own| own.id == id));
        Ok(Arc::new(Self::of(root, |id| is_built(id) || of_extensions(id))))
    }

    pub(super) fn parse(text: &str, has: impl Fn(&str) -> bool) -> io::Result<Self> {
        Ok(Self::of(serde_json::from_str(text)?, has))
    }

    fn of(root: Value, has: impl Fn(&str) -> bool) -> Self {
        let mut operations = Vec::new();
        for (path, item) in members(&root["paths"]) {
            for (method, operation) in members(item).filter(|(_, operation)| has(text(operation, "operationId"))) {
                operations.push(DescribedOperation::new(&root, path, method, operation));
            }
        }
        operations.sort_by_key(|operation| operation.path.matches('{').count());
        let subjects: Vec<_> = operations.iter().map(|operation| (&*operation.id, &operation.subject)).collect();
        let kinds = kind::kinds(&subjects);
        for operation in &mut operations {
            operation.subject.act = kind::act(&kinds, &operation.id, &operation.subject);
        }
        Self { root, operations, kinds }
    }

    /// Returns the operation of this method at this path, if there is one.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<&DescribedOperation> {
        self.operations.iter().find(|operation| operation.method == method && is_at(&operation.path, path))
    }

    /// Whether there is an operation with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.operations.iter().any(|operation| operation.id == id)
    }

    /// Returns the operations that act on this kind.
    pub(super) fn of_kind(&self, kind: &RowKind) -> impl Iterator<Item = &DescribedOperation> {
        let place = self.kinds.iter().position(|one| std::ptr::eq(one, kind));
        self.operations.iter().filter(move |operation| operation.subject.act.is_some_and(|(of, _)| Some(of) == place))
    }

    /// Returns the components that a schema refers to, itself or through another, as JSON Schema.
    fn components(&self, schema: &Value) -> Map<String, Value> {
        let mut components = Map::new();
        let mut open = Vec::new();
        references(schema, &mut open);
        while let Some(name) = open.pop() {
            if !components.contains_key(&name)
                && let Some(schema) = self.root["components"]["schemas"].get(&name)
            {
                let schema = to_json_schema(schema);
                references(&schema, &mut open);
                components.insert(name, schema);
            }
        }
        components
    }

    /// Returns the ids and secrets of the WeChat apps in the examples.
    pub(super) fn wechat_apps(&self) -> impl Iterator<Item = (&str, &str)> {
        self.examples(Role::WechatToken, "/appId", "/appSecret")
    }

    /// Returns the accounts and passwords of the users in the examples.
    pub(super) fn users(&self) -> impl Iterator<Item = (&str, &str)> {
        self.examples(Role::SignIn, "/passwordPayload/account", "/passwordPayload/password")
    }

    /// Returns two texts from the example request of every operation of this role that has both.
    fn examples(&self, role: Role, name: &str, secret: &str) -> impl Iterator<Item = (&str, &str)> {
        let operations = self.operations.iter().filter(move |operation| operation.role == role);
        operations.filter_map(move |operation| {
            let text = |pointer: &str| operation.request_example.pointer(pointer)?.as_str();
            Some((text(name)?, text(secret)?))
        })
    }
}

impl DescribedOperation {
    fn new(root: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let request = media(&operation["requestBody"]);
        let answer = media(&operation["responses"]["200"]);
        let data = property(root, &answer["schema"], "data").unwrap_or(&Value::Null);
        let has = |schema, name: &str| property(root, schema, name).is_some();
        let has_client_secret = has(&request["schema"], "client_secret");
        let posts = has_client_secret && has(&request["schema"], "client_id");
        let alternatives = items(&operation["security"]).flat_map(|all| {
            let all = members(all).map(|(name, _)| Scheme::new(root, name)).collect::<Vec<_>>();
            let posted = all.iter().map(Scheme::posted).collect::<Vec<_>>();
            let has_posted = posts && posted != all;
            std::iter::once(all).chain(has_posted.then_some(posted))
        });
        let parameters: Vec<_> = items(&operation["parameters"])
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| QueryParameter::new(root, parameter))
            .collect();
        Self {
            subject: subject(root, operation, &parameters, data),
            id: text(operation, "operationId").to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            requirements: alternatives.collect(),
            parameters,
            body: request.get("schema").map(DescribedBody::new),
            has_client_secret,
            example: answer["example"].clone(),
            role: Role::of(|name| has(&request["schema"], name), |name| has(data, name)),
            request_example: request["example"].clone(),
        }
    }
}

/// Returns what an operation has to do with rows, judged by its parameters, its request's body and its payload.
fn subject(root: &Value, operation: &Value, parameters: &[QueryParameter], data: &Value) -> Subject {
    let request = media(&operation["requestBody"]);
    let (shape, row) = shape(root, data);
    let has_page = |schema: Option<&Value>| schema.is_some_and(|schema| property(root, schema, "page").is_some());
    let of = |schema: Option<&'_ Value>, name: &str| property(root, schema?, name).cloned();
    let body = request.get("schema");
    let pagination = of(body, "pagination").or_else(|| of(of(body, "options").as_ref(), "pagination"));
    Subject {
        shape,
        row,
        parameters: parameters.iter().map(|parameter| (parameter.name.clone(), parameter.is_required)).collect(),
        takes_pages: parameters.iter().any(|parameter| parameter.name == "page")
            || has_page(body)
            || has_page(pagination.as_ref()),
        example_keys: kind::example_keys(operation, &request["example"]),
        act: None,
    }
}

/// Returns where the rows of a payload are, and what fields a row has.
fn shape(root: &Value, data: &Value) -> (Shape, Fields) {
    let data = resolve(root, data);
    // Texts and numbers are not rows, because they have no fields.
    let or_none = |shape, fields: Fields| if fields.known.is_empty() { (Shape::None, fields) } else { (shape, fields) };
    if data["type"] == "array" {
        return or_none(Shape::Many, fields(root, &data["items"]));
    }
    let list = property(root, data, "list").map(|list| resolve(root, list)).filter(|list| list["type"] == "array");
    match list {
        Some(list) if property(root, data, "totalCount").is_some() => {
            or_none(Shape::Paging, fields(root, &list["items"]))
        }
        Some(_) => (Shape::None, Fields::default()),
        None => or_none(Shape::One, fields(root, data)),
    }
}

fn fields(root: &Value, schema: &Value) -> Fields {
    let schema = resolve(root, schema);
    let mut found = Fields::default();
    for part in items(&schema["allOf"]) {
        let Fields { known, required, lists } = fields(root, part);
        found.known.extend(known);
        found.required.extend(required);
        found.lists.extend(lists);
    }
    for (name, property) in members(&schema["properties"]) {
        found.known.push(name.to_owned());
        if resolve(root, property)["type"] == "array" {
            found.lists.push(name.to_owned());
        }
    }
    found.required.extend(items(&schema["required"]).filter_map(Value::as_str).map(str::to_owned));
    found
}

/// Whether a path matches a described one, segment by segment; a `{variable}` stands for any one segment that is not
/// empty.
pub(super) fn is_at(described: &str, path: &str) -> bool {
    let (mut described, mut given) = (described.split('/'), path.split('/'));
    loop {
        match (described.next(), given.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if left == right || (left.starts_with('{') && !right.is_empty()) => {}
            _ => return false,
        }
    }
}

impl QueryParameter {
    fn new(root: &Value, parameter: &Value) -> Self {
        let schema = resolve(root, &parameter["schema"]);
        let is_list = schema["type"] == "array";
        Self {
            name: text(parameter, "name").to_owned(),
            is_required: parameter["required"] == true,
            is_structured: !matches!(text(schema, "type"), "string" | "integer" | "number" | "boolean"),
            type_name: text(if is_list { resolve(root, &schema["items"]) } else { schema }, "type").to_owned(),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&*self.name);
        rest.is_some_and(|rest| rest.is_empty() || self.is_structured && rest.starts_with('['))
    }

    /// Checks the presence and the scalar type of the parameter in a query.
    pub(super) fn check(&self, query: &str) -> Result<(), Refusal> {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| self.is_called(name)).peekable();
        if self.is_required && values.peek().is_none() {
            return Err(Refusal::new(400, format!("query parameter {} is missing", self.name)));
        }
        let fits = |value: &str| match self.type_name.as_str() {
            "integer" => value.parse::<i64>().is_ok(),
            "number" => value.parse::<f64>().is_ok_and(f64::is_finite),
            // Python's SDK writes them with a capital.
            "boolean" => matches!(value, "true" | "false" | "True" | "False"),
            _ => true,
        };
        if values.all(|(_, value)| fits(&value)) {
            return Ok(());
        }
        Err(Refusal::new(400, format!("query parameter {} is not of type {}", self.name, self.type_name)))
    }
}

impl DescribedBody {
    fn new(schema: &Value) -> Self {
        Self { schema: schema.clone(), validator: OnceLock::new() }
    }

    fn validator(&self, document: &Document) -> Result<&Validator, &str> {
        let made = self.validator.get_or_init(|| {
            let schema = to_json_schema(&self.schema);
            let components = document.components(&schema);
            // References start at the root of a document, so the components have to be where they were in it.
            let schema = json!({ "allOf": [schema], "components": { "schemas": components } });
            // OpenAPI 3.0 has formats, but does not say who checks them.
            let options = jsonschema::draft7::options().should_validate_formats(false);
            options.build(&schema).map_err(|error| error.to_string())
        });
        made.as_ref().map_err(String::as_str)
    }

    /// Returns the body as JSON that fits the schema. A refusal says where the fault is but never repeats the value.
    pub(super) fn check(&self, document: &Document, body: &[u8]) -> Result<Value, Refusal> {
        if body.is_empty() {
            return Err(Refusal::new(400, "the body is missing"));
        }
        let json: Value = serde_json::from_slice(body).map_err(|error| {
            Refusal::new(400, format!("the body is not JSON: line {}, column {}", error.line(), error.column()))
        })?;
        let validator = self.validator(document).map_err(|error| {
            Refusal::new(
                500,
                format!("the document's schema of the body is not one that the mock understands: {error}"),
            )
        })?;
        match validator.validate(&json) {
            Ok(()) => Ok(json),
            Err(error) => Err(Refusal::new(400, format!("at `{}`: {}", error.instance_path(), error.masked()))),
        }
    }
}

/// Adds the names of the components that are referred to anywhere in a schema.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(words) => {
            let reference = words.get("$ref").and_then(Value::as_str);
            names.extend(reference.and_then(|reference| reference.rsplit('/').next()).map(str::to_owned));
            words.values().for_each(|word| references(word, names));
        }
        Value::Array(schemas) => schemas.iter().for_each(|schema| references(schema, names)),
        _ => {}
    }
}

/// Returns what a reference points to, null if it points nowhere, or the value itself if it is not a reference.
fn resolve<'a>(root: &'a Value, mut value: &'a Value) -> &'a Value {
    // A reference may lead to another one, and a ring of them leads nowhere.
    for _ in 0..16 {
        let Some(pointer) = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) else {
            return value;
        };
        value = root.pointer(pointer).unwrap_or(&Value::Null);
    }
    &Value::Null
}

/// Returns the JSON content of a request body or an answer.
fn media(content: &Value) -> &Value {
    &content["content"]["application/json"]
}

/// Returns the schema of a property, looked up through references and `allOf`.
fn property<'a>(root: &'a Value, schema: &'a Value, name: &str) -> Option<&'a Value> {
    let schema = resolve(root, schema);
    let in_parts = || items(&schema["allOf"]).find_map(|part| property(root, part, name));
    schema["properties"].get(name).or_else(in_parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(schema: &Value) -> Document {
        let operation = json!({ "requestBody": { "content": { "application/json": { "schema": schema } } } });
        let schemas = json!({
            "A": { "properties": { "b": { "$ref": "#/components/schemas/B" } } },
            "B": { "items": { "$ref": "#/components/schemas/A" }, "type": "array", "nullable": true },
            "C": {},
        });
        let root = json!({ "paths": { "/": { "post": operation } }, "components": { "schemas": schemas } });
        Document::parse(&root.to_string(), |_| true).expect("it is JSON")
    }

    fn check(document: &Document, body: &str) -> Result<Value, Refusal> {
        let operation = document.find("POST", "/").expect("there is one");
        operation.body.as_ref().expect("it takes a body").check(document, body.as_bytes())
    }

    #[test]
    fn every_body_of_this_build_is_understood() {
        let document = Document::shared().expect("it is understood");
        for operation in &document.operations {
            let understood = operation.body.as_ref().map(|body| body.validator(&document));
            assert!(understood.is_none_or(|validator| validator.is_ok()), "{}", operation.id);
        }
    }

    #[test]
    fn what_is_not_understood_is_found() {
        assert_eq!(Document::parse("{ x", |_| true).unwrap_err().kind(), io::ErrorKind::InvalidData);
        for schema in [json!({ "type": "nothing" }), json!({ "$ref": "#/components/schemas/D" })] {
            let refusal = check(&document(&schema), "{}").unwrap_err().envelope("");
            let message = refusal["message"].as_str().unwrap_or_default();
            assert!(refusal["statusCode"] == 500 && message.contains("not one that the mock understands"), "{refusal}");
        }
    }

    #[test]
    fn a_body_takes_the_components_that_it_refers_to_even_in_a_ring() {
        let schema = json!({ "$ref": "#/components/schemas/A" });
        let document = document(&schema);
        assert_eq!(document.components(&schema).keys().collect::<Vec<_>>(), ["A", "B"]);
        assert!(check(&document, r#"{ "b": [{ "b": null }] }"#).is_ok());
        assert!(check(&document, r#"{ "b": [{ "b": 1 }] }"#).is_err());
    }

    #[test]
    fn formats_are_not_checked() {
        assert!(check(&document(&json!({ "type": "string", "format": "date-time" })), "\"later\"").is_ok());
    }
}
