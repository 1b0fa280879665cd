//! The server's keys, kept.

use super::server::Oidc;
use crate::Error;
use arc_swap::ArcSwap;
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

/// The keys of one server. One request is under way at a time, and nobody waits for it who has no need to: anybody can name
/// a key that is not there.
pub(super) struct Keys {
    oidc: Oidc,
    kept: ArcSwap<KeptKeys>,
    asking: Mutex<()>,
}

#[derive(Clone, Default)]
struct KeptKeys {
    set: Option<(Instant, Arc<[Jwk]>)>,
    asked: Option<Instant>,
    failure: Option<Error>,
}

impl KeptKeys {
    /// Those that are not older than that.
    fn younger(&self, than: Duration) -> Option<&Arc<[Jwk]>> {
        self.set.as_ref().filter(|(since, _)| since.elapsed() < than).map(|(_, keys)| keys)
    }
}

impl Keys {
    pub(super) fn new(oidc: Oidc) -> Self {
        Self { oidc, kept: ArcSwap::default(), asking: Mutex::default() }
    }

    /// The keys, among which `is_there` looks for one; asks the server for them once more where it is not.
    pub(super) async fn with(&self, is_there: impl Fn(&[Jwk]) -> bool) -> Result<Arc<[Jwk]>, Error> {
        let kept = self.kept.load_full();
        let there = |within| kept.younger(within).filter(|keys| is_there(keys)).cloned();
        if let Some(keys) = there(FRESH) {
            return Ok(keys);
        }
        let _asking = match (self.asking.try_lock(), there(STALE)) {
            (Ok(asking), _) => asking,
            (Err(_), Some(keys)) => return Ok(keys),
            (Err(_), None) => self.asking.lock().await,
        };
        // As whoever asked last has left it.
        let mut kept = KeptKeys::clone(&self.kept.load());
        let pause = if kept.failure.is_some() { PAUSE_AFTER_FAILURE } else { PAUSE };
        let has_it = kept.younger(FRESH).is_some_and(|keys| is_there(keys));
        if !has_it && kept.asked.is_none_or(|asked| asked.elapsed() >= pause) {
            kept.asked = Some(Instant::now());
            if kept.set.is_some() {
                // Whoever gives up waiting has asked all the same; but without any keys the next one has to ask.
                self.kept.store(Arc::new(kept.clone()));
            }
            let answer = self.ask().await;
            kept.failure = answer.as_ref().err().cloned();
            kept.set = answer.ok().map(|keys| (Instant::now(), keys)).or(kept.set);
            self.kept.store(Arc::new(kept.clone()));
        }
        match (kept.younger(STALE), kept.failure.clone()) {
            // What is there does; what is not, the server could not be asked for.
            (Some(keys), None) => Ok(Arc::clone(keys)),
            (Some(keys), Some(_)) if is_there(keys) => Ok(Arc::clone(keys)),
            (_, Some(failure)) => Err(failure),
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
