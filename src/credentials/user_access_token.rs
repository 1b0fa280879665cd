//! The token of a signed-in user, which callers replace while the client is in use.

use super::kind::{Holding, Outgoing, bearer};
use crate::{Error, SecretString};
use std::sync::{Arc, PoisonError, RwLock};

/// The clones of a client share it, so that a login in one task is seen by the others.
#[derive(Clone, Default)]
pub(crate) struct UserAccessToken(Arc<RwLock<Option<SecretString>>>);

impl UserAccessToken {
    pub(crate) fn get(&self) -> Option<SecretString> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, token: Option<SecretString>) -> Result<(), Error> {
        token.as_ref().map(bearer).transpose()?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    pub(super) fn kind(&self, user: bool) -> Holding<'_> {
        Holding { setter: "`.user_access_token(..)`", is_held: user, secret: None }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.user_access_token.map_or(Ok(()), |token| outgoing.authorize(bearer(token)))
    }
}
