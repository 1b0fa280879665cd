//! A string that is not shown by accident.

use secrecy::ExposeSecret as _;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// A secret: an app secret, an access token, a password.
///
/// `Debug` prints `[REDACTED]`, there is no `Display` and no `Serialize`, and the memory is wiped when the last owner
/// is dropped. Inside a type of the document, such as
/// [`GetWechatAccessTokenDto`](crate::types::GetWechatAccessTokenDto), it serializes as it has to be sent: a whole
/// request or answer that you serialize contains its secrets.
///
/// ```
/// let secret = genauth::SecretString::from("s3cret");
/// assert_eq!(format!("{secret:?}"), "[REDACTED]");
/// assert_eq!(secret.expose_secret(), "s3cret");
/// ```
///
/// Code that would show one does not compile:
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
    /// Returns the secret itself. The name is long so that a review sees who reads it.
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
        // serde would quote a value of the wrong type.
        String::deserialize(deserializer).map(Self::from).map_err(|_| D::Error::custom("a secret is a string"))
    }
}

/// The types of fields that may hold secrets, and how they serialize to be sent.
///
/// Generated types use it where the document says so. In a type of your own, such as the request of a
/// [`Client::call`](crate::Client::call), write it out:
///
/// ```
/// use genauth::SecretString;
///
/// #[derive(serde::Serialize)]
/// struct Invitation {
///     #[serde(serialize_with = "genauth::Exposed::serialize_exposed")]
///     code: SecretString,
/// }
///
/// let body = serde_json::to_string(&Invitation { code: "s3cret".into() })?;
/// assert_eq!(body, r#"{"code":"s3cret"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Exposed {
    /// Serializes the secrets as the strings that they are.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl Exposed for SecretString {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<T: Exposed> Exposed for Option<T> {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Wire).serialize(serializer)
    }
}

impl<T: Exposed> Exposed for Vec<T> {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Wire))
    }
}

impl<T: Exposed> Exposed for BTreeMap<String, T> {
    fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (key, Wire(value))))
    }
}

struct Wire<'a, T>(&'a T);

impl<T: Exposed> Serialize for Wire<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_exposed(serializer)
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
            #[serde(serialize_with = "Exposed::serialize_exposed")]
            one: SecretString,
            #[serde(serialize_with = "Exposed::serialize_exposed")]
            maybe: Option<SecretString>,
            #[serde(serialize_with = "Exposed::serialize_exposed")]
            none: Option<SecretString>,
            #[serde(serialize_with = "Exposed::serialize_exposed")]
            many: Vec<Option<SecretString>>,
            #[serde(serialize_with = "Exposed::serialize_exposed")]
            named: BTreeMap<String, SecretString>,
        }
        let body = Body {
            one: "a".into(),
            maybe: Some("b".into()),
            none: None,
            many: vec![Some("c".into()), None],
            named: BTreeMap::from([("k".to_owned(), "d".into())]),
        };
        let expected = r#"{"one":"a","maybe":"b","none":null,"many":["c",null],"named":{"k":"d"}}"#;
        assert_eq!(serde_json::to_string(&body).unwrap(), expected);
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_quoted() {
        let error = serde_json::from_str::<SecretString>("12345678").unwrap_err();
        assert_eq!(error.to_string(), "a secret is a string");
    }
}
