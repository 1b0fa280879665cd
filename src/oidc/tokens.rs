//! The endpoints that issue tokens, revoke them, and tell about them.

use super::server::Oidc;
use crate::exchange::standard::Standard;
use crate::{Credential, Error, SecretString};
use http::Method;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

const FORM: &str = "application/x-www-form-urlencoded";

/// The answer of the token endpoint (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct TokenSet {
    /// The access token.
    pub access_token: SecretString,
    /// The id token, if `openid` was asked for.
    pub id_token: Option<SecretString>,
    /// The refresh token, if `offline_access` was asked for.
    pub refresh_token: Option<SecretString>,
    /// How to present the access token: `Bearer`.
    pub token_type: String,
    /// How long the access token lives, in seconds.
    #[serde(default, alias = "expire_in", deserialize_with = "crate::integer::deserialize_option")]
    pub expires_in: Option<i64>,
    /// The scopes that were granted, separated by spaces, if the server says so.
    pub scope: Option<String>,
}

/// What the server says of a token (RFC 7662).
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Introspection {
    /// Whether the token is good now.
    pub active: bool,
    /// The rest, such as `scope`, `client_id`, `sub` and `exp`.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// What the server says of a user, by the scopes of the access token.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct UserInfo {
    /// The user's id.
    pub sub: String,
    /// The rest, such as `name`, `email` and `phone_number`.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Oidc {
    /// Returns the tokens for the code that the browser came back with. The request is not retried, because a code is
    /// good only once.
    ///
    /// # Errors
    ///
    /// Those of any call; [`Error::oauth_error`] is `invalid_grant` for a code that is used up, has expired, or is
    /// another app's.
    pub async fn exchange_code(
        &self,
        code: impl Into<SecretString>,
        redirect_uri: &str,
        code_verifier: Option<SecretString>,
    ) -> Result<TokenSet, Error> {
        let (code, verifier) = (code.into(), code_verifier);
        let mut form = vec![("code", code.expose_secret()), ("redirect_uri", redirect_uri)];
        form.extend(verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose_secret())));
        self.grant("authorization_code", &form).await
    }

    /// Returns new tokens for a refresh token. The request is not retried, because the server may issue a new refresh
    /// token and revoke the old one.
    ///
    /// # Errors
    ///
    /// Those of any call; [`Error::oauth_error`] is `invalid_grant` for a token that is no longer good.
    pub async fn refresh(&self, refresh_token: impl Into<SecretString>) -> Result<TokenSet, Error> {
        let token = refresh_token.into();
        self.grant("refresh_token", &[("refresh_token", token.expose_secret())]).await
    }

    /// Returns tokens for the app itself, with a scope that its settings allow.
    ///
    /// # Errors
    ///
    /// Those of any call.
    pub async fn client_credentials(&self, scope: &str) -> Result<TokenSet, Error> {
        self.grant("client_credentials", &[("scope", scope)]).await
    }

    /// Asks the server about an access token or a refresh token. A [verifier](Oidc::verifier) needs no request, but
    /// cannot tell whether the token was revoked.
    ///
    /// # Errors
    ///
    /// Those of any call. For a token that is not good there is no error; it is not `active`.
    pub async fn introspect(&self, token: &SecretString) -> Result<Introspection, Error> {
        self.post("oidc.introspect", "/oidc/token/introspection", &[("token", token.expose_secret())], true).await
    }

    /// Revokes an access token or a refresh token. For one that is no longer good there is no error.
    ///
    /// # Errors
    ///
    /// Those of any call.
    pub async fn revoke(&self, token: &SecretString) -> Result<(), Error> {
        let form = [("token", token.expose_secret())];
        self.post::<IgnoredAny>("oidc.revoke", "/oidc/token/revocation", &form, true).await.map(drop)
    }

    /// Asks the server about the user whom an access token is for.
    ///
    /// # Errors
    ///
    /// Those of any call, and [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a token that cannot be
    /// in a header.
    pub async fn user_info(&self, access_token: &SecretString) -> Result<UserInfo, Error> {
        let client = self.client.with_user_access_token(access_token.clone())?;
        Oidc { client }.get("oidc.user_info", "/oidc/me", &[Credential::UserAccessToken]).await
    }

    /// Asks the server about its endpoints and what they can do (OpenID Connect Discovery 1.0).
    ///
    /// # Errors
    ///
    /// Those of any call.
    pub async fn discover(&self) -> Result<Map<String, Value>, Error> {
        self.get("oidc.discover", "/oidc/.well-known/openid-configuration", &[]).await
    }

    /// Fetches the keys that the server signs tokens with (RFC 7517), and returns them as they are. A
    /// [verifier](Oidc::verifier) keeps them.
    ///
    /// # Errors
    ///
    /// Those of any call.
    pub async fn keys(&self) -> Result<Map<String, Value>, Error> {
        self.get("oidc.keys", "/oidc/.well-known/jwks.json", &[]).await
    }

    async fn grant(&self, grant_type: &str, form: &[(&str, &str)]) -> Result<TokenSet, Error> {
        let form = [&[("grant_type", grant_type)], form].concat();
        self.post("oidc.token", "/oidc/token", &form, false).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        subject: &'static str,
        path: &str,
        form: &[(&str, &str)],
        idempotent: bool,
    ) -> Result<T, Error> {
        let settings = &self.client.settings;
        let credentials = settings.credentials.of_app();
        let mut form = form.to_vec();
        if credentials.is_empty() {
            form.push(("client_id", self.app_id()?));
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = settings.http.request(Method::POST, self.url(path)).header(CONTENT_TYPE, FORM).body(body).build();
        Standard { subject, request, credentials, idempotent }.send(settings).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        subject: &'static str,
        path: &str,
        credentials: &[Credential],
    ) -> Result<T, Error> {
        let settings = &self.client.settings;
        let request = settings.http.request(Method::GET, self.url(path)).build();
        Standard { subject, request, credentials, idempotent: true }.send(settings).await
    }
}
