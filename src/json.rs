//! JSON as JavaScript keeps and writes it.

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write as _};

/// A JSON value. Objects keep the order of their keys.
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// An integer, which JavaScript keeps as a double and writes as such.
    Integer(i128),
    Number(f64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Writes a parameter of a signed request, in which a string has no quotes.
    pub(crate) fn into_parameter(self) -> String {
        match self {
            Self::String(text) => text,
            other => other.to_string(),
        }
    }
}

/// Writes what `JSON.stringify` writes.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).map_err(|_| fmt::Error);
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{}", Self::Number(*value as f64)),
            Self::Number(value) => f.write_str(ryu_js::Buffer::new().format(*value)),
            Self::String(text) => f.write_str(&quoted(text)?),
            Self::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { "," })?;
                }
                f.write_char(']')
            }
            Self::Object(fields) => {
                f.write_char('{')?;
                for (index, (key, value)) in fields.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index == 0 { "" } else { "," }, quoted(key)?)?;
                }
                f.write_char('}')
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsJavaScript;

        impl<'de> Visitor<'de> for AsJavaScript {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Integer(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Integer(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Number(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::String(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Json, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Json::Array)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
                let mut object: Vec<(String, Json)> = Vec::new();
                while let Some((key, value)) = fields.next_entry::<String, Json>()? {
                    if let Some((_, known)) = object.iter_mut().find(|(known, _)| *known == key) {
                        *known = value;
                        continue;
                    }
                    // JavaScript lists array indices first, in numeric order, and the other keys as they came.
                    let place = array_index(&key).map_or(object.len(), |index| {
                        object.partition_point(|(known, _)| array_index(known).is_some_and(|known| known < index))
                    });
                    object.insert(place, (key, value));
                }
                // serde_json represents a number like this once any dependency turns on `arbitrary_precision`.
                if let [(key, Json::String(number))] = &object[..]
                    && key == "$serde_json::private::Number"
                {
                    let float = |_| crate::integer::float(number).map(Json::Number);
                    return number.parse().map(Json::Integer).or_else(float);
                }
                Ok(Json::Object(object))
            }
        }

        deserializer.deserialize_any(AsJavaScript)
    }
}

/// The array index that JavaScript takes a key for, if any: a number below 2^32 - 1 without leading zeros.
fn array_index(key: &str) -> Option<u32> {
    let index = key.parse::<u32>().ok().filter(|index| *index != u32::MAX)?;
    (index.to_string() == key).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_json_as_javascript_does() {
        let stringified = |json: &str| serde_json::from_str::<Json>(json).unwrap().to_string();
        assert_eq!(stringified(r#"{"b":1.0,"a":-0.0,"c":1e21}"#), r#"{"b":1,"a":0,"c":1e+21}"#);
        assert_eq!(stringified(r#"{"x":1,"10":2,"9":3,"01":4}"#), r#"{"9":3,"10":2,"x":1,"01":4}"#);
        assert_eq!(stringified(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
        assert_eq!(stringified(r#"[12345678901234567890, "é\n\u0001"]"#), r#"[12345678901234567000,"é\n\u0001"]"#);
    }
}
