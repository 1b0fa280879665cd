//! Integers as servers in JavaScript write them.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;

/// Reads an integer as JavaScript servers write it: a number, a number with a zero fraction, or a decimal string.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_any(Whole)
}

/// Reads the same as [`deserialize`], or null as `None`. An absent field also needs the attribute `default`.
pub fn deserialize_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Integer(#[serde(deserialize_with = "deserialize")] i64);

    Ok(Option::deserialize(deserializer)?.map(|Integer(integer)| integer))
}

fn neither<E: Error>() -> E {
    E::custom("neither a whole number nor a decimal string of one")
}

/// A visitor rather than a `serde_json::Value`, which would add tens of KiB to every program.
#[derive(Clone, Copy)]
struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or a decimal string of one")
    }

    fn visit_i64<E>(self, integer: i64) -> Result<i64, E> {
        Ok(integer)
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<i64, E> {
        integer.try_into().map_err(|_| neither())
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<i64, E> {
        // Above 2^53 a float cannot tell neighbouring integers apart.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if float.fract() != 0.0 || float.abs() > EXACT {
            return Err(neither());
        }
        Ok(float as i64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| decimal).ok_or_else(neither)
    }

    /// serde_json represents a number like this once any dependency turns on `arbitrary_precision`.
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<i64, A::Error> {
        if fields.next_key::<String>()?.as_deref() == Some("$serde_json::private::Number") {
            let number: String = fields.next_value()?;
            return self.visit_str(&number).or_else(|_: A::Error| self.visit_f64(float(&number)?));
        }
        Err(neither())
    }
}

/// Reads a number as JSON writes it. `str::parse` would bring tables of its own into the program.
pub(crate) fn float<E: Error>(number: &str) -> Result<f64, E> {
    serde_json::from_slice(number.as_bytes()).map_err(E::custom)
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
        let number = |text: &str| parse(&format!(r#"{{"one":{{"$serde_json::private::Number":"{text}"}}}}"#));
        assert_eq!([number("-7"), number("7.0"), number("7.5")], [Some((-7, None)), Some((7, None)), None]);
        for wrong in [r#"{"other":8}"#, r#"{"one":null}"#, r#"{"one":1.5}"#, r#"{"one":7,"other":"x"}"#] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
