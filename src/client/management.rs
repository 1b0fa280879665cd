//! Where management tokens come from: the client's own operation.

use super::settings::Settings;
use crate::api::Client;
use crate::credentials::{ManagementTokens, TokenFetch};
use crate::types::GetManagementAccessTokenDto;

pub(super) fn fetch(settings: &Settings, tokens: &ManagementTokens) -> TokenFetch {
    let client = Client { settings: Settings { timeout: tokens.timeout, ..settings.clone() } };
    let (access_key_id, access_key_secret) = (tokens.key.id.clone(), tokens.key.secret.clone());
    Box::pin(async move {
        let body = GetManagementAccessTokenDto { access_key_id, access_key_secret };
        let answer = client.get_management_token().body(body).send().await?;
        Ok((answer.access_token.clone(), answer.expires_in))
    })
}
