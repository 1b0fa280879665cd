//! The management token: fetched once for an access key, shared, and renewed before it expires.

use super::access_key_signature::AccessKey;
use super::dialect::header;
use super::kind::{Holding, Outgoing, bearer};
use crate::keeper::{FetchedToken, Fetcher, Held, Keeper, Lifetime, Member, Source, Windows, Words, shown};
use crate::retry::FAILURES;
use crate::{Error, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The shortest time between two tokens, whatever the server says of their lives or rejects.
const LEAST_LIFE: Duration = Duration::from_secs(5);

pub(crate) const WORDS: Words = Words {
    subject: "getManagementToken",
    rejected_again: "the server sends the very token that it rejects",
    rejected_always: "the server rejects every new token as well",
};

/// An access key, and the token that the clones of a client share.
pub(crate) struct ManagementTokens {
    pub(crate) key: AccessKey,
    keeper: Arc<Keeper>,
}

impl ManagementTokens {
    /// Makes them with a source that fetches through the client itself, within a call's time limit.
    pub(crate) fn new(
        key: AccessKey,
        source: Box<dyn Source>,
        timeout: Duration,
        now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    ) -> Self {
        let windows = Windows {
            refresh: Duration::from_secs(60),
            pause: Duration::ZERO,
            failures: FAILURES,
            longest_life: Duration::from_secs(10 * 365 * 86_400),
            ..Windows::default()
        };
        let member = Member { fetcher: Fetcher::new(source, now, windows), shared: None };
        let patience = timeout.saturating_mul(2).saturating_add(Duration::from_secs(15));
        Self { keeper: shown(Keeper::new(key.id.clone(), member, patience)), key }
    }

    /// The token, and whether it was fetched since this was called.
    pub(crate) async fn get(&self) -> Result<(Held, bool), Error> {
        let before = self.keeper.held();
        let token = self.keeper.get().await?;
        let is_new = !token.is(&before);
        Ok((token, is_new))
    }

    /// Another token than the one that the server has rejected, if there is one. `None` if a token was fetched for that
    /// reason a moment ago, since then the token is not at fault, or if none can be fetched: other calls may still do
    /// with the rejected one.
    pub(crate) async fn other_than(&self, rejected: &Held) -> Option<Held> {
        let next = self.keeper.newer_than(rejected, LEAST_LIFE).await.ok()?;
        (!next.is(rejected)).then_some(next)
    }
}

/// Makes a token from an answer: it expires in `expires_in` seconds.
pub(crate) fn fetched(secret: SecretString, expires_in: i64, key_id: &str) -> FetchedToken {
    let lifetime = Duration::from_secs(u64::try_from(expires_in).unwrap_or_default()).max(LEAST_LIFE);
    // The access key of a user pool is the pool's id and secret; for another key without the claim there is no better
    // guess.
    let userpool_id = userpool_id(secret.expose_secret()).or_else(|| HeaderValue::from_str(key_id).ok());
    FetchedToken { secret, made: userpool_id.map(|id| Arc::new(id) as _), lifetime: Lifetime::For(lifetime) }
}

/// The access key that fetches tokens, if the client has one. The clones of a client share it.
#[derive(Clone, Default)]
pub(crate) struct ManagementAccess(pub(crate) Option<Arc<ManagementTokens>>);

impl ManagementAccess {
    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        let setter = "`.access_key(..)` as `AccessKeyUse::ManagementToken`";
        Holding { setter, is_held: self.0.is_some(), secret: self.0.as_ref().map(|tokens| &tokens.key.secret) }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.put_tenant();
        outgoing.put(header!("userpool-id"), outgoing.management_token.and_then(Held::made::<HeaderValue>).cloned());
        outgoing.management_token.map_or(Ok(()), |token| outgoing.authorize(bearer(token.secret())))
    }
}

/// The claim `scoped_userpool_id` of a token that is a JWT. The server has verified the token; here it is only read.
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
        // This was recorded from the official Python SDK's traffic.
        let token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzY29wZWRfdXNlcnBvb2xfaWQiOiJwb29sXzYwZTAwMDAwMDAwMDAwMDAwMDAwMDBhYiIsImV4cCI6MTg5MzQ1NjAwMH0.";
        assert_eq!(userpool_id(token).unwrap(), "pool_60e0000000000000000000ab");
        for token in ["", "opaque", "a.b.c", "a..c", "a.e30.c"] {
            assert_eq!(userpool_id(token), None, "{token}");
        }
    }
}
