//! What a client proves itself with, and how each of it becomes headers.

mod dialect;
mod options;
mod signature;

pub use dialect::{Dialect, Language};
pub use options::{AccessKeyUse, ClientAuthentication, SignatureDate, TenantHeader};

pub(crate) use crate::management::ManagementToken;
use crate::{Credential, Error, ErrorKind, Operation, SecretString};
use dialect::Header;
use http::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};
use reqwest::Request;
use serde::de::IgnoredAny;
pub(crate) use signature::{Json, Signature};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// How the SDK calls itself to the server.
const SDK_VERSION: &str = concat!("genauth-rust:", env!("CARGO_PKG_VERSION"));

/// What an endpoint that the document does not describe may be called with: whatever the client holds.
const ANY: &[&[Credential]] = &[
    &[Credential::AppId],
    &[Credential::AppId, Credential::UserAccessToken],
    &[Credential::UserAccessToken],
    &[Credential::AccessKeySignature],
    &[Credential::ManagementToken],
    &[],
];

/// The credentials of one client.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) dialect: Dialect,
    pub(crate) language: Language,
    pub(crate) app_id: Option<HeaderValue>,
    pub(crate) app_secret: Option<SecretString>,
    /// `base64(app_id:app_secret)`; as secret as the secret.
    pub(crate) basic: Option<SecretString>,
    pub(crate) client_authentication: ClientAuthentication,
    /// Shared by the clones of a client, so that a login in one task is seen by the others.
    pub(crate) user_access_token: Arc<RwLock<Option<SecretString>>>,
    pub(crate) access_key: Option<(String, SecretString)>,
    pub(crate) access_key_use: AccessKeyUse,
    pub(crate) signature_date: SignatureDate,
    pub(crate) tenant_id: Option<HeaderValue>,
    pub(crate) tenant_header: TenantHeader,
}

/// What one request is told beside the credentials.
pub(crate) struct Occasion<'a> {
    pub(crate) subject: &'a str,
    /// The path of the host, which no signature covers.
    pub(crate) base_path: &'a str,
    /// Dates a signature.
    pub(crate) now: SystemTime,
    /// The user's token as it was when the credentials were chosen.
    pub(crate) user_access_token: Option<&'a SecretString>,
    /// Where a management token was chosen: the one to send.
    pub(crate) management_token: Option<&'a ManagementToken>,
}

impl Credentials {
    fn holds(&self, credential: Credential, user: bool) -> bool {
        let by_secret = |how| self.app_secret.is_some() && self.client_authentication == how;
        let by_access_key = |how| self.access_key.is_some() && self.access_key_use == how;
        match credential {
            Credential::AppId => self.app_id.is_some(),
            Credential::UserAccessToken => user,
            Credential::ClientSecretBasic => by_secret(ClientAuthentication::Basic),
            Credential::ClientSecretPost => by_secret(ClientAuthentication::Post),
            Credential::AccessKeySignature => by_access_key(AccessKeyUse::Signature),
            Credential::ManagementToken => by_access_key(AccessKeyUse::ManagementToken),
        }
    }

    pub(crate) fn user_access_token(&self) -> Option<SecretString> {
        self.user_access_token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_user_access_token(&self, token: Option<SecretString>) -> Result<(), Error> {
        if let Some(token) = &token {
            bearer(token)?;
        }
        *self.user_access_token.write().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    /// The alternative to call with: the one that says most about the caller, the document's order among equals.
    pub(crate) fn choose(
        &self,
        operation: Option<&'static Operation>,
        subject: &str,
        user: bool,
    ) -> Result<&'static [Credential], Error> {
        if operation.is_none() && (self.app_id.is_some() || user) && self.access_key.is_some() {
            let detail = "the client holds an app or a user and an access key, and nothing says which of them this endpoint takes; \
                          call it with a client that holds one";
            return Err(Error::new(ErrorKind::Credentials, subject, detail));
        }
        let alternatives = operation.map_or(ANY, |operation| operation.credentials);
        let held = alternatives.iter().filter(|all| all.iter().all(|credential| self.holds(*credential, user)));
        let most = held.rev().max_by_key(|all| all.len());
        most.copied().ok_or_else(|| {
            let mut ways: Vec<String> = Vec::new();
            for alternative in alternatives {
                let mut setters: Vec<_> = alternative.iter().map(|credential| credential.setter()).collect();
                setters.dedup();
                let way = setters.join(" and ");
                if !ways.contains(&way) {
                    ways.push(way);
                }
            }
            let ways = ways.join(", or ");
            let detail = format!("the client holds no credentials that this operation takes; build it with {ways}");
            Error::new(ErrorKind::Credentials, subject, detail)
        })
    }

    /// Puts the chosen credentials, and what goes with them, on a request.
    pub(crate) fn apply(
        &self,
        chosen: &[Credential],
        request: &mut Request,
        occasion: &Occasion<'_>,
    ) -> Result<(), Error> {
        let headers = request.headers_mut();
        self.put(headers, Header::SdkVersion, HeaderValue::from_static(SDK_VERSION));
        self.put(headers, Header::Language, HeaderValue::from_static(self.language.as_str()));
        for credential in chosen {
            let headers = request.headers_mut();
            match credential {
                Credential::AppId => {
                    self.put(headers, Header::RequestFrom, HeaderValue::from_static("sdk"));
                    self.put_if(headers, Header::AppId, self.app_id.as_ref());
                }
                Credential::UserAccessToken => {
                    if let Some(token) = occasion.user_access_token {
                        headers.insert(AUTHORIZATION, bearer(token)?);
                    }
                }
                Credential::ClientSecretBasic => {
                    if let Some(basic) = &self.basic {
                        let value = format!("Basic {}", basic.expose_secret());
                        headers.insert(AUTHORIZATION, secret_value(&value, "app secret")?);
                    }
                }
                Credential::ClientSecretPost => self.post_secret(request, occasion.subject)?,
                Credential::AccessKeySignature => {
                    self.put_if(headers, self.tenant_header.header(), self.tenant_id.as_ref());
                    self.sign(request, occasion)?;
                }
                Credential::ManagementToken => {
                    self.put_if(headers, self.tenant_header.header(), self.tenant_id.as_ref());
                    if let Some(token) = occasion.management_token {
                        self.put_if(headers, Header::UserpoolId, token.userpool_id());
                        headers.insert(AUTHORIZATION, bearer(token.secret())?);
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds `client_id` and `client_secret` to the body, unless the caller filled in either: they go together.
    fn post_secret(&self, request: &mut Request, subject: &str) -> Result<(), Error> {
        let unfit = || Error::new(ErrorKind::Request, subject, "its body is no JSON object to put the app secret into");
        let id = self.app_id.as_ref().and_then(|id| id.to_str().ok());
        let (Some(id), Some(secret)) = (id, &self.app_secret) else { return Ok(()) };
        let body = request.body().and_then(reqwest::Body::as_bytes).ok_or_else(unfit)?;
        let body = with_app(body, id, secret.expose_secret()).ok_or_else(unfit)?;
        *request.body_mut() = Some(body.into());
        Ok(())
    }

    fn sign(&self, request: &mut Request, occasion: &Occasion<'_>) -> Result<(), Error> {
        let Some((id, secret)) = &self.access_key else { return Ok(()) };
        let unsigned =
            |detail: &str| Error::new(ErrorKind::Request, occasion.subject, format!("cannot be signed: {detail}"));
        let nonce = signature::nonce().map_err(|_| unsigned("this system gives no random numbers"))?;
        let headers = request.headers_mut();
        self.put(headers, Header::SignatureNonce, HeaderValue::from_str(&nonce).map_err(|_| unsigned("bad nonce"))?);
        self.put(headers, Header::SignatureMethod, HeaderValue::from_static("HMAC-SHA1"));
        self.put(headers, Header::SignatureVersion, HeaderValue::from_static("1.0"));
        let date = self.signature_date.of(occasion.now);
        headers.insert(DATE, date.ok_or_else(|| unsigned("the clock is out of range; set it"))?);
        let body = request.body().map(|body| body.as_bytes().ok_or_else(|| unsigned("its body is a stream")));
        let path = request.url().path();
        let signature = Signature {
            method: request.method().as_str(),
            path: path.strip_prefix(occasion.base_path).unwrap_or(path),
            query: request.url().query(),
            headers: request.headers(),
            body: body.transpose()?.unwrap_or_default(),
            prefix: self.dialect.prefix(),
        };
        let signature = signature.compute(secret.expose_secret()).map_err(unsigned)?;
        let value = format!("{} {id}:{signature}", self.dialect.signature_scheme());
        request.headers_mut().insert(AUTHORIZATION, secret_value(&value, "access key")?);
        Ok(())
    }

    fn put_if(&self, headers: &mut HeaderMap, header: Header, value: Option<&HeaderValue>) {
        if let Some(value) = value {
            self.put(headers, header, value.clone());
        }
    }

    fn put(&self, headers: &mut HeaderMap, header: Header, value: HeaderValue) {
        headers.insert(self.dialect.header(header), value);
    }

    /// Shows every lasting secret to `look`, to strike it out of a server's words.
    pub(crate) fn each_secret(&self, mut look: impl FnMut(&str)) {
        for secret in [&self.app_secret, &self.basic].into_iter().flatten() {
            look(secret.expose_secret());
        }
        if let Some((_, secret)) = &self.access_key {
            look(secret.expose_secret());
        }
    }
}

impl Credential {
    /// What to call to give a client this credential.
    fn setter(self) -> &'static str {
        match self {
            Self::AppId => "`.app(..)`",
            Self::UserAccessToken => "`.user_access_token(..)`",
            Self::ClientSecretBasic | Self::ClientSecretPost => "`.app(..)`",
            Self::AccessKeySignature => "`.access_key(..)`",
            Self::ManagementToken => "`.access_key(..)` as `AccessKeyUse::ManagementToken`",
        }
    }
}

/// The JSON object with `client_id` and `client_secret` behind its own fields, which stay as they are to the byte; none
/// if it is no object. One that has either of the two is left alone.
fn with_app(object: &[u8], id: &str, secret: &str) -> Option<Vec<u8>> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_slice(object).ok()?;
    if fields.contains_key("client_id") || fields.contains_key("client_secret") {
        return Some(object.to_vec());
    }
    let open = object.trim_ascii_end().strip_suffix(b"}")?;
    let comma: &[u8] = if fields.is_empty() { b"" } else { b"," };
    let [id, secret] = [id, secret].map(serde_json::to_string);
    let added =
        [b"\"client_id\":", id.ok()?.as_bytes(), b",\"client_secret\":", secret.ok()?.as_bytes(), b"}"].concat();
    Some([open, comma, &added].concat())
}

/// The `authorization` of a token.
fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    // An empty token must not hide behind the word before it.
    header_value(token.expose_secret(), "access token")?;
    secret_value(&format!("Bearer {}", token.expose_secret()), "access token")
}

/// A header value that `Debug` hides.
fn secret_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    let mut value = header_value(value, what)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Twice what common servers take for a header; Node takes no more for all of them.
const LONGEST_HEADER: usize = 16 << 10;

/// A header value, refused with a sentence that does not repeat it.
pub(crate) fn header_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    if value.len() > LONGEST_HEADER {
        let detail = format!("the {what} is longer than 16 KiB, which no server takes as a header; check what it is");
        return Err(Error::configuration(detail));
    }
    let visible = !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let value = if visible { HeaderValue::from_str(value).ok() } else { None };
    value.ok_or_else(|| {
        let detail =
            format!("the {what} is empty or holds a character that no HTTP header can carry; check it for line breaks");
        Error::configuration(detail)
    })
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
