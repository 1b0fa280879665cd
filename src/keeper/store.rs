//! Where the processes of a fleet keep a token for each other.

use super::held::Record;
use crate::SecretString;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// A store that processes share. Each token has a place in it: a record, and a lock beside it.
///
/// A store neither asks a server nor judges a token: the [fleet](super::fleet) does. It reports any failure as
/// [`Trouble`], within its own [timeout](Self::timeout).
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// The name of a token's place: `label` is for people. The name differs by secret and by `parts`, and does not
    /// reveal the secret.
    fn name_of(&self, label: &str, secret: &SecretString, parts: &[Option<&[u8]>]) -> String;

    /// How long an answer of the store takes at most.
    fn timeout(&self) -> Duration;

    /// How long a lock lasts if nobody renews it.
    fn lease(&self) -> Duration;

    /// Returns the record, unless it is the `known` one; otherwise takes the lock. Both are one step, so that a caller
    /// that gets the lock has seen the record. A lock that the caller has already is renewed.
    fn claim(&self, place: &Place, known: &[u8]) -> Storing<'_, Claim>;

    /// Extends the lock by another lease, if it is the caller's.
    fn renew(&self, place: &Place) -> Storing<'_, ()>;

    /// Releases the lock, if it is the caller's, and then stores a record for `life`, unless the record there is not
    /// the `known` one: then that one stays and is returned.
    fn publish(&self, place: &Place, record: &Record, life: Duration, known: &[u8]) -> Storing<'_, Option<Standing>>;

    /// Releases the lock, if it is the caller's.
    fn release(&self, place: &Place) -> Storing<'_, ()>;

    /// Tells the store that a token came from it or went there.
    fn works(&self);
}

pub(crate) type Storing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'a>>;

/// The store failed; it has logged why.
pub(crate) struct Trouble;

/// A token's place, for one process.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// What a lock of this process contains.
    pub(crate) holder: String,
}

/// What comes of a claim.
pub(crate) enum Claim {
    Found(Standing),
    /// The lock is the caller's.
    Lock,
    /// Another process has the lock.
    Nothing,
}

/// The contents of a place.
pub(crate) struct Standing {
    /// `None` if the contents cannot be read as a record.
    pub(crate) record: Option<Record>,
    /// How long it stays there.
    pub(crate) left: Duration,
    /// What the store recognises the contents by; empty if there are none.
    pub(crate) version: Vec<u8>,
}
