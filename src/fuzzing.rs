//! The internals that fuzz targets call. They are not part of the API and change without notice.

use crate::client::Settings;
use crate::client::host::Host;
use crate::credentials::Signature;
use crate::exchange::{self, Arrival, Call, Secrets};
use crate::{Client, Error, Operation, Response, SecretString, retry};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Request;
use serde::de::DeserializeOwned;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

/// Opens an answer to a call whose request held `secret`.
pub fn answer<T: DeserializeOwned>(
    http_status: StatusCode,
    body: &[u8],
    secret: &SecretString,
) -> Result<Response<T>, Error> {
    static SETTINGS: LazyLock<Result<Settings, Error>> =
        LazyLock::new(|| Client::builder("http://127.0.0.1").build().map(|client| client.settings));
    let settings = SETTINGS.as_ref().map_err(Error::clone)?;
    let request = Request::new(Method::POST, settings.host.url("/"));
    let operation = Operation::by_id("getWechatMpAccessTokenInfo");
    let secrets = Secrets { settings, request: &request, operation, is_form: false, tokens: [Some(secret), None] };
    let call = Call::new(settings, operation, &Method::POST);
    let arrival = Arrival { status: http_status, headers: HeaderMap::new(), body: body.to_vec().into() };
    let (payload, head) = exchange::open(&call, &secrets, &arrival)?;
    Ok(Response { payload, head, http_status, headers: arrival.headers })
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

/// A host in the form in which the client writes it.
pub fn host(host: &str) -> Result<String, Error> {
    Host::parse(host, false).map(|host| host.as_str().to_owned())
}

/// The pause that a `Retry-After` asks for.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    retry::retry_after(headers, now)
}
