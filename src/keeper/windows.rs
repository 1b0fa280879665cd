//! When a token is due.

use crate::retry::{FAILURES, FailurePauses, share};
use std::time::Duration;

/// The settings of a keeper.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    pub(crate) refresh: Duration,
    /// The age at which a token is due, if that does not depend on its end.
    pub(crate) fresh: Option<Duration>,
    pub(crate) mandatory: Duration,
    /// The shortest time between two requests.
    pub(crate) pause: Duration,
    pub(crate) failures: FailurePauses,
    /// How long a caller waits at most.
    pub(crate) longest_wait: Duration,
    /// No token is believed to live longer than this.
    pub(crate) longest_life: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(300),
            fresh: None,
            mandatory: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            failures: FAILURES,
            longest_wait: Duration::MAX,
            longest_life: Duration::from_secs(7200),
        }
    }
}

impl Windows {
    /// How long before its end a token is due. The setting is reduced at random by up to two fifths, so that the
    /// processes of a fleet do not all ask at once, but never so far that callers would have to wait.
    pub(crate) fn refresh_of(&self, lifetime: Duration, random: f64) -> Duration {
        share(self.refresh.min(lifetime / 10), 1.0 - 0.4 * random)
    }

    /// How long before a token's end callers start to wait for the next one.
    pub(crate) fn mandatory_of(&self, lifetime: Duration) -> Duration {
        self.mandatory.min(lifetime / 20)
    }
}
