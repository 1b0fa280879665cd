//! Integers as servers in JavaScript write them.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An integer as JavaScript servers write it: a number, a number with a zero fraction, or a decimal string.
///
/// By way of `Value`, because numbers come as something else once a dependency anywhere switches serde_json's feature
/// `arbitrary_precision` on.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    read(&Value::deserialize(deserializer)?)
}

/// As [`deserialize`], and none for a null; for an absent field the attribute `default` is needed.
pub(crate) fn deserialize_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() { Ok(None) } else { read(&value).map(Some) }
}

fn read<E: serde::de::Error>(value: &Value) -> Result<i64, E> {
    // Above 2^53 a float no longer tells one integer from the next.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let integer = match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
            #[allow(clippy::cast_possible_truncation, reason = "whole and within 2^53, as just checked")]
            Some(float as i64)
        }),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| decimal)
        }
        _ => None,
    };
    integer.ok_or_else(|| E::custom("neither a whole number nor a decimal string of one"))
}

#[cfg(test)]
mod tests {
    #[derive(serde::Deserialize)]
    struct Fields {
        #[serde(deserialize_with = "super::deserialize")]
        one: i64,
        #[serde(default, deserialize_with = "super::deserialize_option")]
        other: Option<i64>,
    }

    #[test]
    fn an_optional_integer_may_be_absent_or_null_and_a_required_one_may_not() {
        let parse = |json: &str| serde_json::from_str(json).ok().map(|fields: Fields| (fields.one, fields.other));
        assert_eq!(parse(r#"{"one":"7","other":8.0}"#), Some((7, Some(8))));
        assert_eq!(parse(r#"{"one":7.0,"other":null}"#), Some((7, None)));
        assert_eq!(parse(r#"{"one":7}"#), Some((7, None)));
        for wrong in [r#"{"other":8}"#, r#"{"one":null}"#, r#"{"one":1.5}"#, r#"{"one":7,"other":"x"}"#] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
