//! The server, as OpenID Connect sees it.

use crate::{Client, Error, SecretString};
use reqwest::Url;

/// The OpenID Connect endpoints of a client's server, from [`Client::oidc`].
#[derive(Debug, Clone)]
pub struct Oidc {
    pub(super) client: Client,
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

    pub(super) fn url(&self, path: &str) -> Url {
        self.client.settings.host.url(path)
    }

    /// The application's id, which is OAuth's client id.
    pub(super) fn app_id(&self) -> Result<&str, Error> {
        let id = self.client.settings.credentials.app_id.0.as_ref().and_then(|id| id.to_str().ok());
        id.ok_or_else(|| {
            Error::configuration(
                "OpenID Connect needs the application's id; build the client with `.app(..)` or `.app_id(..)`",
            )
        })
    }
}
