//! Calling what the document does not describe.

use super::attempts::Attempts;
use super::{Call, carry};
use crate::api::Client;
use crate::operation::climbs;
use crate::{Error, ErrorKind, Operation, Response, query};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

impl Client {
    /// Calls an endpoint that the document does not describe, with the same credentials, limits, envelope and errors.
    /// Only the app secret is not among them: nothing says that such an endpoint takes it.
    ///
    /// `request` becomes the query of a GET and the JSON body otherwise; `&()` is no body. `path` starts with a slash,
    /// and no error and no log shows it: it may hold an invitation's code.
    /// For an endpoint whose `data` does not matter, let `Resp` be `serde::de::IgnoredAny`.
    ///
    /// # Errors
    ///
    /// As a described operation's `send`.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = genauth::mock::MockGenAuth::start().await?;
    /// # let client = server.client_builder().build()?;
    /// # let request = serde_json::json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() });
    /// let answer: genauth::Response<serde_json::Value> =
    ///     client.call(http::Method::POST, "/api/v3/get-wechat-access-token-info", &request).await?;
    /// assert!(answer["expiresAt"].is_number());
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub async fn call<Req, Resp>(&self, method: Method, path: &str, request: &Req) -> Result<Response<Resp>, Error>
    where
        Req: Serialize + ?Sized,
        Resp: DeserializeOwned,
    {
        check(path).map_err(|advice| Error::new(ErrorKind::Request, "call", advice))?;
        let operation = Operation::by_path(&method, without_query(path));
        let call = Call::new(&self.settings, operation, &method);
        let url = format!("{}{path}", self.settings.host.as_str());
        let is_get = method == Method::GET;
        let builder = self.settings.http.request(method, url);
        let builder = if is_get {
            builder.query(&query::pairs(request).map_err(|advice| call.error(ErrorKind::Request, advice))?)
        } else {
            match serde_json::to_vec(request) {
                Ok(body) if body == b"null" => builder,
                Ok(body) => builder.body(body),
                Err(_) => {
                    let detail = "the request cannot be written as JSON; check its fields";
                    return Err(call.error(ErrorKind::Request, detail));
                }
            }
        };
        let request = builder.build().map_err(|error| call.unwritten(error))?;
        carry(Attempts::begin(call, request)).await
    }
}

/// What is wrong with a path, if anything is.
fn check(path: &str) -> Result<(), &'static str> {
    let wrong = [
        (!path.starts_with('/'), "a path starts with `/`; the host is the client's"),
        (path.contains(char::is_control), "a path has no line breaks; encode what is in it"),
        (path.contains('#'), "a path has no fragment; write `#` as `%23`"),
        // Which a URL's parser takes for a slash.
        (without_query(path).contains('\\'), "a path has no backslash; write `\\` as `%5C`"),
        (climbs(without_query(path)), "a path goes down only; leave out `.` and `..`"),
    ];
    wrong.into_iter().find(|(is_wrong, _)| *is_wrong).map_or(Ok(()), |(_, advice)| Err(advice))
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}
