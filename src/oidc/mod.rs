//! OpenID Connect: signs users in on the server's own page, exchanges the tokens of that, and verifies tokens.
//!
//! It needs the feature `oidc`. The answers are those of the standards, without this API's envelope.
//!
//! ```
//! # async fn example(client: genauth::Client, callback: &str, session: (String, String, genauth::SecretString)) -> Result<(), genauth::Error> {
//! let oidc = client.oidc();
//!
//! // Send the browser there, and keep `state`, `nonce` and `code_verifier` in the user's session.
//! let begun = oidc.authorize("https://app.example.com/callback").scope("openid profile offline_access").begin()?;
//! println!("{}", begun.url);
//!
//! // It comes back with a code.
//! # let (state, nonce, code_verifier) = session;
//! let code = oidc.authorization_code(callback, &state)?;
//! let tokens = oidc.exchange_code(code, "https://app.example.com/callback", Some(code_verifier)).await?;
//!
//! // Keep the verifier: it keeps the server's keys, so that most tokens cost no request.
//! let verifier = oidc.verifier()?;
//! if let Some(id_token) = &tokens.id_token {
//!     println!("hello {}", verifier.id_token(id_token, Some(&nonce)).await?.sub);
//! }
//! # Ok(()) }
//! ```

mod authorization;
mod claims;
mod keys;
mod server;
mod tokens;
mod verifier;

pub use self::authorization::{Authorize, BegunAuthorization};
pub use self::claims::Claims;
pub use self::server::Oidc;
pub use self::tokens::{Introspection, TokenSet, UserInfo};
pub use self::verifier::TokenVerifier;
