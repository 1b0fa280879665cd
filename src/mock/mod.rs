//! A server of the described API inside the process, for tests and demonstrations.
//!
//! [`MockGenAuth`] builds its routes, its checks and its answers from the same document as the client: there is no
//! endpoint in its code. It is strict where the real server may be lenient, so that a client which passes here sends
//! what the document says: headers of one dialect, credentials as described (signatures are recomputed), bodies that
//! fit their schema. It takes what the published SDKs of other languages send, though: a token without `Bearer`, say,
//! unless [`strict_authorization`](MockGenAuthBuilder::strict_authorization) is set. As on the real server every
//! refusal by the API is HTTP 200 with a failing `statusCode`; an unknown path is HTTP 404.
//!
//! Operations that hand out WeChat access tokens share one cache, as behind the real server: one token per WeChat app
//! until it expires or [`rotate`](MockGenAuth::rotate) replaces it. Signing in by password answers an access token
//! that the mock knows from then on (with another `connection` it is refused), an access key is exchanged for a new
//! management token at each request, and an application's id and secret are checked where an operation asks about them.
//! Everything else answers the document's example.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use genauth::mock::{MockAnswer, MockGenAuth};
//! use genauth::types::GetWechatAccessTokenDto;
//!
//! let server = MockGenAuth::start().await?;
//! // By default the client would try again, and you would see nothing of the first answer.
//! let client = server.client_builder().retries(0).build()?;
//! let app = GetWechatAccessTokenDto::builder()
//!     .app_id(server.wechat_app_id())
//!     .app_secret(server.wechat_app_secret());
//!
//! server.answer_next(MockAnswer::http(503, "text/html", "<h1>busy</h1>"));
//! let busy = client.get_wechat_mp_access_token_info().body(app.clone()).send().await.unwrap_err();
//! assert!(busy.is_retryable());
//!
//! let token = client.get_wechat_mp_access_token_info().body(app).send().await?;
//! assert!(server.token_is_alive(token.access_token.expose_secret()));
//! assert_eq!(server.requests().len(), 2);
//! # Ok(()) }
//! ```
//!
//! Answers, delays and faults can also be set for one operation or one path, once or for good, so that tests which run
//! at the same time do not take each other's; and what the document lacks can have a route:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use genauth::mock::{MockAnswer, MockGenAuth};
//! use http::Method;
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! let server = MockGenAuth::start().await?;
//! let profile = server.on("getProfile")?;
//! profile.answer_next(MockAnswer::hang_up());
//! profile.answer_always(MockAnswer::error(401, 2020, "not logged in"));
//! server.on_path("/api/v3/signin").answer_always(MockAnswer::proceed().delay(Duration::from_millis(1)));
//! server.route(Method::GET, "/api/v3/get-user", |request| {
//!     let name = if request.path.ends_with("?userId=1") { "zhang" } else { "li" };
//!     MockAnswer::envelope(json!({ "statusCode": 200, "message": "Success", "data": { "username": name } }))
//! });
//!
//! let client = server.client_builder().user_access_token(MockGenAuth::USER_ACCESS_TOKEN).build()?;
//! let refused = client.get_profile().send().await.unwrap_err();
//! assert_eq!(refused.api_code(), Some(2020));
//! client.sign_in_by_password(MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD).await?;
//! let user = client.call::<_, Value>(Method::GET, "/api/v3/get-user", &[("userId", "1")]).await?;
//! assert_eq!(user["username"], "zhang");
//! # Ok(()) }
//! ```

mod answer;
mod apps;
mod builder;
mod clock;
mod connections;
mod credentials;
mod dialect;
mod document;
mod management;
mod refusal;
mod request;
mod role;
mod schema;
mod scheme;
mod script;
mod service;
mod signature;
mod users;
mod wechat;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use tokio::task::JoinHandle;

pub use self::answer::MockAnswer;
pub use self::builder::{ExpiresAt, MockGenAuthBuilder};
pub use self::request::RecordedRequest;
pub use self::script::MockTarget;
use self::script::Target;
pub use self::service::MockExchange;
use self::service::Service;

/// A running server of the described API on a port of 127.0.0.1. Dropping it stops it: the listener and every
/// connection close as soon as the runtime gets to run.
///
/// It runs on the Tokio runtime that [`start`](Self::start) was called on, a current-thread one is enough.
pub struct MockGenAuth {
    url: String,
    service: Arc<Service>,
    server: JoinHandle<Infallible>,
}

impl MockGenAuth {
    /// The id of the GenAuth application that every mock knows.
    pub const APP_ID: &'static str = "mock-genauth-app";
    /// The secret of [`APP_ID`](Self::APP_ID).
    pub const APP_SECRET: &'static str = "mock-genauth-app-secret";
    /// The id of the access key that every mock knows.
    pub const ACCESS_KEY_ID: &'static str = "mock-access-key";
    /// The secret of [`ACCESS_KEY_ID`](Self::ACCESS_KEY_ID).
    pub const ACCESS_KEY_SECRET: &'static str = "mock-access-key-secret";
    /// The id of the user pool that management tokens are for.
    pub const USERPOOL_ID: &'static str = "mock-userpool";
    /// The account of a user whom every mock knows.
    pub const USER_ACCOUNT: &'static str = "mock-user";
    /// The password of [`USER_ACCOUNT`](Self::USER_ACCOUNT).
    pub const USER_PASSWORD: &'static str = "mock-user-password";
    /// The access token of that user, which every mock knows even before the user signs in.
    pub const USER_ACCESS_TOKEN: &'static str = "mock-user-access-token";

    /// Starts a mock with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// See [`MockGenAuthBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A mock to be configured and then started.
    pub fn builder() -> MockGenAuthBuilder {
        MockGenAuthBuilder::new()
    }

    /// Where the mock listens, `http://127.0.0.1:PORT`: no trailing slash, and without
    /// [`path_prefix`](MockGenAuthBuilder::path_prefix).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A builder for a client of this mock, with its application.
    pub fn client_builder(&self) -> crate::ClientBuilder {
        crate::Client::builder(self.url.as_str()).app(Self::APP_ID, Self::APP_SECRET)
    }

    /// Queues an answer for the next request, whatever it asks for, behind those that are queued already. The request
    /// is recorded; none of its headers, credentials and fields are checked, unless the answer is
    /// [`MockAnswer::proceed`]. Where requests run at the same time, [`on`](Self::on) says whose the answer is.
    pub fn answer_next(&self, answer: MockAnswer) {
        self.service.script.push(answer);
    }

    /// The requests for the operation with this `operationId`, to say what they are answered.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the document has no such operation, which no request could ever be for.
    pub fn on(&self, operation_id: &str) -> io::Result<MockTarget<'_>> {
        if !self.service.document.has(operation_id) {
            let message = format!("there is no operation `{operation_id}`; `genauth::operations()` lists them");
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Ok(MockTarget { script: &self.service.script, target: Target::Operation(operation_id.to_owned()) })
    }

    /// The requests for this path, whatever their method, to say what they are answered; with or without an operation
    /// there. The path is the one below [`path_prefix`](MockGenAuthBuilder::path_prefix), and without a query; a
    /// `{variable}` in it stands for any one segment.
    pub fn on_path(&self, path: impl Into<String>) -> MockTarget<'_> {
        MockTarget { script: &self.service.script, target: Target::Path(path.into()) }
    }

    /// Answers the requests of this method (HEAD as well, if it is GET) and path by `answer`: an endpoint that the
    /// document lacks, or one that is to do something else. The path is as in [`on_path`](Self::on_path). Nothing of
    /// the request is checked; with [`MockAnswer::proceed`] it gets what it would have got without the route. A later
    /// route of the same method and path replaces the earlier one.
    pub fn route(
        &self,
        method: Method,
        path: impl Into<String>,
        answer: impl Fn(&RecordedRequest) -> MockAnswer + Send + Sync + 'static,
    ) {
        self.service.script.add_route(method, path.into(), Arc::new(answer));
    }

    /// The requests so far, oldest first; the last 10,000, and of those the last 16 MiB, if there were more. None of a
    /// mock that [records nothing](MockGenAuthBuilder::record_nothing).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.log.copy()
    }

    /// As [`requests`](Self::requests), and forgets them.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.service.log.take()
    }

    /// AppId of the WeChat app in the document's example request, which every mock knows. Empty if the document has
    /// no such example.
    pub fn wechat_app_id(&self) -> &str {
        self.service.document.wechat_example().map_or("", |(id, _)| id)
    }

    /// AppSecret that belongs to [`wechat_app_id`](Self::wechat_app_id).
    pub fn wechat_app_secret(&self) -> &str {
        self.service.document.wechat_example().map_or("", |(_, secret)| secret)
    }

    /// Replaces the WeChat access token of `app_id`, as if another system had refreshed it: the next request gets the
    /// new one, and the old one dies 300 seconds from now. False if the mock does not know the WeChat app.
    pub fn rotate(&self, app_id: &str) -> bool {
        self.service.wechat.rotate(app_id, self.service.clock.now())
    }

    /// Makes the management tokens that were handed out so far invalid; those to come are good.
    pub fn revoke_management_tokens(&self) {
        self.service.credentials.management.revoke_all();
    }

    /// Whether WeChat would still accept `token`: this mock handed it out, it has not expired, and it is either the
    /// current one of its app or was replaced less than 300 seconds ago.
    pub fn token_is_alive(&self, token: &str) -> bool {
        self.service.wechat.is_alive(token, self.service.clock.now())
    }
}

impl Drop for MockGenAuth {
    fn drop(&mut self) {
        // The task owns the listener and all connections, so they go with it.
        self.server.abort();
    }
}

/// Shows the address only: what a mock knows and has recorded is as secret as what was sent to it.
impl fmt::Debug for MockGenAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockGenAuth").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A test that panicked while it held a lock must not make the mock of the other tests panic as well.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
