//! One token, and the one refresh that may be under way for it.

use super::fetch::Words;
use super::fleet::Member;
use super::held::{Held, HeldToken, Record, State};
use super::race::first;
use super::stats::{Counters, TokenStats};
use crate::retry::random;
use crate::{Error, ErrorKind, SecretString};
use arc_swap::ArcSwap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A token that is rejected before this age was rejected while new; one that is good for longer makes up for the
/// rejections before it.
const NEW: Duration = Duration::from_secs(60);

/// Rejections further apart than this are unrelated. It is longer than any pause between them by default.
const IN_A_ROW: Duration = Duration::from_secs(600);

const CLOSED: &str = "the cache was closed; make another";

const NO_RUNTIME: &str = "there is no Tokio runtime to fetch it on; call from within one";

/// How a refresh ended, for all who waited for it.
type Refreshed = Result<Arc<HeldToken>, Error>;

pub(crate) struct Keeper {
    /// Whose token it is, for the logs.
    pub(crate) of: String,
    /// The token that is held, read without a lock. A rejected token stays until there is another.
    held: ArcSwap<HeldToken>,
    member: Arc<Member>,
    /// How long a refresh takes at most. A caller that waits longer waits for a task that nobody drives.
    patience: Duration,
    /// Set to true, or dropped with the keeper, to end the refresh that is under way.
    ending: watch::Sender<bool>,
    /// Locked for moments only, never across an await.
    progress: Mutex<Progress>,
}

#[derive(Default)]
pub(crate) struct Progress {
    flight: Option<Flight>,
    flights: u64,
    failure: Option<FailedRefresh>,
    /// How many tokens in a row were rejected while they were new.
    rejections: u32,
    /// When the last of them was rejected.
    rejected_at: Option<SystemTime>,
    /// When a caller last asked for a newer token than the one that is held.
    renewed_at: Option<SystemTime>,
}

/// A refresh under way. It is a task of its own, so that a caller that is cancelled does not cancel the refresh.
#[derive(Clone)]
pub(crate) struct Flight {
    number: u64,
    since: Instant,
    user: Option<SecretString>,
    /// Whether the new token is taken even if it expires sooner than the one that is held.
    renews: bool,
    refreshed: watch::Receiver<Option<Refreshed>>,
    task: AbortHandle,
}

/// The failed refreshes since the last one that succeeded.
struct FailedRefresh {
    error: Error,
    at: SystemTime,
    count: u32,
    /// How long no refresh is started while there is a token.
    pause: Duration,
    /// How long callers without a token get this same error.
    memory: Duration,
    user: Option<SecretString>,
}

/// What a caller gets: the token, or the refresh to wait for.
pub(crate) enum Look {
    Token(Held),
    Wait(Flight),
}

impl Keeper {
    pub(crate) fn new(of: String, member: Member, patience: Duration) -> Self {
        Self {
            of,
            held: ArcSwap::from_pointee(HeldToken::nothing()),
            member: Arc::new(member),
            patience,
            ending: watch::Sender::new(false),
            progress: Mutex::default(),
        }
    }

    /// What is held, good or not.
    pub(crate) fn held(&self) -> Held {
        Held(self.held.load())
    }

    /// The token, if it is fresh. Takes no lock and allocates nothing.
    pub(crate) fn fresh(&self) -> Option<Held> {
        let held = self.held.load();
        held.is_fresh(self.now()).then(|| {
            self.counters().hits.add();
            Held(held)
        })
    }

    pub(crate) async fn get(self: &Arc<Self>) -> Result<Held, Error> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        // The future is boxed to keep that of the usual case small.
        Box::pin(self.look_and_wait(|keeper| keeper.look()))
            .await
            .inspect_err(|_| self.counters().count(|stats| stats.errors += 1))
    }

    /// Returns a token other than `used`, for a caller that has no more use for that one; all others go on using it.
    /// Returns `used` itself if the source was already asked for this within the pause.
    ///
    /// # Errors
    ///
    /// The error of the refresh.
    pub(crate) async fn newer_than(self: &Arc<Self>, used: &Held, pause: Duration) -> Result<Held, Error> {
        let next = Box::pin(self.look_and_wait(|keeper| keeper.look_for_newer(used, pause))).await?;
        // After a failed refresh, all who waited got the token that is held, if it is still good.
        match &self.progress().failure {
            Some(failure) if next.is(used) => Err(failure.error.clone()),
            _ => Ok(next),
        }
    }

    async fn look_and_wait(self: &Arc<Self>, look: impl Fn(&Arc<Self>) -> Result<Look, Error>) -> Result<Held, Error> {
        let start = Instant::now();
        // The second round is for a first wait that was in vain.
        for _ in 0..2 {
            let mut flight = match look(self)? {
                Look::Token(token) => return Ok(token),
                Look::Wait(flight) => flight,
            };
            let patience = self.patience.saturating_sub(flight.since.elapsed()).min(self.time_left(start));
            let refreshed = tokio::time::timeout(patience, flight.refreshed.wait_for(Option::is_some)).await;
            match refreshed.map(|refreshed| refreshed.ok().and_then(|refreshed| refreshed.clone())) {
                Ok(Some(refreshed)) => return refreshed.map(Held::from),
                Err(_) if self.time_left(start).is_zero() => return self.out_of_time(),
                // The task is gone, or sits on a runtime that nobody drives.
                Ok(None) | Err(_) => self.give_up(flight.number),
            }
        }
        let detail = "the refresh was broken off twice: it panicked, or its Tokio runtime was shut down; try again";
        Err(Error::new(ErrorKind::Transport, self.words().subject, detail))
    }

    /// How long a caller that came at `start` still waits.
    fn time_left(&self, start: Instant) -> Duration {
        self.member.fetcher.windows.longest_wait.saturating_sub(start.elapsed())
    }

    /// What a caller gets that has waited as long as it may.
    fn out_of_time(&self) -> Result<Held, Error> {
        let held = self.held.load();
        if held.state(self.now()) != State::Dead {
            self.counters().count(|stats| stats.stale += 1);
            return Ok(Held(held));
        }
        let longest_wait = self.member.fetcher.windows.longest_wait;
        let detail = format!(
            "there is no token after {longest_wait:?}, and the refresh goes on; try again, or allow more with \
             `.longest_wait(..)`"
        );
        Err(Error::new(ErrorKind::Timeout, self.words().subject, detail))
    }

    /// Hands out the token that is held, and starts a refresh if one is due.
    pub(crate) fn look(self: &Arc<Self>) -> Result<Look, Error> {
        let mut progress = self.progress();
        let now = self.now();
        // The state is checked again under the lock: another caller's refresh may just have ended.
        let held = self.held.load();
        let state = held.state(now);
        if state == State::Fresh {
            self.counters().hits.add();
            return Ok(Look::Token(Held(held)));
        }
        let (runtime, closed) = (Handle::try_current(), *self.ending.borrow());
        if let (Ok(runtime), None, false) = (&runtime, &progress.flight, closed) {
            let user = self.member.fetcher.source.user();
            match progress.failure.as_ref().filter(|failure| failure.lasts(now, state, user.as_ref())) {
                Some(failure) if state == State::Dead => return Err(failure.error.clone()),
                Some(_) => {}
                None => drop(self.take_off(&mut progress, runtime, user, false)),
            }
        }
        if let Some(flight) = &progress.flight
            && runtime.is_ok()
            && state != State::Due
        {
            self.counters().count(|stats| stats.waits += 1);
            return Ok(Look::Wait(flight.clone()));
        }
        // The lock is released first: a subscriber of the event may call the keeper.
        drop(progress);
        if state == State::Dead {
            let detail = match closed {
                true => CLOSED,
                false => NO_RUNTIME,
            };
            return Err(Error::new(ErrorKind::Configuration, self.words().subject, detail));
        }
        self.counters().count(|stats| stats.stale += 1);
        tracing::trace!(of = self.of, "a token is handed out while its refresh is not done yet");
        Ok(Look::Token(Held(held)))
    }

    /// The part of [`newer_than`](Self::newer_than) that looks at what is held.
    fn look_for_newer(self: &Arc<Self>, used: &Held, pause: Duration) -> Result<Look, Error> {
        let mut progress = self.progress();
        let (now, held) = (self.now(), self.held.load());
        if !Arc::ptr_eq(&held, &used.0) && held.state(now) != State::Dead {
            return Ok(Look::Token(Held(held)));
        }
        if let Some(flight) = &progress.flight {
            return Ok(Look::Wait(flight.clone()));
        }
        if *self.ending.borrow() {
            return Err(Error::new(ErrorKind::Configuration, self.words().subject, CLOSED));
        }
        // If the clock was set back, no caller has to wait.
        if progress.renewed_at.is_some_and(|at| now.duration_since(at).is_ok_and(|since| since < pause)) {
            return Ok(Look::Token(used.clone()));
        }
        let user = self.member.fetcher.source.user();
        if let Some(failure) = &progress.failure
            && failure.lasts(now, held.state(now), user.as_ref())
        {
            return Err(failure.error.clone());
        }
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::new(ErrorKind::Configuration, self.words().subject, NO_RUNTIME));
        };
        progress.renewed_at = Some(now);
        Ok(Look::Wait(self.take_off(&mut progress, &runtime, user, true)))
    }

    /// Starts a refresh.
    fn take_off(
        self: &Arc<Self>,
        progress: &mut Progress,
        runtime: &Handle,
        user: Option<SecretString>,
        renews: bool,
    ) -> Flight {
        progress.flights += 1;
        let number = progress.flights;
        let (sender, refreshed) = watch::channel(None);
        let (member, keeper) = (Arc::clone(&self.member), Arc::downgrade(self));
        let mut than = self.held.load().record.clone();
        let mut ending = self.ending.subscribe();
        // The task only has a weak reference to the keeper: it must not keep alive what is to end it.
        let task = runtime.spawn(async move {
            let refresh = async {
                loop {
                    let next = member.next(than).await;
                    let Some(keeper) = Weak::upgrade(&keeper) else { break };
                    match keeper.land(number, next) {
                        ControlFlow::Break(refreshed) => {
                            sender.send_replace(refreshed);
                            break;
                        }
                        ControlFlow::Continue(rejected) => than = rejected,
                    }
                }
                false
            };
            let is_to_end = async {
                // The wait ends with an error if the keeper is gone.
                let _ = ending.wait_for(|ending| *ending).await;
                true
            };
            if first(refresh, is_to_end).await {
                member.let_go().await;
            }
            drop(sender);
        });
        let flight = Flight { number, since: Instant::now(), user, renews, refreshed, task: task.abort_handle() };
        progress.flight.insert(flight).clone()
    }

    /// Ends the refresh that is under way, and prevents others.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Waits until the refresh that was under way has ended.
    pub(crate) async fn ended(&self) {
        let refreshed = self.progress().flight.as_ref().map(|flight| flight.refreshed.clone());
        if let Some(mut refreshed) = refreshed {
            while refreshed.changed().await.is_ok() {}
        }
    }

    /// Keeps the token that a refresh brought. Breaks with `None` if another refresh has replaced this one, and
    /// continues with the rejected record if the token was rejected while it was under way.
    fn land(&self, number: u64, next: Result<HeldToken, Error>) -> ControlFlow<Option<Refreshed>, Record> {
        // A server's `Date` is only exact to the second.
        const SAME: Duration = Duration::from_secs(2);
        let (of, subject) = (self.of.as_str(), self.words().subject);
        let mut progress = self.progress();
        let Some(flight) = progress.flight.take_if(|flight| flight.number == number) else {
            return ControlFlow::Break(None);
        };
        let (now, held) = (self.now(), self.held.load_full());
        if held.record.rejected && next.as_ref().is_ok_and(|next| next.record.is(&held.record.secret)) {
            progress.flight = Some(flight);
            return ControlFlow::Continue(held.record.clone());
        }
        let is_alive = held.state(now) != State::Dead;
        // Compared by this machine's clock, since the server's may have been set right in between.
        let is_older = |next: &HeldToken| {
            is_alive && !next.record.is(&held.record.secret) && next.left(now).saturating_add(SAME) < held.left(now)
        };
        let next = match next {
            Ok(next) if !flight.renews && is_older(&next) => {
                let detail = "the server sent an older token than the one before; if this persists, ask its operators";
                Err(Error::new(ErrorKind::UnusableToken, subject, detail))
            }
            next => next,
        };
        let refreshed = match next {
            Ok(next) => {
                if !held.record.rejected && held.age(now) >= NEW.min(held.record.lifetime / 2) {
                    progress.rejections = 0;
                }
                let next = Arc::new(next.older_than(&held));
                self.held.store(Arc::clone(&next));
                progress.failure = None;
                drop(progress);
                tracing::debug!(token = subject, of, expires_at = %next.record.expires_at, "a new token is held");
                Ok(next)
            }
            Err(error) => {
                self.counters().count(|stats| stats.failures += 1);
                self.note_failure(&mut progress, &error, flight.user);
                drop(progress);
                if is_alive {
                    let left = held.left(now).as_secs();
                    tracing::warn!(token = subject, of, %error, left_seconds = left, "a refresh failed; the token is still good");
                    Ok(held)
                } else {
                    tracing::warn!(token = subject, of, %error, "there is no token, and the server sends none");
                    Err(error)
                }
            }
        };
        ControlFlow::Break(Some(refreshed))
    }

    fn note_failure(&self, progress: &mut Progress, error: &Error, user: Option<SecretString>) {
        let count = progress.failure.as_ref().map_or(0, |failure| failure.count).max(progress.rejections) + 1;
        let windows = &self.member.fetcher.windows;
        let pause = windows.failures.pause_after(error, count, random());
        let memory = match error.kind() {
            // A server that keeps sending unusable tokens is asked less and less often.
            ErrorKind::UnusableToken => pause,
            _ => windows.failures.memory_of(error),
        };
        // The body of the answer may be large, and is only of use to the caller that caused it.
        let error = error.clone().with(|error| (error.body, error.server_message) = (None, None));
        progress.failure = Some(FailedRefresh { error, at: self.now(), count, pause, memory, user });
    }

    fn give_up(&self, number: u64) {
        if let Some(flight) = self.progress().flight.take_if(|flight| flight.number == number) {
            flight.task.abort();
        }
    }

    /// Forgets the token if it is still the one that is held.
    pub(crate) fn invalidate(&self, rejected: &Held) {
        let mut progress = self.progress();
        let (now, held) = (self.now(), self.held.load());
        if held.record.rejected || !held.record.is(&rejected.0.record.secret) {
            return;
        }
        let in_a_row = |at: SystemTime| now.duration_since(at).is_ok_and(|since| since < IN_A_ROW);
        let before = if progress.rejected_at.is_some_and(in_a_row) { progress.rejections } else { 0 };
        progress.rejections = if held.age(now) < NEW { before.saturating_add(1) } else { 0 };
        progress.rejected_at = Some(now);
        self.held.store(Arc::new(held.rejected()));
        if progress.rejections > 2 {
            let words = self.words();
            let error = Error::new(ErrorKind::UnusableToken, words.subject, words.rejected_always);
            self.note_failure(&mut progress, &error, self.member.fetcher.source.user());
        }
        drop(progress);
        self.counters().count(|stats| stats.invalidations += 1);
        tracing::info!(token = self.words().subject, of = self.of, "a rejected token is forgotten");
    }

    pub(crate) fn stats(&self) -> TokenStats {
        let mut stats = self.counters().read();
        stats.refreshing = self.progress().flight.is_some();
        let (held, now) = (self.held.load(), self.now());
        if held.state(now) != State::Dead {
            stats.age = Some(held.age(now));
            stats.remaining = Some(held.left(now));
        }
        stats
    }

    /// Whether nothing would be lost if the keeper were dropped.
    pub(crate) fn is_idle(&self) -> bool {
        let mut progress = self.progress();
        progress.flight.take_if(|flight| flight.since.elapsed() > self.patience);
        let (now, user) = (self.now(), self.member.fetcher.source.user());
        let remembered =
            progress.failure.as_ref().is_some_and(|failure| failure.lasts(now, State::Dead, user.as_ref()));
        // A rejected token must not come back either, so the keeper stays for as long as the server may send it again.
        progress.flight.is_none() && !remembered && self.held.load().state_by_time(now) == State::Dead
    }

    fn now(&self) -> SystemTime {
        (self.member.fetcher.now)()
    }

    pub(crate) fn words(&self) -> Words {
        self.member.fetcher.source.words()
    }

    fn counters(&self) -> &Counters {
        &self.member.fetcher.counters
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        // A refresh that ended without a result is cleared: its task panicked, or its runtime was shut down.
        progress.flight.take_if(|flight| flight.refreshed.has_changed().is_err());
        progress
    }
}

impl FailedRefresh {
    fn lasts(&self, now: SystemTime, state: State, user: Option<&SecretString>) -> bool {
        let pause = if state == State::Dead { self.memory } else { self.pause };
        let same_user = self.user.as_ref().map(SecretString::expose_secret) == user.map(SecretString::expose_secret);
        same_user && now.duration_since(self.at).is_ok_and(|since| since < pause)
    }
}
