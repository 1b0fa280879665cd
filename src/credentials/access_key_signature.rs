//! The access key, and the signatures that it makes for requests.

use super::dialect::header;
use super::kind::{Holding, Outgoing, header_value, secret_value};
use super::signature::{Signature, nonce};
use crate::{Error, ErrorKind, SecretString};
use http::HeaderValue;
use http::header::DATE;
use std::time::{Duration, SystemTime};

/// What an access key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AccessKeyUse {
    /// It signs each request.
    #[default]
    Signature,
    /// It fetches a management token, which the client keeps, shares among its clones, and renews before it expires or
    /// when the server rejects it, though not twice within five seconds.
    ///
    /// While the server gives no token, calls get the error of the last try: for a second, for half a minute if it was
    /// a refusal, or for as long as the server's `Retry-After` asks, up to a minute. Then the next call tries again.
    ManagementToken,
}

#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

impl AccessKey {
    pub(crate) fn new((id, secret): (String, SecretString)) -> Result<Self, Error> {
        header_value(&id, "access key id")?;
        if secret.expose_secret().is_empty() {
            return Err(Error::configuration("the access key's secret is empty; set it"));
        }
        Ok(Self { id, secret })
    }
}

/// How a signed request states its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignatureDate {
    /// As an HTTP date, such as `Sat, 21 Nov 2026 08:46:58 GMT`.
    #[default]
    HttpDate,
    /// As Unix time in milliseconds, which some servers ask for (apiCode 1303).
    UnixMilliseconds,
}

impl SignatureDate {
    /// The value of the `date` header; `None` for a time before 1970 or after 9999, which cannot be written.
    pub(super) fn of(self, now: SystemTime) -> Option<HeaderValue> {
        const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
        let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).ok().filter(|since| *since < YEAR_10000)?;
        match self {
            Self::HttpDate => HeaderValue::from_str(&httpdate::fmt_http_date(now)).ok(),
            Self::UnixMilliseconds => HeaderValue::from_str(&since_1970.as_millis().to_string()).ok(),
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct AccessKeySignature {
    pub(crate) key: Option<AccessKey>,
    pub(crate) date: SignatureDate,
}

impl AccessKeySignature {
    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        Holding {
            setter: "`.access_key(..)`",
            is_held: self.key.is_some(),
            secret: self.key.as_ref().map(|key| &key.secret),
        }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        let Some(AccessKey { id, secret }) = &self.key else { return Ok(()) };
        let subject = outgoing.subject;
        let unsigned = |detail: &str| Error::new(ErrorKind::Request, subject, format!("cannot be signed: {detail}"));
        outgoing.put_tenant();
        let nonce = nonce().ok().and_then(|nonce| HeaderValue::try_from(nonce).ok());
        let nonce = nonce.ok_or_else(|| unsigned("the system has no random numbers"))?;
        outgoing.put(header!("signature-nonce"), nonce);
        outgoing.put(header!("signature-method"), HeaderValue::from_static("HMAC-SHA1"));
        outgoing.put(header!("signature-version"), HeaderValue::from_static("1.0"));
        let date = self.date.of(outgoing.now).ok_or_else(|| unsigned("the clock is out of range; set it"))?;
        let request = &mut *outgoing.request;
        request.headers_mut().insert(DATE, date);
        let body = request.body().map(|body| body.as_bytes().ok_or_else(|| unsigned("its body is a stream")));
        let path = request.url().path();
        let signature = Signature {
            method: request.method().as_str(),
            path: path.strip_prefix(outgoing.base_path).unwrap_or(path),
            query: request.url().query(),
            headers: request.headers(),
            body: body.transpose()?.unwrap_or_default(),
            prefix: outgoing.dialect.prefix(),
        };
        let signature = signature.compute(secret.expose_secret()).map_err(unsigned)?;
        let value = format!("{} {id}:{signature}", outgoing.dialect.signature_scheme());
        outgoing.authorize(secret_value(&value, "access key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_told_in_either_form_and_a_clock_out_of_range_is_no_panic() {
        let epoch = SystemTime::UNIX_EPOCH;
        let moment = epoch + Duration::from_millis(1_798_761_600_123);
        assert_eq!(SignatureDate::HttpDate.of(moment).unwrap(), "Fri, 01 Jan 2027 00:00:00 GMT");
        assert_eq!(SignatureDate::UnixMilliseconds.of(moment).unwrap(), "1798761600123");
        for date in [SignatureDate::HttpDate, SignatureDate::UnixMilliseconds] {
            assert!(date.of(epoch).is_some());
            assert_eq!(date.of(epoch - Duration::from_secs(1)), None);
            assert_eq!(date.of(epoch + Duration::from_secs(253_402_300_800)), None);
        }
    }
}
