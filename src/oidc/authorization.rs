//! Sends a browser to the server's page and takes it back, with PKCE (RFC 7636).

use super::server::Oidc;
use crate::{Error, ErrorKind, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::Hash;
use std::fmt;

const SUBJECT: &str = "the authorization";

/// The parameters that the browser is sent with, from [`Oidc::authorize`].
#[must_use = "nothing happens before `begin`"]
pub struct Authorize<'a> {
    oidc: &'a Oidc,
    redirect_uri: String,
    scope: String,
    others: Vec<(String, String)>,
}

/// Where to send the browser, and what to keep for its return.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BegunAuthorization {
    /// Where to send the browser.
    pub url: String,
    /// What the browser has to come back with; [`Oidc::authorization_code`] compares it.
    pub state: String,
    /// What the id token has to hold; [`TokenVerifier::id_token`](super::TokenVerifier::id_token) compares it.
    pub nonce: String,
    /// What proves that the code was asked for by you, for [`Oidc::exchange_code`].
    pub code_verifier: SecretString,
}

impl Oidc {
    /// Begins to sign a user in on the server's page, by the authorization code flow with PKCE. `redirect_uri` has to
    /// be one of those that the app is set up with.
    pub fn authorize(&self, redirect_uri: impl Into<String>) -> Authorize<'_> {
        Authorize {
            oidc: self,
            redirect_uri: redirect_uri.into(),
            scope: "openid profile".to_owned(),
            others: Vec::new(),
        }
    }

    /// Returns the code that the browser came back with. `callback` is the query of the request, or its whole URL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Request`] for another `state` than the one that was kept, which may be an attempt to sign a user in
    /// as somebody else; [`ErrorKind::Api`] if the server sends an error instead, which
    /// [`oauth_error`](Error::oauth_error) names.
    pub fn authorization_code(&self, callback: &str, state: &str) -> Result<SecretString, Error> {
        let query = callback.split('#').next().unwrap_or_default();
        let query = query.split_once('?').map_or(query, |(_, query)| query);
        let value = |name: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            values.next().filter(|_| values.next().is_none()).map(|(_, value)| value.into_owned())
        };
        let refuse = |detail: &str| Err(Error::new(ErrorKind::Request, SUBJECT, detail));
        if state.is_empty() || value("state").is_none_or(|given| given != state) {
            return refuse("the browser came back with another `state` than it was sent with; begin again");
        }
        if let Some(code) = value("error") {
            let code = crate::encoding::one_line(&code);
            let detail = format!("the server sent the browser back with `{code}`; begin again, or ask the user");
            return Err(Error::new(ErrorKind::Api, SUBJECT, detail).with(|error| error.oauth_error = Some(code)));
        }
        match value("code").filter(|code| !code.is_empty()) {
            Some(code) => Ok(code.into()),
            None => refuse("the browser came back without a `code`; begin again"),
        }
    }
}

impl Authorize<'_> {
    /// Sets the scopes to ask for, separated by spaces; the default is `openid profile`. `openid` has to be among them,
    /// and `offline_access` gives a refresh token.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Adds another parameter, such as `prompt`, `login_hint` or `ext_idp_conn_id`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.others.push((name.into(), value.into()));
        self
    }

    /// Returns where to send the browser, with a new `state`, `nonce` and `code_verifier`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a client without an app's id, and [`ErrorKind::Request`] for a parameter that
    /// this function sets itself, or if the system has no random numbers.
    pub fn begin(self) -> Result<BegunAuthorization, Error> {
        let (state, nonce, code_verifier) = (random()?, random()?, random()?);
        let challenge = URL_SAFE_NO_PAD.encode(Hash::hash(code_verifier.as_bytes()));
        let mut url = self.oidc.url("/oidc/auth");
        let made = [
            ("client_id", self.oidc.app_id()?),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if let Some((name, _)) = self.others.iter().find(|(name, _)| made.iter().any(|(own, _)| own == name)) {
            let detail = format!("`{name}` is made here; leave it out");
            return Err(Error::new(ErrorKind::Request, SUBJECT, detail));
        }
        url.query_pairs_mut().extend_pairs(made).extend_pairs(&self.others);
        Ok(BegunAuthorization { url: url.into(), state, nonce, code_verifier: code_verifier.into() })
    }
}

impl fmt::Debug for Authorize<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize")
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Returns 256 random bits in base64url.
fn random() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Request, SUBJECT, "the system has no random numbers").caused_by(error)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
