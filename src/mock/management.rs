//! Management tokens, for which access keys are exchanged.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::lock::lock;

/// The id of the user pool that the tokens are for.
pub(super) const USERPOOL_ID: &str = "mock-userpool";

/// The tokens handed out so far. All times are times since the Unix epoch. There is deliberately no `Debug`.
pub(super) struct ManagementIssuer {
    lifetime: Duration,
    /// When each token expires, or `None` if it was revoked.
    issued: Mutex<HashMap<String, Option<Duration>>>,
}

impl ManagementIssuer {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self { lifetime, issued: Mutex::default() }
    }

    /// Makes a new token, as the payload of an answer.
    pub(super) fn issue(&self, now: Duration) -> Value {
        let mut issued = lock(&self.issued);
        let expires_at = now.saturating_add(self.lifetime).as_secs();
        let token = jwt(&json!({
            "scoped_userpool_id": USERPOOL_ID,
            "exp": expires_at,
            "jti": issued.len() + 1,
        }));
        issued.insert(token.clone(), Some(Duration::from_secs(expires_at)));
        json!({ "access_token": token, "expires_in": self.lifetime.as_secs() })
    }

    /// Whether the token was handed out, even if it is no longer good.
    pub(super) fn has_issued(&self, token: &str) -> bool {
        lock(&self.issued).contains_key(token)
    }

    pub(super) fn is_alive(&self, token: &str, now: Duration) -> bool {
        lock(&self.issued).get(token).is_some_and(|expiry| expiry.is_some_and(|at| now < at))
    }

    pub(super) fn revoke_all(&self) {
        lock(&self.issued).values_mut().for_each(|expiry| *expiry = None);
    }
}

/// Makes an unsigned JSON Web Token.
fn jwt(claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "JWT" })), encode(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn issue(tokens: &ManagementIssuer, now: Duration) -> String {
        tokens.issue(now)["access_token"].as_str().expect("a token is text").to_owned()
    }

    #[test]
    fn a_token_says_what_it_is() {
        let token = issue(&ManagementIssuer::new(HOUR), HOUR);
        let parts: Vec<Value> = token
            .split('.')
            .filter(|part| !part.is_empty())
            .map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"))
            .map(|part| serde_json::from_slice(&part).expect("JSON"))
            .collect();
        let claims = json!({ "scoped_userpool_id": USERPOOL_ID, "exp": 7200, "jti": 1 });
        assert_eq!(parts, [json!({ "alg": "none", "typ": "JWT" }), claims]);
        assert_eq!(token.matches('.').count(), 2);
        assert!(token.ends_with('.'));
    }

    #[test]
    fn every_token_is_new_and_lives_until_it_expires_or_is_revoked() {
        let tokens = ManagementIssuer::new(HOUR);
        let (first, second) = (issue(&tokens, HOUR), issue(&tokens, HOUR));
        assert_ne!(first, second);
        assert!(tokens.is_alive(&first, HOUR * 2 - Duration::from_secs(1)));
        assert!(!tokens.is_alive(&first, HOUR * 2));
        tokens.revoke_all();
        assert!(!tokens.is_alive(&second, HOUR));
        assert!(tokens.has_issued(&second));
        let third = issue(&tokens, HOUR);
        assert!(tokens.is_alive(&third, HOUR) && third != first && third != second);
    }

    #[test]
    fn strangers_are_not_alive() {
        let tokens = ManagementIssuer::new(Duration::MAX);
        issue(&tokens, HOUR);
        assert!(!tokens.is_alive("", HOUR) && !tokens.has_issued(""));
    }
}
