//! The API's answers to requests that it refuses.

use std::fmt;

use serde_json::{Value, json};

/// A failing envelope: HTTP 200 with a `statusCode` other than 200.
#[derive(Clone)]
pub(super) struct Refusal {
    status_code: u16,
    api_code: Option<u32>,
    message: String,
}

impl Refusal {
    /// Makes a refusal. `message` must not repeat anything of the request, which may be a secret.
    pub(super) fn new(status_code: u16, message: impl Into<String>) -> Self {
        Self { status_code, api_code: None, message: message.into() }
    }

    /// Adds the code that says why, in terms of the API's business.
    pub(super) fn api_code(mut self, code: u32) -> Self {
        self.api_code = Some(code);
        self
    }

    pub(super) fn envelope(&self, request_id: &str) -> Value {
        let mut envelope = json!({ "statusCode": self.status_code, "message": self.message, "requestId": request_id });
        if let Some(code) = self.api_code {
            envelope["apiCode"] = code.into();
        }
        envelope
    }
}

/// Shows the codes but not the message, because a message that a test has set may hold anything.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Refusal");
        shown.field("status_code", &self.status_code).field("api_code", &self.api_code).finish_non_exhaustive()
    }
}
