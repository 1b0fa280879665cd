//! Gives each inline object a name among the components, so that all later passes only meet named ones.

use crate::document::{Document, escape, shown};
use crate::violation::Violation;
use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};

/// Moves the inline bodies and answers of operations, and the inline objects within schemas, to the components. Returns
/// a violation for each that would get a name that is taken.
pub fn hoist(document: &mut Document) -> Vec<Violation> {
    let schemas = document.value.pointer_mut("/components/schemas").map(Value::take);
    let mut hoist = Hoist { schemas: Map::new(), moved: Vec::new(), taken: Vec::new() };
    let mut named = Vec::new();
    if let Some(Value::Object(schemas)) = schemas {
        for (name, schema) in schemas {
            named.push(name.clone());
            hoist.schemas.insert(name, schema);
        }
    }
    for name in named {
        let mut schema = hoist.schemas.get_mut(&name).map(Value::take).unwrap_or_default();
        hoist.within(&mut schema, &name, &format!("/components/schemas/{}", escape(&name)));
        hoist.schemas.insert(name, schema);
    }
    let mut operations = Vec::new();
    for operation in document.operations() {
        let name = operation.id().to_upper_camel_case();
        let [request, answer] = ["requestBody", "responses/200"]
            .map(|part| format!("{}/{part}/content/application~1json/schema", operation.pointer));
        operations.extend([(request, format!("{name}ReqDto")), (answer, format!("{name}RespDto"))]);
    }
    for (pointer, name) in operations {
        if let Some(schema) = document.value.pointer_mut(&pointer) {
            hoist.of_operation(schema, name, &pointer);
        }
    }
    let Hoist { schemas, moved, taken } = hoist;
    for (pointer, name) in moved {
        let mark = document.mark(&pointer);
        document.marks.insert(Document::schema_pointer(&name), mark);
    }
    document.value["components"]["schemas"] = Value::Object(schemas);
    document.value.sort_all_objects();
    let taken = taken.into_iter().map(|(pointer, name)| {
        let message = format!(
            "The schema is inline, and its name would be {}, which is taken. Move it to the \
             components under another name.",
            shown(&name)
        );
        document.violation(&pointer, "schema", message)
    });
    taken.collect()
}

struct Hoist {
    schemas: Map<String, Value>,
    /// What was moved: its old place and its new name.
    moved: Vec<(String, String)>,
    /// What could not be moved: its place and the name that is taken.
    taken: Vec<(String, String)>,
}

impl Hoist {
    /// Hoists what is within a schema. `owner` is the name of the component that the schema is part of.
    fn within(&mut self, schema: &mut Value, owner: &str, pointer: &str) {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (name, property) in properties {
                let pointer = format!("{pointer}/properties/{}", escape(name));
                self.part(property, format!("{owner}{}", name.to_upper_camel_case()), &pointer);
            }
        }
        for (key, suffix) in [("items", "Item"), ("additionalProperties", "Value")] {
            if let Some(inner) = schema.get_mut(key) {
                self.part(inner, format!("{owner}{suffix}"), &format!("{pointer}/{key}"));
            }
        }
        for (index, part) in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            self.within(part, owner, &format!("{pointer}/allOf/{index}"));
        }
    }

    fn of_operation(&mut self, schema: &mut Value, name: String, pointer: &str) {
        if let Some([alone]) = schema["allOf"].as_array().map(Vec::as_slice)
            && alone.get("$ref").is_some()
        {
            *schema = alone.clone();
        }
        if schema.get("$ref").is_none() {
            self.one(schema, name, pointer);
        }
    }

    fn part(&mut self, schema: &mut Value, name: String, pointer: &str) {
        if is_object(schema) { self.one(schema, name, pointer) } else { self.within(schema, &name, pointer) }
    }

    fn one(&mut self, schema: &mut Value, name: String, pointer: &str) {
        if self.schemas.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
            return self.taken.push((pointer.to_owned(), name));
        }
        let mut moved = schema.take();
        let nullable = moved.as_object_mut().and_then(|words| words.remove("nullable")) == Some(Value::Bool(true));
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        *schema = if nullable { json!({ "nullable": true, "allOf": [reference] }) } else { reference };
        // The name is reserved first, so that nothing within the schema takes it.
        self.schemas.insert(name.clone(), Value::Null);
        self.within(&mut moved, &name, pointer);
        self.moved.push((pointer.to_owned(), name.clone()));
        self.schemas.insert(name, moved);
    }
}

/// Whether it becomes a struct. A single part is as good as a reference, and a schema that says nothing of its fields
/// is a map.
fn is_object(schema: &Value) -> bool {
    let fields = |schema: &Value| schema["properties"].as_object().is_some_and(|fields| !fields.is_empty());
    let parts = schema["allOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    schema.get("$ref").is_none() && (fields(schema) || parts.len() > 1 || parts.iter().any(fields))
}
