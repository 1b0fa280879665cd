//! Who may call: the document's security schemes against what a request carries.

use std::collections::HashSet;
use std::time::Duration;

use super::document::Scheme;
use super::refusal::Refusal;
use super::request::RecordedRequest;
use super::signature::Signatures;
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
    app_ids: HashSet<String>,
    user_access_tokens: HashSet<String>,
    signatures: Signatures,
}

impl Credentials {
    pub(super) fn new(app_ids: HashSet<String>, user_access_tokens: HashSet<String>, signatures: Signatures) -> Self {
        Self { app_ids, user_access_tokens, signatures }
    }

    /// Whether the call meets one of the operation's requirements. A credential that is wrong is refused even if the
    /// call could do without it: a client that sends one has a bug that the others must not hide.
    pub(super) fn check(&self, requirements: &[Vec<Scheme>], call: &Call<'_>) -> Result<(), Refusal> {
        let mut schemes: Vec<&Scheme> = requirements.iter().flatten().collect();
        schemes.sort();
        schemes.dedup();
        let mut met = HashSet::new();
        for scheme in schemes {
            if self.is_met(scheme, call)? {
                met.insert(scheme);
            }
        }
        let is_met = |requirement: &Vec<Scheme>| requirement.iter().all(|scheme| met.contains(scheme));
        if requirements.is_empty() || requirements.iter().any(is_met) {
            return Ok(());
        }
        let accepted: Vec<String> = requirements
            .iter()
            .map(|requirement| requirement.iter().map(Scheme::name).collect::<Vec<_>>().join(" with "))
            .collect();
        Err(Refusal::new(401, format!("not authorized: this operation accepts {}", accepted.join(", or "))))
    }

    /// False if the call does not carry this credential, an error if it carries a wrong one.
    fn is_met(&self, scheme: &Scheme, call: &Call<'_>) -> Result<bool, Refusal> {
        match scheme {
            Scheme::AppId { suffix, .. } => match call.header(suffix) {
                Some(id) if !self.app_ids.contains(id) => {
                    Err(Refusal::new(404, "application not found").api_code(2011))
                }
                id => Ok(id.is_some()),
            },
            Scheme::Bearer { .. } => match call.authorization("Bearer") {
                Some(token) if !self.user_access_tokens.contains(token) => {
                    Err(Refusal::new(401, "not logged in").api_code(2020))
                }
                token => Ok(token.is_some()),
            },
            Scheme::Signature { .. } => {
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
            Scheme::Unknown { .. } => Ok(false),
        }
    }
}
