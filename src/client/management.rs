//! Where management tokens come from: the client's own operation.

use super::settings::Settings;
use crate::api::Client;
use crate::credentials::{AccessKey, ManagementAccess, ManagementTokens, WORDS, fetched};
use crate::keeper::{Fetching, Source, Words};
use crate::types::GetManagementAccessTokenDto;
use std::sync::Arc;

/// The client as it is without a management token, which is enough to fetch one.
struct ManagementSource {
    client: Client,
    key: AccessKey,
}

pub(super) fn access(key: AccessKey, settings: &Settings) -> ManagementAccess {
    let source = ManagementSource { client: Client { settings: settings.clone() }, key: key.clone() };
    let tokens = ManagementTokens::new(key, Box::new(source), settings.timeout, Arc::clone(&settings.now));
    ManagementAccess(Some(Arc::new(tokens)))
}

impl Source for ManagementSource {
    fn fetch(&self) -> Fetching<'_> {
        let (access_key_id, access_key_secret) = (self.key.id.clone(), self.key.secret.clone());
        Box::pin(async move {
            let body = GetManagementAccessTokenDto { access_key_id, access_key_secret };
            let answer = self.client.get_management_token().body(body).send().await;
            // The body is the answer of this operation: a caller that needed the token must not take it for the answer
            // to its own.
            let answer = answer.map_err(|error| error.with(|error| error.body = None))?;
            Ok(fetched(answer.access_token.clone(), answer.expires_in, &self.key.id))
        })
    }

    fn words(&self) -> Words {
        WORDS
    }
}
