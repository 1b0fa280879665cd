//! What a client proves itself with, and how each of it becomes headers. One file per kind; a new kind is a variant of
//! [`Credential`], and the compiler asks for the rest.

mod access_key;
mod access_key_signature;
mod app_id;
mod client_secret;
mod dialect;
mod header_value;
mod kind;
mod management_token;
mod management_tokens;
mod signature;
mod user_access_token;

pub use access_key::AccessKeyUse;
pub use access_key_signature::SignatureDate;
pub use client_secret::ClientAuthentication;
pub use dialect::{Dialect, Language, TenantHeader};
pub use kind::Credential;

pub(crate) use access_key::AccessKey;
pub(crate) use access_key_signature::AccessKeySignature;
pub(crate) use app_id::AppId;
pub(crate) use client_secret::{ClientSecretBasic, ClientSecretPost, both_ways};
pub(crate) use header_value::{header_value, secret_value};
pub(crate) use kind::Occasion;
pub(crate) use management_token::{ManagementToken, SUBJECT};
pub(crate) use management_tokens::{Fetching, ManagementTokens};
pub(crate) use signature::Signature;
pub(crate) use user_access_token::UserAccessToken;

use crate::{Error, ErrorKind, SecretString};
use dialect::Header;
use http::HeaderValue;
use kind::{Kind, Outgoing};
use reqwest::Request;
use std::sync::Arc;

/// How the SDK calls itself to the server.
const SDK_VERSION: &str = concat!("genauth-rust:", env!("CARGO_PKG_VERSION"));

/// What an endpoint that the document does not describe may be called with: whatever the client holds.
const ANY: &[&[Credential]] = &[
    &[Credential::AppId],
    &[Credential::AppId, Credential::UserAccessToken],
    &[Credential::UserAccessToken],
    &[Credential::AccessKeySignature],
    &[Credential::ManagementToken],
    &[],
];

/// The credentials of one client.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) dialect: Dialect,
    pub(crate) language: Language,
    pub(crate) tenant_id: Option<HeaderValue>,
    pub(crate) tenant_header: TenantHeader,
    pub(crate) app_id: AppId,
    pub(crate) user_access_token: UserAccessToken,
    pub(crate) client_secret_basic: ClientSecretBasic,
    pub(crate) client_secret_post: ClientSecretPost,
    pub(crate) access_key_signature: AccessKeySignature,
    /// None unless there is an access key to fetch them with. Shared by the clones of a client.
    pub(crate) management_tokens: Option<Arc<ManagementTokens>>,
}

impl Credentials {
    fn kind(&self, credential: Credential) -> &dyn Kind {
        match credential {
            Credential::AppId => &self.app_id,
            Credential::UserAccessToken => &self.user_access_token,
            Credential::ClientSecretBasic => &self.client_secret_basic,
            Credential::ClientSecretPost => &self.client_secret_post,
            Credential::AccessKeySignature => &self.access_key_signature,
            Credential::ManagementToken => &self.management_tokens,
        }
    }

    /// The access key's, whatever the key is used for.
    pub(crate) fn access_key_id(&self) -> Option<&str> {
        let fetching = || self.management_tokens.as_ref().map(|tokens| &tokens.key);
        self.access_key_signature.key.as_ref().or_else(fetching).map(|key| key.id.as_str())
    }

    pub(crate) fn user_access_token(&self) -> Option<SecretString> {
        self.user_access_token.get()
    }

    pub(crate) fn set_user_access_token(&self, token: Option<SecretString>) -> Result<(), Error> {
        self.user_access_token.set(token)
    }

    /// Of the alternatives that an operation takes, the one to call with: the one that says most about the caller, the
    /// document's order among equals. An endpoint that the document does not describe has none.
    pub(crate) fn choose(
        &self,
        alternatives: Option<&'static [&'static [Credential]]>,
        subject: &str,
        user: bool,
    ) -> Result<&'static [Credential], Error> {
        if alternatives.is_none() && (self.app_id.is_held(user) || user) && self.access_key_id().is_some() {
            let detail = "the client holds an app or a user and an access key, and nothing says which of them this endpoint takes; \
                          call it with a client that holds one";
            return Err(Error::new(ErrorKind::Credentials, subject, detail));
        }
        let alternatives = alternatives.unwrap_or(ANY);
        let is_held = |credential: &Credential| self.kind(*credential).is_held(user);
        let held = alternatives.iter().filter(|all| all.iter().all(is_held));
        let most = held.rev().max_by_key(|all| all.len());
        most.copied().ok_or_else(|| {
            let mut ways: Vec<String> = Vec::new();
            for alternative in alternatives {
                let mut setters: Vec<_> =
                    alternative.iter().map(|credential| self.kind(*credential).setter()).collect();
                setters.dedup();
                let way = setters.join(" and ");
                if !ways.contains(&way) {
                    ways.push(way);
                }
            }
            let ways = ways.join(", or ");
            let detail = format!("the client holds no credentials that this operation takes; build it with {ways}");
            Error::new(ErrorKind::Credentials, subject, detail)
        })
    }

    /// Puts the chosen credentials, and what goes with them, on a request.
    pub(crate) fn apply(
        &self,
        chosen: &[Credential],
        request: &mut Request,
        occasion: &Occasion<'_>,
    ) -> Result<(), Error> {
        let tenant = (self.tenant_header.header(), self.tenant_id.as_ref());
        let mut outgoing = Outgoing { request, occasion, dialect: self.dialect, tenant };
        outgoing.put(Header::SdkVersion, HeaderValue::from_static(SDK_VERSION));
        outgoing.put(Header::Language, HeaderValue::from_static(self.language.as_str()));
        chosen.iter().try_for_each(|credential| self.kind(*credential).apply(&mut outgoing))
    }

    /// Shows every lasting secret to `look`, to strike it out of a server's words.
    pub(crate) fn each_secret(&self, look: impl FnMut(&str)) {
        // Taken apart, so that the compiler asks what of a new kind is secret.
        let Self {
            dialect: _,
            language: _,
            tenant_id: _,
            tenant_header: _,
            app_id,
            user_access_token,
            client_secret_basic,
            client_secret_post,
            access_key_signature,
            management_tokens,
        } = self;
        let secrets = [
            app_id.secret(),
            user_access_token.secret(),
            client_secret_post.secret(),
            client_secret_basic.secret(),
            access_key_signature.secret(),
            management_tokens.secret(),
        ];
        secrets.into_iter().flatten().map(SecretString::expose_secret).for_each(look);
    }
}
