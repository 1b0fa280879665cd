//! Keeps the server's keys.

use super::server::Oidc;
use crate::keeper::{FetchedToken, Fetching, Held, Keeper, Source, Words};
use crate::{Error, ErrorKind};
use jsonwebtoken::jwk::Jwk;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The shortest time between two requests for a key that is not there, because anybody can make up the name of one.
const PAUSE: Duration = Duration::from_secs(30);

/// The keys of one server. A caller only waits for another request if its key is not there.
pub(super) struct Keys(Arc<Keeper>);

impl Keys {
    pub(super) fn new(oidc: Oidc) -> Self {
        let settings = oidc.client.settings.clone();
        Self(Keeper::of_keys(Box::new(oidc), &settings))
    }

    /// Returns the keys, among which `is_there` looks for one; asks the server for them once more if that is not there.
    pub(super) async fn with(&self, is_there: impl Fn(&[Jwk]) -> bool) -> Result<Held, Error> {
        let held = self.0.get().await?;
        if is_there(keys(&held)) || self.0.stats().age.is_some_and(|age| age < PAUSE) {
            return Ok(held);
        }
        self.0.newer_than(&held, PAUSE).await
    }
}

pub(super) fn keys(held: &Held) -> &[Jwk] {
    held.made::<Vec<Jwk>>().map(Vec::as_slice).unwrap_or_default()
}

impl Source for Oidc {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            let mut set = self.keys().await?;
            let Some(Value::Array(keys)) = set.remove("keys") else {
                let detail = "the server's answer has no `keys`; check that the host is right";
                return Err(Error::new(ErrorKind::Response, self.words().subject, detail));
            };
            let text = Value::from(keys.clone()).to_string();
            // A key of an unknown kind must not keep the others from being used.
            let keys: Vec<Jwk> = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
            Ok(FetchedToken::keys(text, keys))
        })
    }

    fn words(&self) -> Words {
        Words::of_keys("oidc.keys")
    }
}
