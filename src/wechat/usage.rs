//! What WeChat made of the token of a call.

use super::explain::{Explanation, explain};

/// How a call to WeChat went; see [`AppTokens::with_token`](super::AppTokens::with_token).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse<T> {
    /// WeChat accepted the token; this is its answer.
    Accepted(T),
    /// WeChat says that the token is no longer good; this is its answer.
    Rejected(T),
}

impl<T> TokenUse<T> {
    /// Tells by the `errcode` of WeChat's answer: the token is rejected if [a newer one
    /// helps](super::Explanation::newer_token_helps), which is so for 40001, 40014 and 42001.
    pub fn by_errcode(errcode: i64, answer: T) -> Self {
        match explain(errcode) {
            Some(Explanation { newer_token_helps: true, .. }) => Self::Rejected(answer),
            _ => Self::Accepted(answer),
        }
    }
}
