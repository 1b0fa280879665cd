//! What became of a token that a call to WeChat was made with.

use super::explain::{Explanation, explain};

/// How a call to WeChat went; see [`AppTokens::with_token`](super::AppTokens::with_token).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse<T> {
    /// WeChat took the token; this is what it answered.
    Accepted(T),
    /// WeChat says that the token is no longer good; this is what it answered.
    Rejected(T),
}

impl<T> TokenUse<T> {
    /// Tells by the `errcode` of WeChat's answer: rejected are those against which [a newer token
    /// helps](super::Explanation::newer_token_helps), which are 40001, 40014 and 42001.
    pub fn by_errcode(errcode: i64, answer: T) -> Self {
        match explain(errcode) {
            Some(Explanation { newer_token_helps: true, .. }) => Self::Rejected(answer),
            _ => Self::Accepted(answer),
        }
    }
}
