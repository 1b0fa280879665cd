//! A server of the described API that runs inside the process, for tests and demonstrations.
//!
//! [`MockGenAuth`] takes its routes, its checks and its answers from the same document as the client; no endpoint is
//! written into its code. It is strict where the real server may be lenient, so that a client that passes here sends
//! what the document says: headers of one dialect, credentials as described (signatures are recomputed), and bodies
//! that fit their schema. It accepts what the published SDKs of other languages send, though, such as a token without
//! `Bearer`, unless [`strict_authorization`](MockGenAuthBuilder::strict_authorization) is set. As on the real server,
//! every refusal by the API is HTTP 200 with a failing `statusCode`; an unknown path is HTTP 404.
//!
//! Operations that hand out WeChat access tokens share one cache, as on the real server: there is one token per WeChat
//! app until it expires or [`rotate`](MockGenAuth::rotate) replaces it. A sign-in by password is answered with an
//! access token that the mock knows from then on (other values of `connection` are refused), an access key is exchanged
//! for a new management token at each request, and an app's id and secret are checked where an operation asks about
//! them. Users, groups, roles and whatever else the document has operations to create and get can be created, updated
//! and deleted, besides the document's examples, which are always there. Lists have pages. Every other operation is
//! answered with the document's example.
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
//! Answers, delays and faults can also be set for one operation or one path, once or for good, so that tests that run
//! at the same time do not take each other's answers; and a route can be added for what the document lacks:
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
//! server.route(Method::GET, "/api/v3/get-public-account", |request| {
//!     let name = if request.path.ends_with("?userId=1") { "zhang" } else { "li" };
//!     MockAnswer::envelope(json!({ "statusCode": 200, "message": "Success", "data": { "username": name } }))
//! });
//!
//! let client = server.client_builder().user_access_token(MockGenAuth::USER_ACCESS_TOKEN).build()?;
//! let refused = client.get_profile().send().await.unwrap_err();
//! assert_eq!(refused.api_code(), Some(2020));
//! client.sign_in_by_password(MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD).await?;
//! let account = client.call::<_, Value>(Method::GET, "/api/v3/get-public-account", &[("userId", "1")]).await?;
//! assert_eq!(account["username"], "zhang");
//! # Ok(()) }
//! ```

mod answer;
mod apps;
mod builder;
mod call;
mod clock;
mod connections;
mod document;
mod gate;
mod json;
mod kind;
mod lock;
mod management;
mod refusal;
mod request;
mod role;
mod rows;
mod schema;
mod scheme;
mod script;
mod server;
mod service;
mod signature;
mod table;
mod users;
mod wechat;

pub use self::answer::MockAnswer;
pub use self::builder::MockGenAuthBuilder;
pub use self::request::RecordedRequest;
pub use self::script::MockTarget;
pub use self::server::MockGenAuth;
pub use self::service::MockExchange;
pub use self::wechat::ExpiresAt;
