//! Converts OpenAPI 3.0 schemas to JSON Schema, draft 7, which has nearly the same keywords. Later drafts do not have
//! more of OpenAPI 3.0's keywords, but their meta-schemas take three times as long to prepare.

use serde_json::{Map, Value, json};

/// Returns the schema as JSON Schema. References stay as they are, so the components have to be put next to it.
pub(super) fn to_json_schema(schema: &Value) -> Value {
    let Some(words) = schema.as_object() else { return schema.clone() };
    // OpenAPI 3.0 ignores keywords next to a reference; JSON Schema might not.
    if let Some(reference) = words.get("$ref") {
        return json!({ "$ref": reference });
    }
    let mut converted: Map<String, Value> =
        words.iter().map(|(word, value)| (word.clone(), convert(word, value))).collect();
    converted.remove("nullable");
    if words.get("nullable") == Some(&Value::Bool(true)) { or_null(converted) } else { converted.into() }
}

fn convert(word: &str, value: &Value) -> Value {
    match (word, value) {
        ("properties", Value::Object(schemas)) => {
            schemas.iter().map(|(name, schema)| (name.clone(), to_json_schema(schema))).collect()
        }
        ("allOf" | "oneOf", Value::Array(schemas)) => schemas.iter().map(to_json_schema).collect(),
        ("items" | "additionalProperties", schema) => to_json_schema(schema),
        _ => value.clone(),
    }
}

fn or_null(mut schema: Map<String, Value>) -> Value {
    if let Some(Value::Array(options)) = schema.get_mut("enum")
        && !options.contains(&Value::Null)
    {
        options.push(Value::Null);
    }
    match schema.get("type") {
        Some(Value::String(name)) => {
            let both = json!([name, "null"]);
            schema.insert("type".to_owned(), both);
            schema.into()
        }
        // A composed schema has no type to widen, so null becomes an alternative to all of it.
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nullable_becomes_a_type() {
        assert_eq!(
            to_json_schema(&json!({ "type": "string", "nullable": true })),
            json!({ "type": ["string", "null"] })
        );
        assert_eq!(
            to_json_schema(&json!({ "type": "string", "enum": ["a"], "nullable": true })),
            json!({ "type": ["string", "null"], "enum": ["a", null] })
        );
        assert_eq!(
            to_json_schema(&json!({ "allOf": [{ "$ref": "#/x" }], "nullable": true })),
            json!({ "anyOf": [{ "allOf": [{ "$ref": "#/x" }] }, { "type": "null" }] })
        );
        assert_eq!(to_json_schema(&json!({ "type": "string", "nullable": false })), json!({ "type": "string" }));
    }

    #[test]
    fn schemas_are_converted_wherever_they_stand_and_nothing_else_is() {
        let nullable = json!({ "type": "string", "nullable": true });
        let converted = json!({ "type": ["string", "null"] });
        assert_eq!(
            to_json_schema(&json!({
                "properties": { "nullable": nullable },
                "items": nullable,
                "additionalProperties": nullable,
                "oneOf": [{ "items": nullable }],
                "example": nullable,
            })),
            json!({
                "properties": { "nullable": converted },
                "items": converted,
                "additionalProperties": converted,
                "oneOf": [{ "items": converted }],
                "example": nullable,
            })
        );
    }

    #[test]
    fn what_stands_beside_a_reference_is_dropped() {
        assert_eq!(to_json_schema(&json!({ "$ref": "#/x", "nullable": true })), json!({ "$ref": "#/x" }));
    }
}
