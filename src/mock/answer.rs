//! The answers that a test sets.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderValue, TRANSFER_ENCODING};
use http_body_util::Full;
use serde_json::{Value, json};

use super::refusal::Refusal;

/// An answer for [`MockGenAuth::answer_next`](super::MockGenAuth::answer_next), for one operation or path
/// ([`MockTarget`](super::MockTarget)), or of a [route](super::MockGenAuth::route).
#[derive(Clone)]
#[must_use = "an answer does nothing until it is given to a `MockGenAuth`"]
pub struct MockAnswer {
    pub(super) fate: Fate,
    delay: Duration,
    headers: Vec<(String, String)>,
    times: usize,
}

/// What happens to the request.
#[derive(Clone)]
pub(super) enum Fate {
    Reply(Reply),
    Refuse(Refusal),
    Proceed,
    HangUp,
}

/// An answer before it gets its headers.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    content_type: String,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json; charset=utf-8".to_owned(), body: body.to_string().into() }
    }
}

impl MockAnswer {
    /// Makes an answer of HTTP 200 with this JSON as the whole body.
    pub fn envelope(envelope: Value) -> Self {
        Self::new(Fate::Reply(Reply::json(200, &envelope)))
    }

    /// Makes a refusal by the API: HTTP 200 with this `statusCode` and `message`, a request id, and an `apiCode` unless
    /// that is `None`.
    ///
    /// ```
    /// use genauth::mock::MockAnswer;
    ///
    /// let unknown_app = MockAnswer::error(499, 2011, "application not found");
    /// let wechat_refuses = MockAnswer::error(602, None, "invalid appid");
    /// ```
    pub fn error(status_code: u16, api_code: impl Into<Option<u32>>, message: impl Into<String>) -> Self {
        let refusal = Refusal::new(status_code, message);
        Self::new(Fate::Refuse(match api_code.into() {
            Some(code) => refusal.api_code(code),
            None => refusal,
        }))
    }

    /// Makes any HTTP answer: a status from 200 to 999, a `content-type` (none is sent if it is empty) and a body.
    pub fn http(status: u16, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Fate::Reply(Reply { status, content_type: content_type.into(), body: body.into() }))
    }

    /// Makes an answer that is the one that the mock would have given anyway, for use with [`delay`](Self::delay),
    /// [`header`](Self::header) or [`times`](Self::times).
    pub fn proceed() -> Self {
        Self::new(Fate::Proceed)
    }

    /// Makes a success without data: `statusCode` 200 and `data: {}`, as in the published examples.
    pub fn empty_data() -> Self {
        Self::envelope(success(json!({})))
    }

    /// Makes the mock close the connection without an answer once it has read the request.
    pub fn hang_up() -> Self {
        Self::new(Fate::HangUp)
    }

    /// Adds a header to the answer. `date` and `content-type` replace the mock's own; `content-length` and
    /// `transfer-encoding` are ignored, because the mock sets them.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Delays the answer by this time of Tokio's clock.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Gives the answer to this many requests; the default is one.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn new(fate: Fate) -> Self {
        Self { fate, delay: Duration::ZERO, headers: Vec::new(), times: 1 }
    }

    /// Waits as long as the answer is delayed.
    pub(super) async fn wait(&self) {
        // A sleep of zero would be rounded up to a tick of Tokio's clock.
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// Returns the answer of a route with the headers of this one, which was to proceed.
    pub(super) fn over(mut self, mut routed: Self) -> Self {
        routed.headers.append(&mut self.headers);
        routed
    }

    /// Puts a reply on the wire with this answer's headers. A status or header that HTTP does not allow becomes an HTTP
    /// 500 that says so, rather than a panic in the server.
    pub(super) fn dress(&self, reply: Reply, date: &str) -> Response<Full<Bytes>> {
        let mut builder = Response::builder().status(reply.status);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let defaults = [(DATE, date), (CONTENT_TYPE, reply.content_type.as_str())];
        for (name, value) in defaults {
            let given = self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name.as_str()));
            if !given && !value.is_empty() {
                builder = builder.header(name, value);
            }
        }
        let mut response = builder.body(Full::new(reply.body)).unwrap_or_else(|error| {
            let mut refused = Response::new(Full::from(format!("the mock cannot send this answer: {error}")));
            *refused.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            refused.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            refused
        });
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().remove(TRANSFER_ENCODING);
        response
    }
}

/// Returns the envelope of a success.
pub(super) fn success(data: Value) -> Value {
    json!({ "statusCode": 200, "message": "Success", "data": data })
}

/// Shows the kind of answer; its body and header values may hold secrets.
impl fmt::Debug for MockAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match &self.fate {
            Fate::Reply(reply) => format!("http {}", reply.status),
            Fate::Refuse(refusal) => format!("{refusal:?}"),
            Fate::Proceed => "proceed".to_owned(),
            Fate::HangUp => "hang up".to_owned(),
        };
        f.debug_struct("MockAnswer")
            .field("outcome", &outcome)
            .field("delay", &self.delay)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// The queued answers, in order.
#[derive(Default)]
pub(super) struct Queue(VecDeque<MockAnswer>);

impl Queue {
    pub(super) fn push(&mut self, answer: MockAnswer) {
        if answer.times > 0 {
            self.0.push_back(answer);
        }
    }

    /// Takes the answer for one request, if one is queued.
    pub(super) fn next(&mut self) -> Option<MockAnswer> {
        match self.0.front_mut() {
            Some(answer) if answer.times > 1 => {
                answer.times -= 1;
                Some(answer.clone())
            }
            _ => self.0.pop_front(),
        }
    }
}
