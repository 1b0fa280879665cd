//! OpenID Connect: signing users in by the server's own page, the tokens of that, and whether a token is good.
//!
//! It needs the feature `oidc`. Answers are those of the standards, without this API's envelope.
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
mod tokens;
mod verifier;

pub use self::authorization::{Authorize, BegunAuthorization};
pub use self::claims::Claims;
pub use self::tokens::{Introspection, TokenSet, UserInfo};
pub use self::verifier::TokenVerifier;

use crate::{Client, Error, SecretString};
use reqwest::Url;

/// The OpenID Connect endpoints of a client's server, from [`Client::oidc`].
#[derive(Debug, Clone)]
pub struct Oidc {
    client: Client,
}

impl Client {
    /// The OpenID Connect endpoints of the server: see [`oidc`](crate::oidc).
    #[must_use]
    pub fn oidc(&self) -> Oidc {
        Oidc { client: self.clone() }
    }
}

impl Oidc {
    /// Who the server says that it is in its tokens, unless it is set up otherwise: the host, and `/oidc`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/oidc", self.client.settings.host.as_str())
    }

    /// Where to send the browser to sign the user out. `post_logout_redirect_uri` has to be among those of the application,
    /// and needs the `id_token`, which the URL then holds: hence it is a secret.
    #[must_use]
    pub fn log_out_url(
        &self,
        id_token: Option<&SecretString>,
        post_logout_redirect_uri: Option<&str>,
        state: Option<&str>,
    ) -> SecretString {
        let mut url = self.url("/oidc/session/end");
        let values = [
            ("id_token_hint", id_token.map(SecretString::expose_secret)),
            ("post_logout_redirect_uri", post_logout_redirect_uri),
            ("state", state),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        String::from(url).into()
    }

    fn url(&self, path: &str) -> Url {
        self.client.settings.host.url(path)
    }

    /// The application's id, which is OAuth's client id.
    fn app_id(&self) -> Result<&str, Error> {
        let id = self.client.settings.credentials.app_id.0.as_ref().and_then(|id| id.to_str().ok());
        id.ok_or_else(|| {
            Error::configuration(
                "OpenID Connect needs the application's id; build the client with `.app(..)` or `.app_id(..)`",
            )
        })
    }
}
