//! A string that nothing shows by accident.

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt;

/// A secret: an app secret, an access token, a password.
///
/// `Debug` prints `[REDACTED]`, there is no `Display` and no `Serialize`, and the memory is wiped when the last owner
/// goes. Inside a type of the document, such as [`GetWechatAccessTokenDto`](crate::types::GetWechatAccessTokenDto), it
/// serializes as the wire needs it: what you make of a whole request or answer carries its secrets.
///
/// ```
/// let secret = genauth::SecretString::from("s3cret");
/// assert_eq!(format!("{secret:?}"), "[REDACTED]");
/// assert_eq!(secret.expose_secret(), "s3cret");
/// ```
///
/// What would show one does not compile:
///
/// ```compile_fail,E0277
/// println!("{}", genauth::SecretString::from("s3cret"));
/// ```
///
/// ```compile_fail,E0277
/// serde_json::to_string(&genauth::SecretString::from("s3cret"));
/// ```
#[derive(Clone)]
pub struct SecretString(secrecy::SecretString);

impl SecretString {
    /// The secret itself. The name is long so that a review sees who reads it.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for SecretString {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl From<&str> for SecretString {
    fn from(secret: &str) -> Self {
        Self(secret.into())
    }
}

impl From<secrecy::SecretString> for SecretString {
    fn from(secret: secrecy::SecretString) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde quotes a value of the wrong type in its error; envelope.rs never shows that text.
        String::deserialize(deserializer).map(Self::from)
    }
}

/// What a generated field with a secret in it serializes with.
pub(crate) fn serialize_exposed<T: Exposed + ?Sized, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.serialize_exposed(serializer)
}

/// The shapes in which a document's field holds a secret.
pub(crate) trait Exposed {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl Exposed for SecretString {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl Exposed for Option<SecretString> {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(secret) => serializer.serialize_some(secret.expose_secret()),
            None => serializer.serialize_none(),
        }
    }
}

impl Exposed for Vec<SecretString> {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(SecretString::expose_secret))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for SecretString {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretString".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "password" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_secret_and_not_its_length() {
        assert_eq!(format!("{:?}", SecretString::from("hunter2")), "[REDACTED]");
        assert_eq!(format!("{:#?}", Some(SecretString::from("a longer secret"))), "Some(\n    [REDACTED],\n)");
    }

    #[test]
    fn a_field_of_the_document_serializes_the_secret_in_each_shape() {
        #[derive(serde::Serialize)]
        struct Body {
            #[serde(serialize_with = "serialize_exposed")]
            one: SecretString,
            #[serde(serialize_with = "serialize_exposed")]
            maybe: Option<SecretString>,
            #[serde(serialize_with = "serialize_exposed")]
            none: Option<SecretString>,
            #[serde(serialize_with = "serialize_exposed")]
            many: Vec<SecretString>,
        }
        let body = Body { one: "a".into(), maybe: Some("b".into()), none: None, many: vec!["c".into(), "d".into()] };
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"one":"a","maybe":"b","none":null,"many":["c","d"]}"#);
    }
}
