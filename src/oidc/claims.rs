//! What a token says.

use crate::UnixTimestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What a verified token says (RFC 7519).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// Who it is about: the user's id, or the application's.
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
    /// Before when it is not good.
    #[serde(default, deserialize_with = "some_numeric_date")]
    pub nbf: Option<UnixTimestamp>,
    /// What was granted, separated by spaces.
    pub scope: Option<String>,
    /// What the application sent the browser with, in an id token.
    pub nonce: Option<String>,
    /// The application that it was issued to, where it is for several.
    pub azp: Option<String>,
    /// The rest.
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

/// Seconds, and no text (RFC 7519, section 2). What is behind the point is left out.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTimestamp, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let seconds = number.as_i64().or_else(|| {
        // Whole numbers up to there are exact.
        let most = 9_007_199_254_740_992.0;
        number.as_f64().filter(|seconds| seconds.abs() <= most).map(|seconds| seconds as i64)
    });
    seconds.map(UnixTimestamp::from_secs).ok_or_else(|| serde::de::Error::custom("no time"))
}

fn some_numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixTimestamp>, D::Error> {
    numeric_date(deserializer).map(Some)
}
