//! What became of a token that a call to WeChat was made with.

/// How a call to WeChat went; see [`AppTokens::with_token`](super::AppTokens::with_token).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse<T> {
    /// WeChat took the token; this is what it answered.
    Accepted(T),
    /// WeChat says that the token is no longer good; this is what it answered.
    Rejected(T),
}

impl<T> TokenUse<T> {
    /// Tells by the `errcode` of WeChat's answer: 40001, 40014 and 42001 are those of a token that is no longer good.
    pub fn by_errcode(errcode: i64, answer: T) -> Self {
        match errcode {
            40001 | 40014 | 42001 => Self::Rejected(answer),
            _ => Self::Accepted(answer),
        }
    }
}
