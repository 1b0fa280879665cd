//! A management token: whose it is, and how long it lives.

use crate::{Error, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use std::time::{Duration, SystemTime};

/// What errors about a fetch are about.
pub(crate) const SUBJECT: &str = "getManagementToken";

/// The least between two tokens, whatever the server says of their lives or rejects.
pub(super) const LEAST_LIFE: Duration = Duration::from_secs(5);

/// A management token, ready to be sent.
pub(crate) struct ManagementToken {
    pub(crate) secret: SecretString,
    pub(super) userpool_id: Option<HeaderValue>,
    pub(super) renew_at: SystemTime,
    pub(super) expires_at: SystemTime,
    /// Which fetch it came of, counted from 1.
    pub(crate) fetch: u64,
}

impl ManagementToken {
    /// What the server answered to an access key: a token, and in how many seconds it expires.
    pub(super) fn new(
        (secret, expires_in): (SecretString, i64),
        key_id: &str,
        fetch: u64,
        asked_at: SystemTime,
        now: SystemTime,
    ) -> Result<Self, Error> {
        const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
        if secret.expose_secret().trim().is_empty() {
            return Err(Error::empty_token(SUBJECT));
        }
        let lifetime = Duration::from_secs(u64::try_from(expires_in).unwrap_or_default()).min(LONGEST);
        // Early enough for a slow request, late enough for a short life.
        let margin = (lifetime / 10).min(Duration::from_secs(60));
        let least = now.checked_add(LEAST_LIFE).unwrap_or(asked_at);
        let after = |duration: Duration| asked_at.checked_add(duration).unwrap_or(asked_at).max(least);
        Ok(Self {
            // A user pool's own key is its id and secret; for another key without the claim there is no better guess.
            userpool_id: userpool_id(secret.expose_secret()).or_else(|| HeaderValue::from_str(key_id).ok()),
            secret,
            renew_at: after(lifetime - margin),
            expires_at: after(lifetime),
            fetch,
        })
    }
}

/// The claim `scoped_userpool_id` of the JWT that the token is. The server has checked it; here it is but read.
fn userpool_id(token: &str) -> Option<HeaderValue> {
    #[derive(serde::Deserialize)]
    struct Claims {
        scoped_userpool_id: String,
    }
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    HeaderValue::from_str(&claims.scoped_userpool_id).ok().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_pool_is_read_from_the_claim_and_a_token_without_one_is_none() {
        // Recorded from the official Python SDK's traffic.
        let token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzY29wZWRfdXNlcnBvb2xfaWQiOiJwb29sXzYwZTAwMDAwMDAwMDAwMDAwMDAwMDBhYiIsImV4cCI6MTg5MzQ1NjAwMH0.";
        assert_eq!(userpool_id(token).unwrap(), "pool_60e0000000000000000000ab");
        for token in ["", "opaque", "a.b.c", "a..c", "a.e30.c"] {
            assert_eq!(userpool_id(token), None, "{token}");
        }
    }
}
