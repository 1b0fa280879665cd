//! What happens to a request, step by step.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use super::answer::{MockAnswer, Outcome, Reply};
use super::builder::ExpiresAt;
use super::clock::Clock;
use super::credentials::{Call, Credentials};
use super::dialect;
use super::document::{Document, Operation};
use super::refusal::Refusal;
use super::request::{Log, RecordedRequest};
use super::role::Role;
use super::script::Script;
use super::wechat::WechatApps;

/// All that a mock knows and remembers.
pub(super) struct Service {
    pub(super) document: &'static Document,
    pub(super) credentials: Credentials,
    pub(super) wechat: WechatApps,
    pub(super) clock: Clock,
    expires_at: ExpiresAt,
    site: Site,
    pub(super) script: Script,
    pub(super) log: Log,
    refusals: AtomicU64,
}

/// What is told of each request.
pub(super) type Hook = Box<dyn Fn(&MockExchange<'_>) + Send + Sync>;

/// What the mock serves, and where.
pub(super) struct Site {
    pub(super) path_prefix: String,
    /// The ids of operations that are left out.
    pub(super) missing: HashSet<String>,
    /// By their paths.
    pub(super) pages: HashMap<String, MockAnswer>,
    pub(super) hook: Option<Hook>,
}

/// A request and what became of it, for [`MockGenAuthBuilder::on_exchange`](super::MockGenAuthBuilder::on_exchange).
#[non_exhaustive]
pub struct MockExchange<'a> {
    /// The request.
    pub request: &'a RecordedRequest,
    /// The HTTP status of the answer; none if the connection closes without one.
    pub http_status: Option<u16>,
    /// The body of the answer; empty if there is none.
    pub body: &'a [u8],
}

/// Shows neither the request's header values and body nor those of the answer.
impl fmt::Debug for MockExchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("MockExchange");
        shown.field("request", self.request).field("http_status", &self.http_status).finish_non_exhaustive()
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(super) struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hung up")
    }
}

impl std::error::Error for HangUp {}

impl Service {
    pub(super) fn new(
        document: &'static Document,
        credentials: Credentials,
        wechat: WechatApps,
        clock: Clock,
        expires_at: ExpiresAt,
        log: Log,
        site: Site,
    ) -> Self {
        let (script, refusals) = Default::default();
        Self { document, credentials, wechat, clock, expires_at, site, script, log, refusals }
    }

    /// Records the request and answers it; `body` is `None` if it was too long.
    pub(super) async fn answer(&self, parts: &Parts, body: Option<Bytes>) -> Result<Response<Full<Bytes>>, HangUp> {
        if matches!(parts.method, Method::GET | Method::HEAD)
            && let Some(page) = self.site.pages.get(parts.uri.path())
            && let Outcome::Reply(reply) = &page.outcome
        {
            return Ok(page.dress(reply.clone(), &self.clock.http_date()));
        }
        let is_too_long = body.is_none();
        let request = RecordedRequest::new(parts, body.unwrap_or_default());
        self.log.push(&request);
        let (path, operation) = self.find(&request).unzip();
        let (path, operation) = (path.unwrap_or_default(), operation.flatten());
        let mut answer = self.script.answer(path, operation);
        answer.wait().await;
        if matches!(answer.outcome, Outcome::Proceed)
            && !is_too_long
            && let Some(routed) = self.script.route(path, &request)
        {
            routed.wait().await;
            answer = answer.over(routed);
        }
        let reply = match &answer.outcome {
            Outcome::Reply(reply) => reply.clone(),
            Outcome::Refuse(refusal) => self.refuse(refusal),
            Outcome::Proceed if is_too_long => {
                Reply::json(413, &json!({ "statusCode": 413, "message": "request entity too large" }))
            }
            Outcome::Proceed => self.proceed(operation, &request, path),
            Outcome::HangUp => {
                self.tell(MockExchange { request: &request, http_status: None, body: &[] });
                return Err(HangUp);
            }
        };
        self.tell(MockExchange { request: &request, http_status: Some(reply.status), body: &reply.body });
        Ok(answer.dress(reply, &self.clock.http_date()))
    }

    /// What a request asks for: a path below the base path, and the operation that is there. None outside of it.
    fn find<'a>(&self, request: &'a RecordedRequest) -> Option<(&'a str, Option<&'static Operation>)> {
        let path = request.target().0.strip_prefix(&self.site.path_prefix)?;
        let operation = self.document.find(request.asks(), path);
        Some((path, operation.filter(|operation| !self.site.missing.contains(&operation.id))))
    }

    fn tell(&self, exchange: MockExchange<'_>) {
        if let Some(hook) = &self.site.hook {
            hook(&exchange);
        }
    }

    fn proceed(&self, operation: Option<&Operation>, request: &RecordedRequest, path: &str) -> Reply {
        let (target, query) = request.target();
        let Some(operation) = operation else {
            // The framework of the real server answers this, not the API: hence neither HTTP 200 nor a request id.
            let message = format!("Cannot {} {target}", request.method);
            return Reply::json(404, &json!({ "statusCode": 404, "message": message }));
        };
        match self.call(operation, request, path, query) {
            Ok(envelope) => Reply::json(200, &envelope),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        let number = self.refusals.fetch_add(1, Ordering::Relaxed);
        Reply::json(200, &refusal.envelope(&format!("00000000-0000-4000-8000-{number:012x}")))
    }

    fn call(
        &self,
        operation: &Operation,
        request: &RecordedRequest,
        path: &str,
        query: &str,
    ) -> Result<Value, Refusal> {
        let call = Call { request, path, query, dialect: dialect::of(request)?, now: self.clock.now() };
        self.credentials.check(operation, &call)?;
        operation.parameters.iter().try_for_each(|parameter| parameter.check(query))?;
        let body = match &operation.body {
            Some(body) => body.check(self.document, &request.body)?,
            None => Value::Null,
        };
        match operation.role {
            Role::WechatToken => self.wechat_token(&call, &body),
            Role::ManagementToken => self.management_token(&call, &body),
            Role::SignIn => self.sign_in(operation, &body),
            Role::AppCheck => Ok(self.app_check(&body)),
            Role::Example => Ok(operation.example.clone()),
        }
    }

    fn wechat_token(&self, call: &Call<'_>, body: &Value) -> Result<Value, Refusal> {
        let token = self.wechat.token(text(body, "appId"), text(body, "appSecret"), call.now)?;
        let expires_at = match self.expires_at {
            ExpiresAt::Number => json!(token.expires_at),
            ExpiresAt::String => json!(token.expires_at.to_string()),
        };
        Ok(success(&json!({ "accessToken": token.text, "expiresAt": expires_at })))
    }

    fn management_token(&self, call: &Call<'_>, body: &Value) -> Result<Value, Refusal> {
        if !self.credentials.signatures.belong_together(text(body, "accessKeyId"), text(body, "accessKeySecret")) {
            return Err(Refusal::new(401, "wrong access key"));
        }
        Ok(success(&self.credentials.management.issue(call.now)))
    }

    fn sign_in(&self, operation: &Operation, body: &Value) -> Result<Value, Refusal> {
        if body.get("connection").is_some_and(|connection| connection != "PASSWORD") {
            return Err(Refusal::new(400, "this mock can check passwords alone: sign in with the connection PASSWORD"));
        }
        let token = self.credentials.users.sign_in(&body["passwordPayload"])?;
        let mut envelope = operation.example.clone();
        if let Some(data) = envelope.pointer_mut("/data").and_then(Value::as_object_mut) {
            data.insert("access_token".to_owned(), token.into());
        }
        Ok(envelope)
    }

    fn app_check(&self, body: &Value) -> Value {
        let valid = self.credentials.apps.belong_together(text(body, "appId"), text(body, "appSecret"));
        let message = if valid { "the app id and secret belong together" } else { "wrong app id or app secret" };
        success(&json!({ "valid": valid, "message": message }))
    }
}

/// A field of a body, empty if it is no text.
fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

fn success(data: &Value) -> Value {
    json!({ "statusCode": 200, "message": "Success", "data": data })
}
