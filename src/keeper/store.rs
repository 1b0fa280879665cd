//! Where the processes of a fleet keep a token for each other.

use super::held::Record;
use crate::SecretString;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// A store that processes share. Each token has a place in it: a record, and a lock beside it.
///
/// It neither asks a server nor judges a token: that is the [fleet's](super::fleet). Whatever goes wrong with it is
/// [`Trouble`], within its own [timeout](Self::timeout).
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// What a token's place is called: `label` is for people; otherwise for each secret and for other parts, and without
    /// the secret.
    fn name_of(&self, label: &str, secret: &SecretString, parts: &[Option<&[u8]>]) -> String;

    /// How long an answer takes at most.
    fn timeout(&self) -> Duration;

    /// How long a lock lasts that nobody renews.
    fn lease(&self) -> Duration;

    /// Returns the record, unless it is the one that is `known`; otherwise takes the lock. Both are one step, so that who gets the
    /// lock has seen the record. A lock that is the caller's already is its own.
    fn claim(&self, place: &Place, known: &[u8]) -> Storing<'_, Claim>;

    /// Has the lock last for another lease, if it is the caller's.
    fn renew(&self, place: &Place) -> Storing<'_, ()>;

    /// Releases the lock, if it is the caller's, and then stores a record for so long, unless another than the one that is
    /// `known` stands there: then that one stays, and is the answer.
    fn publish(&self, place: &Place, record: &Record, life: Duration, known: &[u8]) -> Storing<'_, Option<Standing>>;

    /// Releases the lock, if it is the caller's.
    fn release(&self, place: &Place) -> Storing<'_, ()>;

    /// Is told that a token came from it, or went there.
    fn works(&self);
}

pub(crate) type Storing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'a>>;

/// The store failed; it has said how.
pub(crate) struct Trouble;

/// A token's place, for one process.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// What a lock of this process says.
    pub(crate) holder: String,
}

/// What a claim finds.
pub(crate) enum Claim {
    Found(Standing),
    /// The lock is the caller's.
    Lock,
    /// Somebody else has the lock.
    Nothing,
}

/// What stands in a place.
pub(crate) struct Standing {
    /// None, where it is nothing that can be read.
    pub(crate) record: Option<Record>,
    /// How long it stays there.
    pub(crate) left: Duration,
    /// What the store recognises it by; empty for nothing.
    pub(crate) version: Vec<u8>,
}
