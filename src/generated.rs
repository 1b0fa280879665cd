//! What generated code calls, both this crate's own and that of extensions. It is not part of the API.
//!
//! The build of another crate generates an extension. The contract between the two is this module, the macros of
//! `extension.rs` and the version in [`__extension`](crate::__extension).

pub use crate::exchange::json;
#[cfg(feature = "invoke")]
pub use crate::exchange::{Input, Invoking, unknown};
pub use crate::operation::Fellows;
pub use crate::pages::{PagePlace, Paging};
pub use crate::secret::Exposed;
#[cfg(feature = "schemars")]
pub use schemars;
pub use {http, progenitor_client, reqwest, serde, serde_json};

use crate::client::Settings;
use crate::{Error, Operation, Pages, Response};
use reqwest::{Request, Url};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Reads the integers of answers.
pub mod integer {
    pub use crate::integer::{deserialize, deserialize_option};
}

/// Reads a field that may be null as well as left out.
pub fn nullable<'de, D: serde::Deserializer<'de>, T: serde::Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    <Option<T> as serde::Deserialize>::deserialize(deserializer).map(Some)
}

/// Writes a parameter that is more than a text as pairs of the query.
pub fn query<T: Serialize>(name: &str, value: &T) -> Result<Vec<(String, String)>, String> {
    crate::query::pairs(&[(name, value)]).map_err(str::to_owned)
}

/// The HTTP client that sends a client's requests.
pub fn http_client(settings: &Settings) -> &reqwest::Client {
    &settings.http
}

/// The URL of a path on the client's host.
pub fn url(settings: &Settings, path: &str) -> Url {
    settings.host.url(path)
}

/// The URL of the crate's own operation at this index of the table. Its path must have no parameter.
pub(crate) fn url_of(settings: &Settings, operation: usize) -> Url {
    settings.host.url_of(operation)
}

/// Sends the request that was built.
pub fn send<T: DeserializeOwned>(
    settings: &Settings,
    operation: &'static Operation,
    request: Result<Request, progenitor_client::Error<()>>,
) -> impl Future<Output = Result<Response<T>, Error>> {
    crate::exchange::send(settings, operation, request)
}

/// Returns the pages of a list, which are fetched with the request that was built.
pub fn pages<P: Paging>(
    settings: &Settings,
    operation: &'static Operation,
    request: Result<Request, progenitor_client::Error<()>>,
    place: PagePlace,
) -> Pages<P> {
    Pages::new(settings, operation, request, place)
}

/// The response of an operation whose envelopes have no `data`.
pub fn without_payload(response: Response<IgnoredAny>) -> Response<()> {
    response.without_payload()
}

/// The response with its payload as JSON.
#[cfg(feature = "invoke")]
pub fn into_json<T: Serialize>(response: Response<T>) -> Result<Response<serde_json::Value>, Error> {
    response.into_json()
}
