//! The server's keys, kept.

use super::server::Oidc;
use crate::Error;
use jsonwebtoken::jwk::Jwk;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the keys are kept before they are looked at again.
const FRESH: Duration = Duration::from_secs(3600);
/// How long they do where the server cannot be asked.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Between two requests for a key that is not there: anybody can name one.
const PAUSE: Duration = Duration::from_secs(30);
/// Between two requests after one that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The keys of one server. One request is under way at a time, however many wait for it.
pub(super) struct Keys {
    oidc: Oidc,
    kept: Mutex<KeptKeys>,
}

#[derive(Default)]
struct KeptKeys {
    set: Option<(Instant, Arc<[Jwk]>)>,
    asked: Option<Instant>,
    failure: Option<Error>,
}

impl Keys {
    pub(super) fn new(oidc: Oidc) -> Self {
        Self { oidc, kept: Mutex::default() }
    }

    /// The keys, among which `is_there` looks for one; asks the server for them once more where it is not.
    pub(super) async fn with(&self, is_there: impl Fn(&[Jwk]) -> bool) -> Result<Arc<[Jwk]>, Error> {
        let mut kept = self.kept.lock().await;
        let known = kept.set.clone();
        if let Some((since, keys)) = &known
            && since.elapsed() < FRESH
            && is_there(keys)
        {
            return Ok(Arc::clone(keys));
        }
        let pause = if kept.failure.is_some() { PAUSE_AFTER_FAILURE } else { PAUSE };
        let usable = known.filter(|(since, _)| since.elapsed() < STALE).map(|(_, keys)| keys);
        if kept.asked.is_none_or(|asked| asked.elapsed() >= pause) {
            kept.asked = Some(Instant::now());
            match self.ask().await {
                Ok(keys) => {
                    kept.set = Some((Instant::now(), Arc::clone(&keys)));
                    kept.failure = None;
                    return Ok(keys);
                }
                Err(error) => kept.failure = Some(error),
            }
        }
        match (usable, &kept.failure) {
            // What is there does; what is not, the server could not be asked for.
            (Some(keys), None) => Ok(keys),
            (Some(keys), Some(_)) if is_there(&keys) => Ok(keys),
            (_, Some(failure)) => Err(failure.clone()),
            (None, None) => Ok(Arc::default()),
        }
    }

    async fn ask(&self) -> Result<Arc<[Jwk]>, Error> {
        let mut set = self.oidc.keys().await?;
        let keys = set.remove("keys").and_then(|keys| match keys {
            serde_json::Value::Array(keys) => Some(keys),
            _ => None,
        });
        let keys = keys.ok_or_else(|| {
            let detail = "the server's answer has no `keys`; check that the host is right";
            Error::new(crate::ErrorKind::Response, "oidc.keys", detail)
        })?;
        // One that is of no kind known here is no reason not to use the others.
        Ok(keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }
}
