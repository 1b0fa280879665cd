//! Calls to endpoints that the document does not describe.

use super::attempts::Attempts;
use super::path::{check, without_query};
use super::{Call, carry};
use crate::api::Client;
use crate::{Credential, Error, ErrorKind, Operation, Response, query};
use http::Method;
use reqwest::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

impl Client {
    /// Calls an endpoint that the document does not describe, with the same limits, envelope and errors as a described
    /// operation.
    ///
    /// `request` becomes the query of a GET or a DELETE, and the JSON body otherwise. A query's lists and nested values
    /// are written as the official SDKs do (`ids[]=1&ids[]=2`, `options[depth]=1`), and null is left out. `&()` means
    /// neither query nor body. `path` starts with a slash; values in it must go through
    /// [`encode_path_segment`](crate::encode_path_segment). No error and no log shows the path: it may hold a secret,
    /// such as an invitation's code.
    ///
    /// `Resp` is the type that `data` is read into: your own type, a `serde_json::Value`, or `serde::de::IgnoredAny` if
    /// it does not matter.
    ///
    /// All credentials of the client that go together are sent, except for the app secret. To choose others, call
    /// [`credentials`](UndescribedCall::credentials).
    ///
    /// A failure that may pass is tried again if HTTP defines the method as idempotent, as it does GET, PUT and DELETE,
    /// or if you say that the call is [`idempotent`](UndescribedCall::idempotent). If the document does describe method
    /// and path, what it says about that counts instead. [`CallOptions::retries`](crate::CallOptions::retries) sets how
    /// often, or with 0 that nothing is tried again.
    ///
    /// # Errors
    ///
    /// Those of a described operation's `send`, and [`ErrorKind::Request`] for a path or a request that cannot be
    /// written, [`ErrorKind::Credentials`] if you have to choose the credentials, and [`ErrorKind::Response`] if `data`
    /// does not fit `Resp`.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use genauth::mock::{MockAnswer, MockGenAuth};
    /// # let server = MockGenAuth::start().await?;
    /// # let answer = |data| MockAnswer::envelope(serde_json::json!({ "statusCode": 200, "message": "", "data": data }));
    /// # server.route(genauth::Method::GET, "/api/v3/get-public-account-batch", move |_| answer(serde_json::json!([{ "userId": "1" }])));
    /// # server.route(genauth::Method::PUT, "/api/v3/ip-list/{id}", move |_| answer(serde_json::json!(null)));
    /// # let (id, secret) = (MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    /// # let client = server.client_builder().access_key(id, secret).build()?;
    /// use genauth::{Credential, Method, encode_path_segment};
    /// use serde_json::json;
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "camelCase")]
    /// struct Account {
    ///     user_id: String,
    /// }
    ///
    /// let ids = json!({ "userIds": ["1", "2"] });
    /// let accounts = client
    ///     .call::<_, Vec<Account>>(Method::GET, "/api/v3/get-public-account-batch", &ids)
    ///     .credentials(&[Credential::AccessKeySignature])
    ///     .await?;
    /// assert_eq!(accounts[0].user_id, "1");
    ///
    /// let path = format!("/api/v3/ip-list/{}", encode_path_segment("10.0.0.0/8")?);
    /// let limit = json!({ "removeType": "MANUAL" });
    /// client.call::<_, ()>(Method::PUT, &path, &limit).credentials(&[Credential::AppId]).await?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub fn call<Req, Resp>(&self, method: Method, path: &str, request: &Req) -> UndescribedCall<'_, Resp>
    where
        Req: Serialize + ?Sized,
        Resp: DeserializeOwned,
    {
        let content = if in_query(&method) {
            query::pairs(request).map(Content::Query)
        } else {
            let body = serde_json::to_vec(request).map(Content::Body);
            body.map_err(|_| "the request cannot be written as JSON; check its fields")
        };
        UndescribedCall { drafted: draft(self, method, path, content), payload: PhantomData }
    }
}

/// A call by [`Client::call`], which is sent once this is awaited.
#[must_use = "nothing is sent before it is awaited"]
pub struct UndescribedCall<'a, Resp> {
    drafted: Result<(Call<'a>, Request), Error>,
    payload: PhantomData<fn() -> Resp>,
}

impl<'a, Resp> UndescribedCall<'a, Resp> {
    /// Says that sending this twice does no more than sending it once, so that a failure that may pass is tried again,
    /// as [`ClientBuilder::retries`](crate::ClientBuilder::retries) says. Without it, a POST or a PATCH is sent once.
    ///
    /// If the document describes method and path, [`Operation::idempotent`] counts instead.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use genauth::{Method, mock::{MockAnswer, MockGenAuth}};
    /// # use serde_json::{Value, json};
    /// # let server = MockGenAuth::start().await?;
    /// # server.route(Method::POST, "/api/v3/list-public-accounts", |_| {
    /// #     MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": { "totalCount": 0, "list": [] } }))
    /// # });
    /// # server.answer_next(MockAnswer::http(503, "text/html", "busy"));
    /// # let client = server.client_builder().build()?;
    /// let nobody = json!({ "keywords": "nobody" });
    /// let found = client.call::<_, Value>(Method::POST, "/api/v3/list-public-accounts", &nobody).idempotent().await?;
    /// assert_eq!(found["totalCount"], 0);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub fn idempotent(self) -> Self {
        self.with(|call| call.idempotent = call.operation.is_none_or(|operation| operation.idempotent))
    }

    /// Sends these credentials and no others: for a client that holds more than one kind, and for an endpoint that
    /// takes the app secret, which is only sent for [`Credential::ClientSecretBasic`] or
    /// [`Credential::ClientSecretPost`]. `&[]` sends none.
    ///
    /// A credential that the client does not hold, or two that would both be the `authorization`, cause an error of
    /// [`ErrorKind::Credentials`].
    pub fn credentials(self, credentials: &'a [Credential]) -> Self {
        self.with(|call| call.credentials = Some(credentials))
    }

    /// The same call, with the document's type of payload rather than the caller's.
    pub(crate) fn documented(self) -> Self {
        self.with(|call| call.own_payload = false)
    }

    fn with(mut self, change: impl FnOnce(&mut Call<'a>)) -> Self {
        if let Ok((call, _)) = &mut self.drafted {
            change(call);
        }
        self
    }
}

impl<Resp: DeserializeOwned> UndescribedCall<'_, Resp> {
    /// Sends the call without boxing the future, as awaiting it would.
    pub(crate) async fn send(self) -> Result<Response<Resp>, Error> {
        let (call, request) = self.drafted?;
        carry(Attempts::begin(call.begun_now(), request)).await
    }
}

impl<'a, Resp: DeserializeOwned + 'a> IntoFuture for UndescribedCall<'a, Resp> {
    type Output = Result<Response<Resp>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Shows neither path nor request.
impl<Resp> fmt::Debug for UndescribedCall<'_, Resp> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.drafted.as_ref().map(|(call, _)| (&*call.subject, call.idempotent, call.credentials));
        f.debug_tuple("UndescribedCall").field(&call).finish()
    }
}

/// Whether a request by this method has its fields in the query, and no body.
fn in_query(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::DELETE)
}

enum Content {
    Query(Vec<(String, String)>),
    Body(Vec<u8>),
}

/// The part of [`Client::call`] that is compiled once rather than for each type.
fn draft<'a>(
    client: &'a Client,
    method: Method,
    path: &str,
    content: Result<Content, &'static str>,
) -> Result<(Call<'a>, Request), Error> {
    check(path).map_err(|advice| Error::new(ErrorKind::Request, "call", advice))?;
    let settings = &client.settings;
    let operation = Operation::by_path(&method, without_query(path));
    let mut call = Call::new(settings, operation, &method);
    call.own_payload = true;
    if operation.is_none() {
        call.idempotent = method.is_idempotent();
    }
    let builder = settings.http.request(method, format!("{}{path}", settings.host.as_str()));
    let builder = match content.map_err(|advice| call.error(ErrorKind::Request, advice))? {
        Content::Query(pairs) => builder.query(&pairs),
        Content::Body(body) if body == b"null" => builder,
        Content::Body(body) => builder.body(body),
    };
    let request = builder.build().map_err(|error| call.unwritten(error))?;
    Ok((call, request))
}
