//! The application's secret, in a header or in the body.

use super::kind::{Holding, Outgoing, secret_value};
use crate::{Error, ErrorKind, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// How an application proves itself to operations that take its secret, such as the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `client_secret_basic`: id and secret as HTTP Basic authentication.
    #[default]
    Basic,
    /// `client_secret_post`: id and secret in the body.
    Post,
    /// `none`: the secret is not sent.
    None,
}

/// The secret as HTTP Basic authentication.
#[derive(Clone, Default)]
pub(crate) struct ClientSecretBasic {
    used: bool,
    /// `base64(app_id:app_secret)`, which is as secret as the secret itself.
    pair: Option<SecretString>,
}

/// The secret in the body.
#[derive(Clone, Default)]
pub(crate) struct ClientSecretPost {
    used: bool,
    app: Option<(String, SecretString)>,
}

/// Makes both ways of sending an application's secret, of which at most one is used: the one of `authentication`, if
/// that is set.
pub(crate) fn both_ways(
    app: Option<(&str, &SecretString)>,
    authentication: Option<ClientAuthentication>,
) -> Result<(ClientSecretBasic, ClientSecretPost), Error> {
    if app.is_some_and(|(_, secret)| secret.expose_secret().is_empty()) {
        return Err(Error::configuration("the app secret is empty; set it, or use `.app_id(..)` without one"));
    }
    if app.is_none() && matches!(authentication, Some(by) if by != ClientAuthentication::None) {
        let detail =
            "`.client_authentication(..)` needs an app secret to send; give it with `.app(..)`, or leave it out";
        return Err(Error::configuration(detail));
    }
    let used = |by| authentication.unwrap_or_default() == by;
    let pair = app.map(|(id, secret)| STANDARD.encode(format!("{id}:{}", secret.expose_secret())).into());
    let basic = ClientSecretBasic { used: used(ClientAuthentication::Basic), pair };
    let app = app.map(|(id, secret)| (id.to_owned(), secret.clone()));
    Ok((basic, ClientSecretPost { used: used(ClientAuthentication::Post), app }))
}

impl ClientSecretBasic {
    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        Holding { setter: "`.app(..)`", is_held: self.used && self.pair.is_some(), secret: self.pair.as_ref() }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        let Some(pair) = &self.pair else { return Ok(()) };
        outgoing.authorize(secret_value(&format!("Basic {}", pair.expose_secret()), "app secret"))
    }
}

impl ClientSecretPost {
    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        Holding {
            setter: "`.app(..)`",
            is_held: self.used && self.app.is_some(),
            secret: self.app.as_ref().map(|(_, secret)| secret),
        }
    }

    /// Adds `client_id` and `client_secret` to the body, unless the caller filled in either: they go together.
    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        let Some((id, secret)) = &self.app else { return Ok(()) };
        let body = outgoing.request.body().and_then(reqwest::Body::as_bytes);
        let is_form = outgoing.request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == FORM);
        let added = |body| {
            if is_form { with_app_in_form(body, id, secret) } else { with_app(body, id, secret.expose_secret()) }
        };
        let body = body.and_then(added).ok_or_else(|| {
            let detail = "its body is not a JSON object to put the app secret into";
            Error::new(ErrorKind::Request, outgoing.subject, detail)
        })?;
        *outgoing.request.body_mut() = Some(body.into());
        Ok(())
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn with_app_in_form(form: &[u8], id: &str, secret: &SecretString) -> Option<Vec<u8>> {
    let mut form = form_urlencoded::Serializer::new(str::from_utf8(form).ok()?.to_owned());
    form.append_pair("client_id", id).append_pair("client_secret", secret.expose_secret());
    Some(form.finish().into_bytes())
}

/// Adds `client_id` and `client_secret` behind the fields of the JSON object, which stay as they are to the byte;
/// `None` if it is not an object. An object that has either of the two is left alone.
fn with_app(object: &[u8], id: &str, secret: &str) -> Option<Vec<u8>> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_slice(object).ok()?;
    if fields.contains_key("client_id") || fields.contains_key("client_secret") {
        return Some(object.to_vec());
    }
    let open = str::from_utf8(object).ok()?.trim_ascii_end().strip_suffix('}')?;
    let comma = if fields.is_empty() { "" } else { "," };
    let (id, secret) = (serde_json::to_string(id).ok()?, serde_json::to_string(secret).ok()?);
    Some(format!("{open}{comma}\"client_id\":{id},\"client_secret\":{secret}}}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_secret_goes_behind_the_callers_fields_whose_bytes_stay_as_they_are() {
        let added = r#""client_id":"a\"b","client_secret":"s\\""#;
        for (object, fields) in [
            ("{}", "{"),
            (" { } \n", " { "),
            (r#"{"b":1,"a":2}"#, r#"{"b":1,"a":2,"#),
            (
                r#"{"n":1.0,"big":12345678901234567890123,"e":1E999}"#,
                r#"{"n":1.0,"big":12345678901234567890123,"e":1E999,"#,
            ),
            ("{\"x\" : {\"client_id\":1} ,\"\\u0061\":\"}\"\t}", "{\"x\" : {\"client_id\":1} ,\"\\u0061\":\"}\"\t,"),
        ] {
            let text = with_app(object.as_bytes(), "a\"b", "s\\").unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), format!("{fields}{added}}}"), "{object}");
        }
        for taken in [r#"{"client_id":"x"}"#, r#"{ "client\u005fsecret" : null }"#] {
            assert_eq!(with_app(taken.as_bytes(), "a", "s").unwrap(), taken.as_bytes());
        }
        for no_object in ["", "[]", "null", "{", "{}}", "\"{}\"", "{1:2}"] {
            assert_eq!(with_app(no_object.as_bytes(), "a", "s"), None, "{no_object}");
        }
    }
}
