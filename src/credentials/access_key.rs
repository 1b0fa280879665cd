//! The access key, which signs requests or fetches management tokens.

use super::header_value::header_value;
use crate::{Error, SecretString};

/// What an access key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AccessKeyUse {
    /// To sign each request.
    #[default]
    Signature,
    /// To fetch a management token, which the client keeps, shares among its clones and renews before it expires, or
    /// when the server rejects it, though not twice within five seconds.
    ///
    /// While the server gives none, calls get the error of the last try: for a second, for half a minute if it was a
    /// refusal, or for as long as its `Retry-After` asks, up to a minute. Then the next call tries again.
    ManagementToken,
}

#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

impl AccessKey {
    pub(crate) fn new((id, secret): (String, SecretString)) -> Result<Self, Error> {
        header_value(&id, "access key id")?;
        if secret.expose_secret().is_empty() {
            return Err(Error::configuration("the access key's secret is empty; set it"));
        }
        Ok(Self { id, secret })
    }
}
