//! The OpenID Connect endpoints of a server.

use crate::{Client, Error, SecretString};
use reqwest::Url;

/// The OpenID Connect endpoints of a client's server, from [`Client::oidc`].
#[derive(Debug, Clone)]
pub struct Oidc {
    pub(super) client: Client,
}

impl Client {
    /// Returns the OpenID Connect endpoints of the server: see [`oidc`](crate::oidc).
    #[must_use]
    pub fn oidc(&self) -> Oidc {
        Oidc { client: self.clone() }
    }
}

impl Oidc {
    /// Returns the name that the server gives itself in its tokens, unless it is set up otherwise: the host with
    /// `/oidc`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/oidc", self.client.settings.host.as_str())
    }

    /// Returns where to send the browser to sign the user out. `post_logout_redirect_uri` has to be one of those that
    /// the app is set up with, and needs the `id_token`. The URL then holds that token, hence it is a secret.
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

    pub(super) fn url(&self, path: &str) -> Url {
        self.client.settings.host.url(path)
    }

    /// Returns the app's id, which is the client id of OAuth.
    pub(super) fn app_id(&self) -> Result<&str, Error> {
        let id = self.client.settings.credentials.app_id.0.as_ref().and_then(|id| id.to_str().ok());
        id.ok_or_else(|| {
            Error::configuration(
                "OpenID Connect needs the application's id; build the client with `.app(..)` or `.app_id(..)`",
            )
        })
    }
}
