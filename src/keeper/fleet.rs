//! The protocol by which the processes of a fleet share a token.
//!
//! Whoever needs a newer token claims it: from its place in the store comes a record that the caller does not know yet, or
//! the lock, or word that somebody else has it. So who gets the lock has seen the record. Its holder alone asks the server,
//! and the others wait for what it publishes. The lock is a short lease, which its holder renews: one that dies delays the
//! others until it ends, and no longer. A record is replaced by a better one only, and only as it was seen.
//!
//! A store costs nobody a token: where it is in trouble, the server is asked at once. A process without one is a fleet by
//! itself.

use super::fetch::Fetcher;
use super::held::{HeldToken, Record, State};
use super::life::in_seconds;
use super::race::first;
use super::store::{Claim, Place, Standing, Store, Trouble};
use crate::Error;
use crate::retry::{random, share};
use std::sync::Arc;
use std::time::Duration;

/// One process of a fleet, for one token.
pub(crate) struct Member {
    pub(crate) fetcher: Fetcher,
    pub(crate) shared: Option<Shared>,
}

/// The token's place, in the store of the fleet.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    place: Place,
    /// How long to wait for another process.
    patience: Duration,
}

/// What a refresh has seen so far.
struct Seen {
    /// The highest generation.
    generation: u64,
    standing: Option<Standing>,
    /// A token that is good, but for so short that a newer one is wanted.
    ending: Option<HeldToken>,
}

impl Member {
    /// A newer token than the one that is held, or the last that WeChat rejected: nothing older is of use.
    pub(crate) async fn next(&self, mut than: Record) -> Result<HeldToken, Error> {
        let Self { fetcher, shared: Some(shared) } = self else {
            return self.fetcher.fetch(&[&than], 0).await;
        };
        loop {
            let mut seen = Seen { generation: than.generation, standing: None, ending: None };
            // A holder that neither answers nor goes away is waited for once. After trouble the server is asked at once; the
            // claim may have come through nevertheless, so that the lock is released below in any case.
            let claim = tokio::time::timeout(shared.patience, shared.claim(fetcher, &than, &mut seen)).await;
            let has_lock = matches!(claim, Ok(Ok(None)));
            if let Ok(Ok(Some(taken))) = claim {
                shared.store.works();
                fetcher.counters.count(|stats| stats.shared += 1);
                return Ok(taken);
            }
            let record = seen.standing.as_ref().and_then(|standing| standing.record.as_ref());
            let known: Vec<_> = record.into_iter().chain([&than]).collect();
            let fetching = fetcher.fetch(&known, seen.generation.saturating_add(1));
            let fetched = if has_lock { first(fetching, shared.keep_lock()).await } else { fetching.await };
            let Ok(fetched) = fetched else {
                let _ = shared.store.release(&shared.place).await;
                let ending = seen.ending.filter(|ending| ending.state((fetcher.now)()) != State::Dead);
                return fetched.or_else(|error| ending.ok_or(error));
            };
            let stays = shared.publish(&fetched.record, seen.standing, fetcher.windows.longest_life).await;
            let Some((stays, left)) = stays else { return Ok(fetched) };
            if stays.rejected {
                than = stays;
                continue;
            }
            // Where a better one got there first, that is the one to use.
            let is_better = stays.is_better_than(&than);
            let stays = fetcher.hold(stays, left);
            let is_good = matches!(stays.state((fetcher.now)()), State::Fresh | State::Due);
            return Ok(if is_better && is_good { stays } else { fetched });
        }
    }

    /// Lets go of what a refresh that was broken off may hold.
    pub(crate) async fn let_go(&self) {
        if let Some(shared) = &self.shared {
            let _ = shared.store.release(&shared.place).await;
        }
    }
}

impl Shared {
    /// Makes it for calls that take that long at most.
    pub(crate) fn new(store: Arc<dyn Store>, name: String, call: Duration) -> Self {
        // The longest that another process is waited for.
        const LONGEST: Duration = Duration::from_secs(60);
        let holder = format!("{:016x}", getrandom::u64().unwrap_or_default());
        Self {
            place: Place { name, holder },
            // By then the other process has its answer; or it died, and a third one has.
            patience: call.saturating_add(store.lease()).min(LONGEST),
            store,
        }
    }

    /// Waits for a token that helps, or for the lock.
    async fn claim(&self, fetcher: &Fetcher, than: &Record, seen: &mut Seen) -> Result<Option<HeldToken>, Trouble> {
        loop {
            let known = seen.standing.as_ref().map_or(&[][..], |standing| &standing.version);
            let standing = match self.store.claim(&self.place, known).await? {
                Claim::Found(standing) => standing.believed(fetcher.windows.longest_life),
                Claim::Lock => return Ok(None),
                Claim::Nothing => {
                    tokio::time::sleep(share(Duration::from_millis(25), 1.0 + random())).await;
                    continue;
                }
            };
            seen.ending = None;
            if let Some(record) = &standing.record {
                seen.generation = seen.generation.max(record.generation);
                if than.rejected && !record.rejected && record.is(&than.secret) {
                    let rejected =
                        Record { rejected: true, generation: record.generation.saturating_add(1), ..record.clone() };
                    // Long enough for an answer that is under way with the same token.
                    let left = standing.left.max(Duration::from_secs(1)).min(record.lifetime);
                    // The next claim finds what comes of it.
                    self.store.publish(&self.place, &rejected, left, &standing.version).await?;
                } else if !record.rejected && record.is_better_than(than) {
                    let taken = fetcher.hold(record.clone(), standing.left);
                    match taken.state((fetcher.now)()) {
                        State::Fresh | State::Due => return Ok(Some(taken)),
                        State::Ending => seen.ending = Some(taken),
                        State::Dead => {}
                    }
                }
            }
            seen.standing = Some(standing);
        }
    }

    /// Renews the lease without end.
    async fn keep_lock<T>(&self) -> T {
        loop {
            tokio::time::sleep(self.store.lease() / 3).await;
            let _ = self.store.renew(&self.place).await;
        }
    }

    /// Stores what was fetched and releases the lock. Returns the record that stays, and for how long, where that one is at
    /// least as good. `None` as well where the store is in trouble: that costs nobody the token.
    async fn publish(
        &self,
        record: &Record,
        seen: Option<Standing>,
        longest_life: Duration,
    ) -> Option<(Record, Duration)> {
        let yields = |stands: &Standing| stands.record.as_ref().is_none_or(|stands| record.is_better_than(stands));
        let mut known = seen.filter(yields).map(|seen| seen.version).unwrap_or_default();
        // Each time, another process has published in between. Where that goes on, the token is this process's alone.
        for _ in 0..3 {
            let stays = self.store.publish(&self.place, record, record.lifetime, &known).await.ok()?;
            self.store.works();
            let stays = stays?.believed(longest_life);
            match stays.record {
                Some(better) if !record.is_better_than(&better) => return Some((better, stays.left)),
                _ => known = stays.version,
            }
        }
        None
    }
}

impl Standing {
    /// Leaves out what no process of this fleet has written: what is out of any range, has no token, or ends never or later than
    /// a token does.
    fn believed(mut self, longest_life: Duration) -> Self {
        // There is always a next one, whatever reads the number.
        const EXACT: u64 = 1 << 53;
        let left = self.left;
        self.record = self.record.filter(|record| {
            let Record { secret, expires_at, generation, lifetime, .. } = record;
            // The year 2001: no token ended before.
            let expires = expires_at.as_secs() >= 1_000_000_000 && in_seconds(*expires_at).1;
            let lives = !left.is_zero() && left <= *lifetime && *lifetime <= longest_life;
            !secret.expose_secret().trim().is_empty() && *generation < EXACT && expires && lives
        });
        self
    }
}

impl Record {
    /// Whether it ends later, or followed where the other ends in the same second. What follows a rejected token may end
    /// before that would have.
    fn is_better_than(&self, other: &Self) -> bool {
        let follows = self.generation > other.generation;
        if other.rejected {
            !self.is(&other.secret) && (follows || self.expires_at > other.expires_at)
        } else {
            self.expires_at > other.expires_at || follows && self.expires_at == other.expires_at
        }
    }
}
