//! The credentials of a client, and how each becomes headers. There is one file per kind; a new kind is a variant of
//! [`Credential`], and the compiler asks for the rest.

mod access_key_signature;
mod app_id;
mod client_secret;
mod dialect;
mod kind;
mod management_token;
mod signature;
mod user_access_token;

pub use access_key_signature::{AccessKeyUse, SignatureDate};
pub use client_secret::ClientAuthentication;
pub use dialect::{Dialect, Language, TenantHeader};
pub use kind::Credential;

pub(crate) use access_key_signature::{AccessKey, AccessKeySignature};
pub(crate) use app_id::AppId;
pub(crate) use client_secret::{ClientSecretBasic, ClientSecretPost, both_ways};
pub(crate) use kind::{Outgoing, header_value, secret_value};
pub(crate) use management_token::{ManagementAccess, ManagementTokens, WORDS, fetched};
#[cfg(any(feature = "mock", feature = "__fuzz"))]
pub(crate) use signature::Signature;
pub(crate) use user_access_token::UserAccessToken;

use crate::{Error, ErrorKind, SecretString};
use dialect::{Header, header};
use http::HeaderValue;
use kind::Holding;

/// The SDK's name for itself, as sent to the server.
const SDK_VERSION: &str = concat!("genauth-rust:", env!("CARGO_PKG_VERSION"));

/// What an endpoint that the document does not describe may be called with: anything the client holds.
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
    /// The header that names the tenant, and its id.
    pub(crate) tenant: Option<(Header, HeaderValue)>,
    pub(crate) app_id: AppId,
    pub(crate) user_access_token: UserAccessToken,
    pub(crate) client_secret_basic: ClientSecretBasic,
    pub(crate) client_secret_post: ClientSecretPost,
    pub(crate) access_key_signature: AccessKeySignature,
    pub(crate) management_access: ManagementAccess,
}

/// Maps each kind to the field that holds it. The compiler reports a variant that is missing here, or lacks a method.
macro_rules! kinds {
    ($($kind:ident: $held:ident,)*) => {
        impl Credentials {
            fn kind(&self, credential: Credential, user: bool) -> Holding<'_> {
                match credential {
                    $(Credential::$kind => self.$held.kind(user),)*
                }
            }

            fn apply_one(&self, credential: Credential, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
                match credential {
                    $(Credential::$kind => self.$held.apply(outgoing),)*
                }
            }

            /// Shows every lasting secret to `look`, to strike it out of a server's words.
            pub(crate) fn each_secret(&self, look: impl FnMut(&str)) {
                let secrets = [$(self.$held.kind(false).secret,)*];
                secrets.into_iter().flatten().map(SecretString::expose_secret).for_each(look);
            }
        }
    };
}

kinds! {
    AppId: app_id,
    UserAccessToken: user_access_token,
    ClientSecretPost: client_secret_post,
    ClientSecretBasic: client_secret_basic,
    AccessKeySignature: access_key_signature,
    ManagementToken: management_access,
}

impl Credentials {
    /// How the application proves itself to a standard endpoint; empty if it has no secret to send.
    #[cfg(feature = "oidc")]
    pub(crate) fn of_app(&self) -> &'static [Credential] {
        let ways: [&[Credential]; 2] = [&[Credential::ClientSecretBasic], &[Credential::ClientSecretPost]];
        ways.into_iter().find(|way| self.kind(way[0], false).is_held).unwrap_or_default()
    }

    /// The id of the access key, whatever the key is used for.
    pub(crate) fn access_key_id(&self) -> Option<&str> {
        let fetching = || self.management_access.0.as_ref().map(|tokens| &tokens.key);
        self.access_key_signature.key.as_ref().or_else(fetching).map(|key| key.id.as_str())
    }

    /// Chooses one of the alternatives that an operation takes: the one with the most credentials, and the first in the
    /// document among equals. An endpoint that the document does not describe has no alternatives.
    pub(crate) fn choose(
        &self,
        alternatives: Option<&'static [&'static [Credential]]>,
        subject: &str,
        user: bool,
    ) -> Result<&'static [Credential], Error> {
        if alternatives.is_none() && (self.app_id.0.is_some() || user) && self.access_key_id().is_some() {
            let detail = "the client holds an app or a user and an access key, and it is not known which of them this endpoint takes; \
                          say which with `.credentials(..)`";
            return Err(Error::new(ErrorKind::Credentials, subject, detail));
        }
        let alternatives = alternatives.unwrap_or(ANY);
        let is_held = |credential: &Credential| self.kind(*credential, user).is_held;
        let held = alternatives.iter().filter(|all| all.iter().all(is_held));
        let most = held.rev().max_by_key(|all| all.len());
        most.copied().ok_or_else(|| {
            let ways = ways(alternatives, |credential| self.kind(credential, user).setter);
            let detail = format!("the client holds no credentials that this operation takes; build it with {ways}");
            Error::new(ErrorKind::Credentials, subject, detail)
        })
    }

    /// Returns the credentials that the caller asked for, if all of them are held and can be sent together.
    pub(crate) fn held<'a>(
        &self,
        asked: &'a [Credential],
        subject: &str,
        user: bool,
    ) -> Result<&'a [Credential], Error> {
        let refuse = |detail: &str| Err(Error::new(ErrorKind::Credentials, subject, detail));
        if asked.iter().filter(|credential| **credential != Credential::AppId).count() > 1 {
            return refuse("this call asks for several credentials that prove who calls; leave out all but one");
        }
        match asked.iter().find(|credential| !self.kind(**credential, user).is_held) {
            None => Ok(asked),
            Some(missing) => {
                let setter = match missing {
                    Credential::AccessKeySignature => "`.access_key(..)` as `AccessKeyUse::Signature`",
                    Credential::ClientSecretBasic => "`.app(..)` as `ClientAuthentication::Basic`",
                    Credential::ClientSecretPost => "`.app(..)` as `ClientAuthentication::Post`",
                    other => self.kind(*other, user).setter,
                };
                refuse(&format!(
                    "the client does not hold the `{missing:?}` that this call asks for; build it with {setter}"
                ))
            }
        }
    }

    /// Puts the chosen credentials, and the headers that go with them, on a request.
    pub(crate) fn apply(&self, chosen: &[Credential], mut outgoing: Outgoing<'_>) -> Result<(), Error> {
        outgoing.put(header!("sdk-version"), HeaderValue::from_static(SDK_VERSION));
        outgoing.put(header!("lang"), HeaderValue::from_static(self.language.as_str()));
        chosen.iter().try_for_each(|credential| self.apply_one(*credential, &mut outgoing))
    }
}

/// Lists what an operation may be called with for a message, as in `a and b, or c`. Within an alternative, neighbours
/// of the same name are named once.
fn ways(alternatives: &[&[Credential]], name: impl Fn(Credential) -> &'static str) -> String {
    let mut ways: Vec<String> = Vec::new();
    for alternative in alternatives {
        let mut names: Vec<&str> = alternative.iter().map(|part| name(*part)).collect();
        names.dedup();
        let way = names.join(" and ");
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.join(", or ")
}
