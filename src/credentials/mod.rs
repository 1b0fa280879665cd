//! What a client proves itself with, and how each of it becomes headers.

mod dialect;
mod signature;

pub use dialect::{Dialect, Language};

use crate::{Credential, Error, ErrorKind, Operation, SecretString};
use dialect::Header;
use http::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};
use reqwest::Request;
pub(crate) use signature::Signature;
use std::time::SystemTime;

/// How the SDK calls itself to the server.
const SDK_VERSION: &str = concat!("genauth-rust:", env!("CARGO_PKG_VERSION"));

/// What an endpoint that the document does not describe may be called with: whatever the client holds.
const ANY: &[&[Credential]] = &[
    &[Credential::AppId],
    &[Credential::AppId, Credential::UserAccessToken],
    &[Credential::UserAccessToken],
    &[Credential::AccessKeySignature],
    &[],
];

/// The credentials of one client.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) dialect: Dialect,
    pub(crate) language: Language,
    pub(crate) app_id: Option<HeaderValue>,
    pub(crate) app_secret: Option<SecretString>,
    pub(crate) user_access_token: Option<SecretString>,
    pub(crate) access_key: Option<(String, SecretString)>,
}

impl Credentials {
    fn holds(&self, credential: Credential) -> bool {
        match credential {
            Credential::AppId => self.app_id.is_some(),
            Credential::UserAccessToken => self.user_access_token.is_some(),
            Credential::AccessKeySignature => self.access_key.is_some(),
        }
    }

    /// The alternative to call with: the one that says most about the caller, the document's order among equals.
    pub(crate) fn choose(
        &self,
        operation: Option<&'static Operation>,
        subject: &str,
    ) -> Result<&'static [Credential], Error> {
        if operation.is_none() && self.app_id.is_some() && self.access_key.is_some() {
            let detail = "the client holds an app and an access key, and nothing says which of them this endpoint takes; \
                          call it with a client that holds one";
            return Err(Error::new(ErrorKind::Credentials, subject, detail));
        }
        let alternatives = operation.map_or(ANY, |operation| operation.credentials);
        let held = alternatives.iter().filter(|all| all.iter().all(|credential| self.holds(*credential)));
        let most = held.rev().max_by_key(|all| all.len());
        most.copied().ok_or_else(|| {
            let ways = alternatives.iter().map(|all| all.iter().map(|c| c.setter()).collect::<Vec<_>>().join(" and "));
            let ways = ways.collect::<Vec<_>>().join(", or ");
            let detail = format!("the client holds no credentials that this operation takes; build it with {ways}");
            Error::new(ErrorKind::Credentials, subject, detail)
        })
    }

    /// Puts the chosen credentials, and what goes with them, on a request. `now` dates a signature.
    pub(crate) fn apply(
        &self,
        chosen: &[Credential],
        request: &mut Request,
        base_path: &str,
        now: SystemTime,
        subject: &str,
    ) -> Result<(), Error> {
        let headers = request.headers_mut();
        self.put(headers, Header::SdkVersion, HeaderValue::from_static(SDK_VERSION));
        self.put(headers, Header::Language, HeaderValue::from_static(self.language.as_str()));
        for credential in chosen {
            match credential {
                Credential::AppId => {
                    let headers = request.headers_mut();
                    self.put(headers, Header::RequestFrom, HeaderValue::from_static("sdk"));
                    if let Some(app_id) = &self.app_id {
                        self.put(headers, Header::AppId, app_id.clone());
                    }
                }
                Credential::UserAccessToken => {
                    if let Some(token) = &self.user_access_token {
                        let value = format!("Bearer {}", token.expose_secret());
                        request.headers_mut().insert(AUTHORIZATION, secret_value(&value, "user access token")?);
                    }
                }
                Credential::AccessKeySignature => {
                    if let Some((id, secret)) = &self.access_key {
                        self.sign(request, id, secret, base_path, now, subject)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn sign(
        &self,
        request: &mut Request,
        id: &str,
        secret: &SecretString,
        base_path: &str,
        now: SystemTime,
        subject: &str,
    ) -> Result<(), Error> {
        let unsigned = |detail: &str| Error::new(ErrorKind::Request, subject, format!("cannot be signed: {detail}"));
        let nonce = signature::nonce().map_err(|_| unsigned("this system gives no random numbers"))?;
        let headers = request.headers_mut();
        self.put(headers, Header::SignatureNonce, HeaderValue::from_str(&nonce).map_err(|_| unsigned("bad nonce"))?);
        self.put(headers, Header::SignatureMethod, HeaderValue::from_static("HMAC-SHA1"));
        self.put(headers, Header::SignatureVersion, HeaderValue::from_static("1.0"));
        let date = http_date(now).ok_or_else(|| unsigned("the clock is out of range; set it"))?;
        headers.insert(DATE, date);
        let body = request.body().map(|body| body.as_bytes().ok_or_else(|| unsigned("its body is a stream")));
        let signature = Signature {
            method: request.method().as_str(),
            path: request.url().path().strip_prefix(base_path).unwrap_or(request.url().path()),
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

    fn put(&self, headers: &mut HeaderMap, header: Header, value: HeaderValue) {
        headers.insert(self.dialect.header(header), value);
    }

    /// Every secret held, to strike out of a server's words.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let access_key = self.access_key.as_ref().map(|(_, secret)| secret);
        let all = [self.app_secret.as_ref(), self.user_access_token.as_ref(), access_key];
        all.into_iter().flatten().map(SecretString::expose_secret)
    }
}

/// A moment of the years 1970 to 9999, the only ones that an HTTP date can tell.
fn http_date(now: SystemTime) -> Option<HeaderValue> {
    const YEAR_10000: u64 = 253_402_300_800;
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    if since_1970.as_secs() >= YEAR_10000 {
        return None;
    }
    HeaderValue::from_str(&httpdate::fmt_http_date(now)).ok()
}

impl Credential {
    /// What to call to give a client this credential.
    fn setter(self) -> &'static str {
        match self {
            Self::AppId => "`.app(..)`",
            Self::UserAccessToken => "`.user_access_token(..)`",
            Self::AccessKeySignature => "`.access_key(..)`",
        }
    }
}

/// A header value that `Debug` hides.
pub(crate) fn secret_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    let mut value = header_value(value, what)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A header value, refused with a sentence that does not repeat it.
pub(crate) fn header_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
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
    use std::time::Duration;

    #[test]
    fn a_clock_that_no_http_date_can_tell_is_no_panic() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(http_date(epoch).unwrap(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(epoch - Duration::from_secs(1)), None);
        assert_eq!(http_date(epoch + Duration::from_secs(253_402_300_800)), None);
    }
}
