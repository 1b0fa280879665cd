//! The GenAuth server as a source of WeChat access tokens.

use crate::keeper::{FetchedToken, Fetching, Lifetime, Source, Words};
use crate::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use crate::{Client, Error, ErrorKind, Operation, SecretString};
use http::HeaderValue;
use http::header::DATE;

/// The subject of errors about a token.
const SUBJECT: &str = "the WeChat access token";

const WORDS: Words = Words {
    subject: SUBJECT,
    rejected_again: "the server sends the very token that WeChat rejected; some other system fetches tokens for this WeChat \
                     app from WeChat itself: let it take them from this server",
    rejected_always: "WeChat rejects every new token as well; check that the app it is for is the one that calls WeChat",
};

/// The operations that return the token: this one is for apps, the next one for access keys.
pub(super) const FOR_APPS: &str = "getWechatMpAccessTokenInfo";
const FOR_ACCESS_KEYS: &str = "getWeixinAccessToken";

/// Returns the operation that fits the credentials of a client.
pub(super) fn usual_operation(client: &Client) -> &'static str {
    let credentials = &client.settings.credentials;
    if credentials.access_key_id().is_some() && credentials.app_id.0.is_none() { FOR_ACCESS_KEYS } else { FOR_APPS }
}

/// The server as the source of one WeChat app's token.
pub(super) struct GenAuthServer {
    pub(super) client: Client,
    /// The `operationId` of the operation to ask for tokens.
    pub(super) operation: String,
    pub(super) app: GetWechatAccessTokenDto,
}

impl GenAuthServer {
    /// Returns what tells tokens apart besides the WeChat app's secret: the host, the credentials that ask for the
    /// token, the operation and the WeChat app's id.
    pub(super) fn parts(&self) -> [Option<&[u8]>; 6] {
        let credentials = &self.client.settings.credentials;
        [
            Some(self.client.settings.host.as_str().as_bytes()),
            credentials.app_id.0.as_ref().map(HeaderValue::as_bytes),
            credentials.access_key_id().map(str::as_bytes),
            credentials.tenant.as_ref().map(|(_, id)| id.as_bytes()),
            Some(self.operation.as_bytes()),
            Some(self.app.app_id.as_bytes()),
        ]
    }
}

impl Source for GenAuthServer {
    fn fetch(&self) -> Fetching<'_> {
        let Self { client, operation, app } = self;
        Box::pin(async move {
            let operation = Operation::by_id(operation).ok_or_else(|| {
                Error::new(ErrorKind::Configuration, SUBJECT, "the document has no operation that returns it")
            })?;
            let answer = client.call::<_, GetWechatAccessTokenDataDto>(operation.method.clone(), operation.path, app);
            let answer = answer.documented().send().await?;
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
            let lifetime = Lifetime::Until { expires_at: answer.expires_at, date };
            Ok(FetchedToken { secret: answer.access_token.clone(), made: None, lifetime })
        })
    }

    fn words(&self) -> Words {
        WORDS
    }

    fn user(&self) -> Option<SecretString> {
        self.client.settings.credentials.user_access_token.get()
    }
}
