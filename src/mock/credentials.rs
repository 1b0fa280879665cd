//! Who may call: the document's security schemes against what a request carries.

use std::collections::HashSet;
use std::time::Duration;

use super::MockGenAuth;
use super::apps::Apps;
use super::management::ManagementTokens;
use super::refusal::Refusal;
use super::request::RecordedRequest;
use super::scheme::{Kind, Scheme};
use super::signature::Signatures;
use super::users::Users;
use crate::Dialect;

/// A request and what has been found out about it so far.
pub(super) struct Call<'a> {
    pub(super) request: &'a RecordedRequest,
    /// Without the base path.
    pub(super) path: &'a str,
    /// Without the question mark.
    pub(super) query: &'a str,
    pub(super) dialect: Dialect,
    /// Since the Unix epoch.
    pub(super) now: Duration,
}

impl Call<'_> {
    /// The header `suffix` behind the dialect's prefix.
    pub(super) fn header(&self, suffix: &str) -> Option<&str> {
        self.request.header(&format!("{}{suffix}", self.dialect.prefix()))
    }

    /// What follows `word` in the `authorization` header.
    fn authorization(&self, word: &str) -> Option<&str> {
        let (scheme, credentials) = self.request.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(word).then_some(credentials.trim())
    }
}

/// The known credentials.
pub(super) struct Credentials {
    pub(super) apps: Apps,
    pub(super) users: Users,
    pub(super) signatures: Signatures,
    pub(super) management: ManagementTokens,
}

impl Credentials {
    /// Whether the call meets one of the operation's requirements. A credential that is wrong is refused even if the
    /// call could do without it: a client that sends one has a bug that the others must not hide.
    pub(super) fn check(&self, requirements: &[Vec<Scheme>], call: &Call<'_>) -> Result<(), Refusal> {
        let mut schemes: Vec<&Scheme> = requirements.iter().flatten().collect();
        schemes.sort();
        schemes.dedup();
        let mut met = HashSet::new();
        for &scheme in &schemes {
            if self.is_met(scheme, &schemes, call)? {
                met.insert(scheme);
            }
        }
        let is_met = |requirement: &Vec<Scheme>| requirement.iter().all(|scheme| met.contains(scheme));
        if requirements.is_empty() || requirements.iter().any(is_met) {
            return Ok(());
        }
        let accepted: Vec<String> = requirements
            .iter()
            .map(|requirement| requirement.iter().map(|scheme| scheme.name.as_str()).collect::<Vec<_>>().join(" with "))
            .collect();
        Err(Refusal::new(401, format!("not authorized: this operation accepts {}", accepted.join(", or "))))
    }

    /// False if the call does not carry this credential, an error if it carries a wrong one. `accepted` is all that
    /// the operation accepts.
    fn is_met(&self, scheme: &Scheme, accepted: &[&Scheme], call: &Call<'_>) -> Result<bool, Refusal> {
        let accepts = |kind: Kind| accepted.iter().any(|scheme| scheme.kind == kind);
        match &scheme.kind {
            Kind::AppId { suffix } => match call.header(suffix) {
                Some(id) if !self.apps.has(id) => Err(Refusal::new(404, "application not found").api_code(2011)),
                id => Ok(id.is_some()),
            },
            Kind::ClientSecretBasic => match call.authorization("Basic") {
                Some(credentials) if !self.apps.accept_basic(credentials) => Err(wrong_app_secret()),
                credentials => Ok(credentials.is_some()),
            },
            Kind::ClientSecretPost => {
                let body = call.request.json().unwrap_or_default();
                match body["client_secret"].as_str() {
                    Some(secret)
                        if !self.apps.belong_together(body["client_id"].as_str().unwrap_or_default(), secret) =>
                    {
                        Err(wrong_app_secret())
                    }
                    secret => Ok(secret.is_some()),
                }
            }
            Kind::UserToken => match call.authorization("Bearer") {
                Some(token) if self.users.knows_token(token) => Ok(true),
                Some(token) if accepts(Kind::ManagementToken) && self.management.has_issued(token) => Ok(false),
                Some(_) => Err(Refusal::new(401, "not logged in").api_code(2020)),
                None => Ok(false),
            },
            Kind::ManagementToken => match call.authorization("Bearer") {
                Some(token) if self.management.is_alive(token, call.now) => match call.header("userpool-id") {
                    Some(MockGenAuth::USERPOOL_ID) => Ok(true),
                    _ => Err(Refusal::new(401, "the userpool-id header is not the user pool of the management token")),
                },
                Some(token) if accepts(Kind::UserToken) && self.users.knows_token(token) => Ok(false),
                Some(_) => Err(Refusal::new(401, "the management token is unknown, expired or revoked")),
                None => Ok(false),
            },
            Kind::Signature => {
                let words = Dialect::ALL.map(Dialect::signature_scheme);
                match words.into_iter().find_map(|word| Some((word, call.authorization(word)?))) {
                    None => Ok(false),
                    Some((word, credentials)) if word == call.dialect.signature_scheme() => {
                        self.signatures.verify(call, credentials).map(|()| true)
                    }
                    Some(_) => {
                        Err(Refusal::new(401, "the scheme word is not the one of the headers' dialect").api_code(1300))
                    }
                }
            }
            Kind::Unknown => Ok(false),
        }
    }
}

fn wrong_app_secret() -> Refusal {
    Refusal::new(401, "wrong app id or app secret")
}
