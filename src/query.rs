//! A query as the official SDKs write it.
//!
//! A list is `name[]=one&name[]=two`. A nested value has its place in the name: `name[field]`, `name[field][0]`, and
//! `name[0][field]` for a list that holds more than plain values. Numbers and booleans are written as in JavaScript.
//! Null is left out, and so is an empty list or object: a query cannot express them.

use crate::json::Json;
use serde::Serialize;

/// The parameters that a value holds: the fields of a struct or a map, or a list of names and values. `()` holds none.
///
/// The error says what is wrong and what to do, and repeats nothing of the value.
pub(crate) fn pairs<T: Serialize + ?Sized>(value: &T) -> Result<Vec<(String, String)>, &'static str> {
    of_json(serde_json::to_vec(value).ok())
}

/// The part of [`pairs`] that is compiled once rather than for each type.
fn of_json(json: Option<Vec<u8>>) -> Result<Vec<(String, String)>, &'static str> {
    let value = json.and_then(|json| serde_json::from_slice(&json).ok());
    let parameters = match value.ok_or("the query cannot be written as JSON; check its fields")? {
        Json::Null => Some(Vec::new()),
        Json::Object(fields) => Some(fields),
        Json::Array(items) => items.into_iter().map(pair).collect(),
        _ => None,
    };
    let shape = "the query needs a name for each value; give a struct, a map or a list of pairs";
    let mut pairs = Vec::new();
    for (name, value) in parameters.ok_or(shape)? {
        match value {
            Json::Array(items) if !items.iter().any(is_nested) => {
                let name = format!("{name}[]");
                items.into_iter().for_each(|item| write(name.clone(), item, &mut pairs));
            }
            other => write(name, other, &mut pairs),
        }
    }
    Ok(pairs)
}

/// Reads a pair of a name and its value, if the item is one.
fn pair(item: Json) -> Option<(String, Json)> {
    let Json::Array(items) = item else { return None };
    match <[Json; 2]>::try_from(items) {
        Ok([Json::String(name), value]) => Some((name, value)),
        _ => None,
    }
}

fn is_nested(value: &Json) -> bool {
    matches!(value, Json::Array(_) | Json::Object(_))
}

fn write(name: String, value: Json, pairs: &mut Vec<(String, String)>) {
    match value {
        Json::Null => {}
        Json::Array(items) => {
            items.into_iter().enumerate().for_each(|(index, item)| write(format!("{name}[{index}]"), item, pairs));
        }
        Json::Object(fields) => {
            fields.into_iter().for_each(|(field, value)| write(format!("{name}[{field}]"), value, pairs));
        }
        // JavaScript would lose digits of a large integer.
        Json::Integer(integer) => pairs.push((name, integer.to_string())),
        plain => pairs.push((name, plain.into_parameter())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn written<T: Serialize + ?Sized>(value: &T) -> String {
        let pairs = pairs(value).unwrap();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// These were recorded from the official SDK for Node.
    const SIGNATURES: &str = include_str!("../tests/vectors/signatures.json");

    #[test]
    fn writes_every_recorded_query_as_the_official_sdk_did() {
        // The parameters are kept as text, since a `Value` sorts its fields.
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Vector<'a> {
            method: &'a str,
            #[serde(borrow)]
            params: Option<&'a serde_json::value::RawValue>,
            wire_request_line: &'a str,
        }
        #[derive(serde::Deserialize)]
        struct Vectors<'a> {
            #[serde(borrow)]
            vectors: Vec<Vector<'a>>,
        }
        let Vectors { vectors } = serde_json::from_str(SIGNATURES).unwrap();
        let queries: Vec<_> = vectors.iter().filter(|vector| vector.method == "GET").collect();
        for Vector { params, wire_request_line, .. } in &queries {
            let target = wire_request_line.split(' ').nth(1).unwrap();
            assert_eq!(written(params), target.split_once('?').map_or("", |(_, query)| query));
        }
        assert_eq!(queries.len(), 8);
    }

    #[test]
    fn what_is_nested_has_its_place_in_its_name() {
        let decoded = |value: &Value| {
            let pairs = pairs(value).unwrap().into_iter();
            pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        };
        for (value, expected) in [
            (json!({ "a": [1, true, "x", null, ""] }), "a[]=1&a[]=true&a[]=x&a[]="),
            (json!({ "a": [[1, 2], 3] }), "a[0][0]=1&a[0][1]=2&a[1]=3"),
            (json!({ "a": [{ "b": 1 }, null, { "b": [2] }] }), "a[0][b]=1&a[2][b][0]=2"),
            (json!({ "a": { "b": { "c": ["x", { "d": "y" }] } } }), "a[b][c][0]=x&a[b][c][1][d]=y"),
            (json!({ "a": null, "b": [], "c": {}, "d": [null], "e": { "f": null }, "g": "" }), "g="),
            (json!({ "a&b=c": "d&e=f", "": [1] }), "[]=1&a&b=c=d&e=f"),
            (json!([["a", [1, 2]], ["a", 3], ["b", null], ["c", { "d": 1 }]]), "a[]=1&a[]=2&a=3&c[d]=1"),
        ] {
            assert_eq!(decoded(&value), expected);
        }
    }

    #[test]
    fn numbers_are_as_javascript_writes_them_and_no_integer_loses_digits() {
        let numbers = (1.0, -0.0, 0.1, 1e21, 1e-7, f64::NAN, i64::MIN, u64::MAX);
        let digits = "n[]=-9223372036854775808&n[]=18446744073709551615";
        let expected = format!("n[]=1&n[]=0&n[]=0.1&n[]=1e+21&n[]=1e-7&{digits}");
        assert_eq!(written(&[("n", numbers)]), expected.replace("[]", "%5B%5D").replace('+', "%2B"));
        let private = json!({ "n": { "$serde_json::private::Number": "9007199254740993" } });
        assert_eq!(written(&private), "n=9007199254740993");
    }

    #[test]
    fn what_has_no_names_is_refused_without_a_word_of_it() {
        assert!(pairs(&()).unwrap().is_empty() && pairs(&None::<()>).unwrap().is_empty());
        assert!(pairs::<[(&str, &str)]>(&[]).unwrap().is_empty());
        let unnamed = json!(["secret", 1, true, ["secret"], [["secret"]], [[1, "secret"]], [["secret", 1, 2]], [null]]);
        for value in unnamed.as_array().unwrap() {
            let expected = "the query needs a name for each value; give a struct, a map or a list of pairs";
            assert_eq!(pairs(value).unwrap_err(), expected, "{value}");
        }
        let unwritable = BTreeMap::from([(["secret"], 1)]);
        assert_eq!(pairs(&unwritable).unwrap_err(), "the query cannot be written as JSON; check its fields");
    }
}
