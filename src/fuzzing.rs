//! What fuzz targets reach of the insides. No part of the API: it changes without notice.

use crate::client::host::Host;
use crate::credentials::{Credentials, Signature};
use crate::envelope::{self, Outcome};
use crate::redaction::Secrets;
use crate::{Error, Operation, Response, SecretString, retry};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use std::time::{Duration, SystemTime};

/// What a call whose request held `secret` makes of an answer.
pub fn answer<T: DeserializeOwned>(
    status: StatusCode,
    body: &[u8],
    secret: &SecretString,
) -> Result<Response<T>, Error> {
    let (credentials, headers) = (Credentials::default(), HeaderMap::new());
    let host = Host::parse("https://example.genauth.ai", false)?;
    let request = reqwest::Request::new(http::Method::POST, host.url);
    let operation = Operation::by_id("getWechatMpAccessTokenInfo");
    let secrets = Secrets::of(&credentials, &headers, &request, operation).and([Some(secret), None]);
    let outcome = envelope::judge("fuzz", operation, status, body.to_vec().into(), &secrets);
    let mut response = http::Response::new(body.to_vec());
    *response.status_mut() = status;
    response.extensions_mut().insert::<Outcome>(outcome);
    envelope::open_response("fuzz", response.into())
}

/// The text that an access key signs.
pub fn string_to_sign(
    method: &str,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
    prefix: &'static str,
) -> Result<String, &'static str> {
    Signature { method, path, query, headers, body, prefix }.string_to_sign().map(|text| text.to_string())
}

/// A host as the client writes it.
pub fn host(host: &str) -> Result<String, Error> {
    Host::parse(host, false).map(|host| host.as_str().to_owned())
}

/// What a `Retry-After` asks for.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    retry::retry_after(headers, now)
}
