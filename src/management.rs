//! The token of the management side: fetched once for an access key, shared, renewed before it expires.

use crate::api::Client;
use crate::{Error, ErrorKind, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// A management token, ready to be sent.
pub(crate) struct ManagementToken {
    secret: SecretString,
    userpool_id: Option<HeaderValue>,
    renew_at: SystemTime,
}

impl ManagementToken {
    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(crate) fn userpool_id(&self) -> Option<&HeaderValue> {
        self.userpool_id.as_ref()
    }
}

/// The token that the clones of a client share.
#[derive(Default)]
pub(crate) struct ManagementTokens {
    /// Whoever holds this fetches; the others wait for what comes of it.
    held: Mutex<Held>,
    attempts: AtomicU64,
}

#[derive(Default)]
struct Held {
    token: Option<Arc<ManagementToken>>,
    failure: Option<Error>,
}

impl ManagementTokens {
    /// The token, fetched if there is none that lives long enough. Callers who wait while another fetches get what that
    /// one got, an error as well.
    pub(crate) async fn get(&self, client: &Client) -> Result<Arc<ManagementToken>, Error> {
        let before = self.attempts.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| (client.inner.now)() < token.renew_at) {
            return Ok(Arc::clone(token));
        }
        if let Some(failure) = held.failure.as_ref().filter(|_| self.attempts.load(Ordering::Acquire) != before) {
            return Err(failure.clone());
        }
        let fetched = fetch(client).await.map(Arc::new);
        self.attempts.fetch_add(1, Ordering::Release);
        held.token = fetched.as_ref().ok().cloned();
        held.failure = fetched.as_ref().err().cloned();
        fetched
    }

    /// Forgets a token that the server rejected, unless somebody has renewed it meanwhile.
    pub(crate) async fn forget(&self, rejected: &Arc<ManagementToken>) {
        let mut held = self.held.lock().await;
        if held.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, rejected)) {
            held.token = None;
        }
    }
}

async fn fetch(client: &Client) -> Result<ManagementToken, Error> {
    let Some((id, secret)) = &client.inner.credentials.access_key else {
        return Err(Error::new(ErrorKind::Credentials, "getManagementToken", "the client holds no access key"));
    };
    let asked_at = (client.inner.now)();
    let body =
        crate::types::GetManagementAccessTokenDto { access_key_id: id.clone(), access_key_secret: secret.clone() };
    // This call is itself one of those that may need a token; boxed, the future knows its size.
    let answer = Box::pin(client.get_management_token().body(body).send()).await?;
    if answer.access_token.expose_secret().trim().is_empty() {
        let detail = "the server said success (statusCode 200) but sent an empty token; ask its operators";
        return Err(Error::new(ErrorKind::NoData, "getManagementToken", detail));
    }
    let lifetime = Duration::from_secs(u64::try_from(answer.expires_in).unwrap_or_default());
    // Early enough for a slow request, late enough for a short life.
    let margin = (lifetime / 10).min(Duration::from_secs(60));
    Ok(ManagementToken {
        userpool_id: userpool_id(answer.access_token.expose_secret()),
        secret: answer.access_token.clone(),
        renew_at: asked_at.checked_add(lifetime - margin).unwrap_or(asked_at),
    })
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
    HeaderValue::from_str(&claims.scoped_userpool_id).ok()
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
