//! The protocol by which the processes of a fleet share a token.
//!
//! A process that needs a newer token claims it. The store answers the claim with a record that the process does not
//! know yet, or with the lock, or with word that another process has the lock. So a process that gets the lock has seen
//! the record. Only the holder of the lock asks the server; the others wait for what it publishes. The lock is a short
//! lease that its holder renews: a holder that dies delays the others only until the lease ends. A record is only
//! replaced by a better one, and only if it is still as it was seen.
//!
//! A store never costs a process its token: if the store is in trouble, the server is asked at once. A process without
//! a store is a fleet of one.

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

/// The token's place in the store of the fleet.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    place: Place,
    /// How long to wait for another process.
    patience: Duration,
}

/// What a refresh has seen so far.
struct Seen {
    /// The highest generation seen.
    generation: u64,
    standing: Option<Standing>,
    /// A token that is good, but for such a short time that a newer one is wanted.
    ending: Option<HeldToken>,
}

impl Member {
    /// Returns a token that is newer than the one held, or than the last one that WeChat rejected: nothing older is of
    /// use.
    pub(crate) async fn next(&self, mut than: Record) -> Result<HeldToken, Error> {
        let Self { fetcher, shared: Some(shared) } = self else {
            return self.fetcher.fetch(&[&than], 0).await;
        };
        loop {
            let mut seen = Seen { generation: than.generation, standing: None, ending: None };
            // A holder that neither publishes nor goes away is waited for once. After trouble, the server is asked at
            // once; the claim may have taken the lock nevertheless, so the lock is released below in any case.
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
            // If another process published a better token first, that is the one to use.
            let is_better = stays.is_better_than(&than);
            let stays = fetcher.hold(stays, left);
            let is_good = matches!(stays.state((fetcher.now)()), State::Fresh | State::Due);
            return Ok(if is_better && is_good { stays } else { fetched });
        }
    }

    /// Releases what an interrupted refresh may hold.
    pub(crate) async fn let_go(&self) {
        if let Some(shared) = &self.shared {
            let _ = shared.store.release(&shared.place).await;
        }
    }
}

impl Shared {
    /// A place in `store` for calls that take at most `call`.
    pub(crate) fn new(store: Arc<dyn Store>, name: String, call: Duration) -> Self {
        // No process waits longer than this for another.
        const LONGEST: Duration = Duration::from_secs(60);
        let holder = format!("{:016x}", getrandom::u64().unwrap_or_default());
        Self {
            place: Place { name, holder },
            // By then the other process has its answer, or it died and a third one has an answer.
            patience: call.saturating_add(store.lease()).min(LONGEST),
            store,
        }
    }

    /// Waits for a token that helps, or for the lock (`None`).
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
                    // This is long enough for an answer with the same token that is under way.
                    let left = standing.left.max(Duration::from_secs(1)).min(record.lifetime);
                    // The next claim finds the outcome.
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

    /// Renews the lease until it is dropped.
    async fn keep_lock<T>(&self) -> T {
        loop {
            tokio::time::sleep(self.store.lease() / 3).await;
            let _ = self.store.renew(&self.place).await;
        }
    }

    /// Stores what was fetched and releases the lock. Returns the record that stays in the store, and for how long, if
    /// it is at least as good. `None` if the new record was stored, or if the store is in trouble: the token is good
    /// without it.
    async fn publish(
        &self,
        record: &Record,
        seen: Option<Standing>,
        longest_life: Duration,
    ) -> Option<(Record, Duration)> {
        let yields = |stands: &Standing| stands.record.as_ref().is_none_or(|stands| record.is_better_than(stands));
        let mut known = seen.filter(yields).map(|seen| seen.version).unwrap_or_default();
        // Each further try means that another process has published in between. If that goes on, the token is this
        // process's alone.
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
    /// Drops a record that no process of this fleet has written: one with a value out of range, without a token, or
    /// that never expires or later than a token can.
    fn believed(mut self, longest_life: Duration) -> Self {
        // Up to here there is always a next generation, even for a reader that takes numbers as floats.
        const EXACT: u64 = 1 << 53;
        let left = self.left;
        self.record = self.record.filter(|record| {
            let Record { secret, expires_at, generation, lifetime, .. } = record;
            // The year 2001: no token expired before that.
            let expires = expires_at.as_secs() >= 1_000_000_000 && in_seconds(*expires_at).1;
            let lives = !left.is_zero() && left <= *lifetime && *lifetime <= longest_life;
            !secret.expose_secret().trim().is_empty() && *generation < EXACT && expires && lives
        });
        self
    }
}

impl Record {
    /// Whether it expires later, or has the higher generation if both expire in the same second. The successor of a
    /// rejected token may expire earlier than that one would have.
    fn is_better_than(&self, other: &Self) -> bool {
        let follows = self.generation > other.generation;
        if other.rejected {
            !self.is(&other.secret) && (follows || self.expires_at > other.expires_at)
        } else {
            self.expires_at > other.expires_at || follows && self.expires_at == other.expires_at
        }
    }
}
