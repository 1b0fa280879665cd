//! Where management tokens come from: the client's own operation.

use crate::api::Client;
use crate::credentials::{Fetching, ManagementToken, ManagementTokens, SUBJECT};
use crate::types::GetManagementAccessTokenDto;
use crate::{Error, ErrorKind};
use std::sync::Arc;

/// The token to send, other than the `rejected` one if there is another.
pub(crate) async fn management_token(
    client: &Client,
    rejected: Option<&Arc<ManagementToken>>,
) -> Result<Arc<ManagementToken>, Error> {
    let Some(tokens) = &client.inner.credentials.management_access.0 else {
        return Err(Error::new(ErrorKind::Credentials, SUBJECT, "the client holds no access key"));
    };
    tokens.get(rejected, || fetch(client.clone(), tokens)).await
}

fn fetch(mut client: Client, tokens: &ManagementTokens) -> Fetching {
    client.inner.timeout = tokens.timeout;
    let (access_key_id, access_key_secret) = (tokens.key.id.clone(), tokens.key.secret.clone());
    Box::pin(async move {
        let body = GetManagementAccessTokenDto { access_key_id, access_key_secret };
        let answer = client.get_management_token().body(body).send().await?;
        Ok((answer.access_token.clone(), answer.expires_in))
    })
}
