//! Parameters of a query that are more than a text, as the vendor's SDK for Node writes them.

use serde::Serialize;
use serde_json::Value;

/// The pairs of one parameter: a list repeats `name[]`, an object says `name[field]`, and what is null is left out.
pub fn query<T: Serialize>(name: &str, value: &T) -> Result<Vec<(String, String)>, String> {
    let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
    let mut pairs = Vec::new();
    match value {
        Value::Array(items) if !items.iter().any(|item| item.is_array() || item.is_object()) => {
            items.into_iter().for_each(|item| add(format!("{name}[]"), item, &mut pairs));
        }
        value => add(name.to_owned(), value, &mut pairs),
    }
    Ok(pairs)
}

fn add(name: String, value: Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::String(text) => pairs.push((name, text)),
        // As JavaScript writes a number: `10`, not `10.0`.
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            pairs.push((name, ryu_js::Buffer::new().format(number).to_owned()));
        }
        Value::Bool(_) | Value::Number(_) => pairs.push((name, value.to_string())),
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                add(format!("{name}[{index}]"), item, pairs);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                add(format!("{name}[{field}]"), value, pairs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(value: Value) -> String {
        let pairs = query("p", &value).unwrap().into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// As recorded from the SDK: `tests/vectors/signatures.json`, `get_query_array_and_object`.
    #[test]
    fn lists_and_objects_are_written_as_the_official_sdk_does() {
        assert_eq!(written(json!(["u1", "u2"])), "p[]=u1&p[]=u2");
        assert_eq!(written(json!({ "a": 1, "b": [true, null] })), "p[a]=1&p[b][0]=true");
        assert_eq!(written(json!([{ "a": [1] }, 2])), "p[0][a][0]=1&p[1]=2");
    }

    #[test]
    fn numbers_are_javascripts_and_integers_keep_their_digits() {
        assert_eq!(written(json!(10.0)), "p=10");
        assert_eq!(written(json!(1.5e-7)), "p=1.5e-7");
        assert_eq!(written(json!([i64::MAX])), "p[]=9223372036854775807");
    }

    #[test]
    fn what_is_absent_or_empty_is_left_out() {
        for nothing in [json!(null), json!([]), json!({}), json!([null])] {
            assert_eq!(written(nothing), "");
        }
    }
}
