//! The keeper of a token of any kind: it asks its source once per lifetime, however many callers it has, renews ahead
//! of time, hands out what is still good, remembers failures, and shares its token with a fleet. What the docs of
//! WeChat's cache ([`crate::wechat`]) promise holds for all users of a keeper: the management token, the keys of OpenID
//! Connect, those of passwords.

// `keeper` has the one refresh under way, `fleet` the protocol by which processes share its token, `store` what that
// requires of a store, and `redis` is a store. `life` works out how long a token is good, `windows` when it is due, and
// `held` is the token itself. `fetch` asks the source. `keepers` has the keepers of many tokens, and `keys` keeps keys
// as tokens.
mod fetch;
mod fleet;
#[cfg(feature = "opentelemetry")]
mod gauges;
mod held;
#[allow(clippy::module_inception, reason = "what the folder is about")]
mod keeper;
mod keepers;
#[cfg(any(feature = "oidc", feature = "password-encryption"))]
mod keys;
mod life;
mod race;
#[cfg(feature = "redis")]
mod redis;
mod stats;
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "without Redis there is no store to build"))]
mod store;
#[cfg(test)]
mod tests;
mod windows;

pub(crate) use self::fetch::{FetchedToken, Fetcher, Fetching, Lifetime, Source, Words};
pub(crate) use self::fleet::{Member, Shared};
pub(crate) use self::held::Held;
pub(crate) use self::keeper::Keeper;
pub(crate) use self::keepers::{Keepers, shown};
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use self::stats::TokenStats;
pub(crate) use self::store::Store;
pub(crate) use self::windows::Windows;
