//! The JSON Schema that `schemars` derives from each generated type says what the document's own schema says.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(genauth::OPENAPI).unwrap()
}

/// A schema reduced to what it demands: `allOf` merged, no words, no Rust widths. A reference to a schema that the
/// document names stays one (a schema may refer to itself); one to a type that only Rust names is followed.
fn demands(schema: &Value, definitions: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        // The Rust name may have `Qq` where the document has `QQ`.
        let document = document();
        let mut described = document["components"]["schemas"].as_object().unwrap().keys();
        let named = described.find(|described| described.eq_ignore_ascii_case(name));
        return named.map_or_else(|| demands(&definitions[name], definitions), |name| json!({ "$ref": name }));
    }
    if schema == true {
        return json!({});
    }
    // This is how OpenAPI 3.0 says that a reference may be null.
    if let Some([alone]) = schema["allOf"].as_array().map(Vec::as_slice)
        && schema["nullable"] == true
    {
        return demands(alone, definitions);
    }
    let mut plain = Map::new();
    let mut properties = Map::new();
    let mut required = BTreeSet::new();
    let parts = schema["allOf"].as_array().into_iter().flatten();
    for part in parts.map(|part| demands(followed(part, definitions), definitions)) {
        for (key, value) in part.as_object().unwrap() {
            match key.as_str() {
                "properties" => properties.extend(value.as_object().unwrap().clone()),
                "required" => {
                    required.extend(value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()))
                }
                _ => {
                    plain.insert(key.clone(), value.clone());
                }
            }
        }
    }
    for (key, value) in schema.as_object().unwrap() {
        match key.as_str() {
            "properties" => {
                for (name, property) in value.as_object().unwrap() {
                    properties.insert(name.clone(), demands(property, definitions));
                }
            }
            "required" => {
                required.extend(value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()))
            }
            // A schema allows this unless it says otherwise.
            "additionalProperties" if value == true || value.get("x-any").is_some() => {}
            "items" | "additionalProperties" if value.is_object() || value == true => {
                plain.insert(key.clone(), demands(value, definitions));
            }
            // The type of an enum in answers takes any text, and lists the document's values as examples.
            "examples" => {
                plain.insert("enum".to_owned(), value.clone());
            }
            // An optional field is an Option in Rust, which also takes null; the document does not say so.
            "type" => {
                let types =
                    value.as_array().map(|types| types.iter().filter(|kind| **kind != "null").collect::<Vec<_>>());
                plain.insert(key.clone(), types.map_or_else(|| value.clone(), |types| types[0].clone()));
            }
            "format" if matches!(value.as_str(), Some("int64" | "int32" | "double" | "float")) => {}
            "anyOf" => {
                let real = value.as_array().unwrap().iter().filter(|part| part["type"] != "null").collect::<Vec<_>>();
                if let [real] = real[..] {
                    return demands(real, definitions);
                }
                // serde tries the variants of a `oneOf` in turn.
                plain.insert("oneOf".to_owned(), real.into_iter().map(|part| demands(part, definitions)).collect());
            }
            "oneOf" => {
                let parts = value.as_array().unwrap().iter().map(|part| demands(part, definitions)).collect();
                plain.insert(key.clone(), parts);
            }
            "$schema" | "$defs" | "title" | "description" | "example" | "allOf" | "nullable" | "deprecated"
            | "default" => {}
            key if key.starts_with("x-") => {}
            _ => {
                plain.insert(key.clone(), value.clone());
            }
        }
    }
    if !properties.is_empty() {
        plain.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() {
        plain.insert("required".to_owned(), json!(required));
    }
    Value::Object(plain)
}

fn followed<'a>(schema: &'a Value, definitions: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |reference| &definitions[reference.rsplit('/').next().unwrap()])
}

#[test]
fn every_named_schema_can_be_exported_and_demands_what_the_document_demands() {
    let document = document();
    let described = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(genauth::schema::names().collect::<BTreeSet<_>>(), described.keys().map(String::as_str).collect());
    for (name, schema) in described {
        let mut derived = genauth::schema::of(name).unwrap().to_value();
        // This is how schemars writes a type's reference to itself.
        let itself = derived.to_string().replace(r##""$ref":"#""##, &format!(r##""$ref":"#/$defs/{name}""##));
        derived = serde_json::from_str(&itself).unwrap();
        assert_eq!(
            demands(followed(&derived, &derived["$defs"]), &derived["$defs"]),
            demands(schema, &document["components"]["schemas"]),
            "{name}: {derived:#}"
        );
    }
    assert!(genauth::schema::of("NoSuchType").is_none());
}

#[test]
fn every_example_of_the_document_fits_the_exported_schema() {
    let document = document();
    let mut checked = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for content in [&operation["requestBody"]["content"], &operation["responses"]["200"]["content"]] {
                let content = &content["application/json"];
                let Some(reference) = content["schema"]["$ref"].as_str() else { continue };
                let name = reference.rsplit('/').next().unwrap();
                let schema = genauth::schema::of(name).unwrap().to_value();
                let validator = jsonschema::validator_for(&schema).unwrap();
                let problem = validator.validate(&content["example"]).err();
                assert!(problem.is_none(), "{}: {name}: {}", operation["operationId"], problem.unwrap());
                checked += 1;
            }
        }
    }
    assert!(checked > 0);
}
