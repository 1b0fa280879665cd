//! WeChat access tokens, kept for as long as they are good.
//!
//! A [`TokenCache`] asks the server once per lifetime of a token, however many callers there are, and hands the token
//! out from memory in between. This is what it does when:
//!
//! | the token | a caller gets |
//! |---|---|
//! | is fresh | the token, at once |
//! | is due: the smaller of 300 s and a tenth of its lifetime is left, less a random part | the token, at once; one refresh runs in the background |
//! | is about to expire (30 s, or a twentieth of its lifetime, are left), or there is none | what the one refresh brings |
//! | is good, but its refresh fails | the token; the next try waits, longer each time |
//! | is not good, and its refresh failed a moment ago | that error, without another request |
//! | is one that WeChat rejected ([`AppTokens::invalidate`]) | a newer one, or an error where the server has none |
//!
//! A refresh outlives the caller that caused it, and ends with the cache. A caller waits no longer than
//! [`longest_wait`](TokenCacheBuilder::longest_wait). An app that is no longer asked for is dropped when its token has
//! expired.
//!
//! `expiresAt` follows the server's clock. The cache computes what is left of a token by this machine's clock and by
//! the answer's `Date`, and takes the shorter of the results that are possible for a token, so that one wrong clock
//! does no harm; it logs which clock is off. If neither result is possible, it believes neither and refreshes the token
//! every few minutes. With the feature `redis` a fleet shares its tokens: see `TokenCacheBuilder::redis`.
//!
//! ```
//! # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = genauth::mock::MockGenAuth::start().await?;
//! # let client = server.client_builder().build()?;
//! # let (app_id, app_secret) = (server.wechat_app_id().to_owned(), server.wechat_app_secret().into());
//! use genauth::types::GetWechatAccessTokenDto;
//! use genauth::wechat::TokenCache;
//!
//! let tokens = TokenCache::new(client);
//! let app = GetWechatAccessTokenDto { app_id, app_secret };
//!
//! let token = tokens.get(&app).await?;
//! assert!(token.expires_at() > genauth::UnixTimestamp::from_secs(0));
//!
//! // For the hot path: a handle, which looks up nothing.
//! let tokens = tokens.app(&app);
//! assert_eq!(tokens.get().await?.expose_secret(), token.expose_secret());
//! # assert_eq!(server.requests().len(), 1);
//! # Ok(()) }
//! # #[cfg(not(feature = "mock"))] fn main() {}
//! ```

// `builder` has the settings and makes the keepers, `server` asks the server, and `explain` knows WeChat's errors. How
// a token is kept is in `crate::keeper`.
mod builder;
mod cache;
mod explain;
mod server;
mod usage;

pub use self::builder::TokenCacheBuilder;
pub use self::cache::{AccessToken, AppTokens, TokenCache};
pub use self::explain::{Explanation, explain};
pub use self::usage::TokenUse;
#[cfg(feature = "redis")]
pub use crate::keeper::RedisStore;
pub use crate::keeper::TokenStats;
