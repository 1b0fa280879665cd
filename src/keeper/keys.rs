//! Keepers of a server's public keys.

use super::fetch::{FetchedToken, Fetcher, Lifetime, Source, Words};
use super::fleet::Member;
use super::keeper::Keeper;
use super::keepers::shown;
use super::windows::Windows;
use crate::client::Settings;
use crate::retry::{FAILURES, FailurePauses};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long keys are good if the server cannot be asked.
const GOOD: Duration = Duration::from_secs(24 * 3600);

impl Keeper {
    /// A keeper of keys, which are fetched again after an hour.
    pub(crate) fn of_keys(source: Box<dyn Source>, settings: &Settings) -> Arc<Self> {
        let windows = Windows {
            fresh: Some(Duration::from_secs(3600)),
            pause: Duration::ZERO,
            failures: FailurePauses { first: Duration::from_secs(5), ..FAILURES },
            longest_life: GOOD,
            ..Windows::default()
        };
        // The time runs from now on: setting the system's clock neither ages the keys nor keeps them young.
        let (now, start) = ((settings.now)(), Instant::now());
        let fetcher = Fetcher::new(source, Arc::new(move || now + start.elapsed()), windows);
        let patience = settings.timeout.saturating_mul(2).saturating_add(Duration::from_secs(15));
        let of = settings.host.as_str().to_owned();
        shown(Self::new(of, Member { fetcher, shared: None }, patience))
    }
}

impl FetchedToken {
    /// Keys, told apart by their text, and what that was read as.
    pub(crate) fn keys(text: String, keys: impl Any + Send + Sync) -> Self {
        Self { secret: text.into(), made: Some(Arc::new(keys)), lifetime: Lifetime::For(GOOD) }
    }
}

impl Words {
    /// Keys are never rejected.
    pub(crate) const fn of_keys(subject: &'static str) -> Self {
        Self { subject, rejected_again: "", rejected_always: "" }
    }
}
