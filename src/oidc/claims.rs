//! The claims of a token.

use crate::UnixTimestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The claims of a verified token (RFC 7519).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// Who it is about: the user's id, or the app's.
    pub sub: String,
    /// Who issued it.
    pub iss: String,
    /// Whom it is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it expires.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: UnixTimestamp,
    /// When it was issued.
    #[serde(default, deserialize_with = "some_numeric_date")]
    pub iat: Option<UnixTimestamp>,
    /// When it becomes good.
    #[serde(default, deserialize_with = "some_numeric_date")]
    pub nbf: Option<UnixTimestamp>,
    /// The scopes that were granted, separated by spaces.
    pub scope: Option<String>,
    /// The `nonce` that the app sent the browser with, in an id token.
    pub nonce: Option<String>,
    /// The app that it was issued to, if it is for several.
    pub azp: Option<String>,
    /// The other claims.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// Reads a number of seconds, which must not be text (RFC 7519, section 2). The fraction is dropped.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTimestamp, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let seconds = number.as_i64().or_else(|| {
        // Whole numbers up to this one are exact as an `f64`.
        let most = 9_007_199_254_740_992.0;
        number.as_f64().filter(|seconds| seconds.abs() <= most).map(|seconds| seconds as i64)
    });
    seconds.map(UnixTimestamp::from_secs).ok_or_else(|| serde::de::Error::custom("no time"))
}

fn some_numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixTimestamp>, D::Error> {
    numeric_date(deserializer).map(Some)
}
