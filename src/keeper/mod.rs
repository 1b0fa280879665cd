//! The keeper of a token, whatever token it is: it asks its source once per lifetime, however many ask it, renews ahead,
//! hands out what is still good, remembers failures, and shares what it has with a fleet. What WeChat's cache says of itself
//! ([`crate::wechat`]) is true of all its users: the management token, the keys of OpenID Connect, those of passwords.

// `keeper` has the one refresh under way, `fleet` the protocol by which processes share what it brings, `store` what that asks
// of a store, and `redis` is one. How long a token is good is in `life`, when it is due in `windows`, what is held of it in
// `held`. `fetch` asks its source. `keepers` has those of many tokens, `keys` are tokens as well.
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
