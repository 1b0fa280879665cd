//! The steps by which a request is answered.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use super::answer::{Fate, MockAnswer, Reply, success};
use super::call::IncomingCall;
use super::clock::MockClock;
use super::document::{DescribedOperation, Document};
use super::gate::Gate;
use super::json::text;
use super::refusal::Refusal;
use super::request::{Log, RecordedRequest};
use super::role::Role;
use super::rows::{RowQuery, Rows};
use super::script::Script;
use super::wechat::WechatApps;

/// Everything that a mock knows and remembers.
pub(super) struct Service {
    pub(super) document: Arc<Document>,
    pub(super) gate: Gate,
    pub(super) wechat: WechatApps,
    pub(super) rows: Rows,
    pub(super) clock: MockClock,
    pub(super) site: Site,
    pub(super) script: Script,
    pub(super) log: Log,
    /// How many requests were refused so far.
    pub(super) refusals: AtomicU64,
}

/// The hook that is told of each request.
pub(super) type OnExchange = Box<dyn Fn(&MockExchange<'_>) + Send + Sync>;

/// What the mock serves, and where.
#[derive(Default)]
pub(super) struct Site {
    pub(super) path_prefix: String,
    /// The ids of operations that are left out.
    pub(super) missing: HashSet<String>,
    /// The pages that are not part of the API, by their paths.
    pub(super) pages: HashMap<String, MockAnswer>,
    pub(super) on_exchange: Option<OnExchange>,
}

/// A request and its answer, for [`MockGenAuthBuilder::on_exchange`](super::MockGenAuthBuilder::on_exchange).
#[non_exhaustive]
pub struct MockExchange<'a> {
    /// The request.
    pub request: &'a RecordedRequest,
    /// The HTTP status of the answer; `None` if the connection closes without one.
    pub http_status: Option<u16>,
    /// The body of the answer; empty if there is none.
    pub body: &'a [u8],
}

/// Does not show the header values and bodies of the request and the answer.
impl fmt::Debug for MockExchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("MockExchange");
        shown.field("request", self.request).field("http_status", &self.http_status).finish_non_exhaustive()
    }
}

impl Service {
    /// Records the request and answers it; returns `None` if the connection is to be closed without an answer. `body`
    /// is `None` if it was too long.
    pub(super) async fn answer(&self, parts: &Parts, body: Option<Bytes>) -> Option<Response<Full<Bytes>>> {
        if matches!(parts.method, Method::GET | Method::HEAD)
            && let Some(page) = self.site.pages.get(parts.uri.path())
            && let Fate::Reply(reply) = &page.fate
        {
            return Some(page.dress(reply.clone(), &self.clock.http_date()));
        }
        let is_too_long = body.is_none();
        let request = RecordedRequest::new(parts, body.unwrap_or_default());
        self.log.push(&request);
        let (path, operation) = self.find(&request).unzip();
        let (path, operation) = (path.unwrap_or_default(), operation.flatten());
        let mut answer = self.script.answer(path, operation);
        answer.wait().await;
        if matches!(answer.fate, Fate::Proceed)
            && !is_too_long
            && let Some(routed) = self.script.route(path, &request)
        {
            routed.wait().await;
            answer = answer.over(routed);
        }
        let reply = match &answer.fate {
            Fate::Reply(reply) => reply.clone(),
            Fate::Refuse(refusal) => self.refuse(refusal),
            Fate::Proceed if is_too_long => {
                Reply::json(413, &json!({ "statusCode": 413, "message": "request entity too large" }))
            }
            Fate::Proceed => self.proceed(operation, &request, path),
            Fate::HangUp => {
                self.tell(MockExchange { request: &request, http_status: None, body: &[] });
                return None;
            }
        };
        self.tell(MockExchange { request: &request, http_status: Some(reply.status), body: &reply.body });
        Some(answer.dress(reply, &self.clock.http_date()))
    }

    /// Returns what a request asks for: its path below the base path, and the operation there. Returns `None` outside
    /// the base path.
    fn find<'a>(&'a self, request: &'a RecordedRequest) -> Option<(&'a str, Option<&'a DescribedOperation>)> {
        let path = request.target().0.strip_prefix(&self.site.path_prefix)?;
        let operation = self.document.find(request.asks(), path);
        Some((path, operation.filter(|operation| !self.site.missing.contains(&operation.id))))
    }

    fn tell(&self, exchange: MockExchange<'_>) {
        if let Some(told) = &self.site.on_exchange {
            told(&exchange);
        }
    }

    fn proceed(&self, operation: Option<&DescribedOperation>, request: &RecordedRequest, path: &str) -> Reply {
        let Some(operation) = operation else {
            // On the real server the framework answers this and not the API, hence there is neither HTTP 200 nor a
            // request id.
            let message = format!("Cannot {} {}", request.method, request.target().0);
            return Reply::json(404, &json!({ "statusCode": 404, "message": message }));
        };
        match self.call(operation, request, path) {
            Ok(envelope) => Reply::json(200, &envelope),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        let number = self.refusals.fetch_add(1, Ordering::Relaxed);
        Reply::json(200, &refusal.envelope(&format!("00000000-0000-4000-8000-{number:012x}")))
    }

    fn call(&self, operation: &DescribedOperation, request: &RecordedRequest, path: &str) -> Result<Value, Refusal> {
        let call = IncomingCall::new(request, path, self.clock.now())?;
        self.gate.check(operation, &call)?;
        operation.parameters.iter().try_for_each(|parameter| parameter.check(call.query))?;
        let body = match &operation.body {
            Some(body) => body.check(&self.document, &request.body)?,
            None => Value::Null,
        };
        let field = |name: &str| text(&body, name);
        match operation.role {
            Role::WechatToken => self.wechat.answer(field("appId"), field("appSecret"), call.now).map(success),
            Role::ManagementToken => {
                if !self.gate.signatures.belong_together(field("accessKeyId"), field("accessKeySecret")) {
                    return Err(Refusal::new(401, "wrong access key"));
                }
                Ok(success(self.gate.management.issue(call.now)))
            }
            Role::SignIn => self.sign_in(operation, &body),
            Role::AppCheck => {
                let valid = self.gate.apps.belong_together(field("appId"), field("appSecret"));
                let message =
                    if valid { "the app id and secret belong together" } else { "wrong app id or app secret" };
                Ok(success(json!({ "valid": valid, "message": message })))
            }
            Role::Example => {
                let asked = RowQuery { query: call.query, body: &body };
                self.rows.answer(&self.document, operation, &asked).unwrap_or_else(|| Ok(operation.example.clone()))
            }
        }
    }

    fn sign_in(&self, operation: &DescribedOperation, body: &Value) -> Result<Value, Refusal> {
        if body.get("connection").is_some_and(|connection| connection != "PASSWORD") {
            return Err(Refusal::new(400, "this mock can check passwords alone: sign in with the connection PASSWORD"));
        }
        let token = self.gate.users.sign_in(&body["passwordPayload"])?;
        let mut envelope = operation.example.clone();
        if let Some(data) = envelope.pointer_mut("/data").and_then(Value::as_object_mut) {
            data.insert("access_token".to_owned(), token.into());
        }
        Ok(envelope)
    }
}
