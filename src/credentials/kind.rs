//! What all kinds of credentials have in common, and the header values they are made into.

use super::dialect::{Dialect, Header};
use crate::keeper::Held;
use crate::{Error, SecretString};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Request;
use std::time::SystemTime;

/// A kind of credential, one per security scheme of the document, and the headers that it sends. The prefix shown is
/// that of [`Dialect::GenAuth`](crate::Dialect); `x-genauth-sdk-version` and `x-genauth-lang` go out with every call.
///
/// | credential | headers |
/// |---|---|
/// | `AppId` | `x-genauth-app-id`, `x-genauth-request-from` |
/// | `UserAccessToken` | `authorization: Bearer TOKEN` |
/// | `ClientSecretBasic` | `authorization: Basic …` |
/// | `ClientSecretPost` | none; `client_id` and `client_secret` in the body |
/// | `ManagementToken` | `authorization: Bearer TOKEN`, `x-genauth-userpool-id`, the tenant's |
/// | `AccessKeySignature` | `authorization: GenAuth KEY:SIGNATURE`, `date`, `x-genauth-signature-…`, the tenant's |
///
/// Authing's scheme is `authing KEY:SIGNATURE`, and the other headers of a signature end in `nonce`, `method` and
/// `version`. The user pool is the one that the management token names; otherwise the access key's id is sent, which is
/// the user pool's id for a user pool's own key. The tenant's header, if a tenant is set, is `x-genauth-app-tenant-id`,
/// or as [`TenantHeader`](crate::TenantHeader) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// The GenAuth application's id: [`ClientBuilder::app`](crate::ClientBuilder::app).
    AppId,
    /// A signed-in user's token: [`ClientBuilder::user_access_token`](crate::ClientBuilder::user_access_token).
    UserAccessToken,
    /// The application's id and secret as HTTP Basic authentication: [`ClientBuilder::app`](crate::ClientBuilder::app)
    /// with [`ClientAuthentication::Basic`](crate::ClientAuthentication::Basic).
    ClientSecretBasic,
    /// The application's id and secret in the body: [`ClientBuilder::app`](crate::ClientBuilder::app) with
    /// [`ClientAuthentication::Post`](crate::ClientAuthentication::Post).
    ClientSecretPost,
    /// A management token, which the client fetches with its access key:
    /// [`ClientBuilder::access_key`](crate::ClientBuilder::access_key) with
    /// [`AccessKeyUse::ManagementToken`](crate::AccessKeyUse::ManagementToken).
    ManagementToken,
    /// A signature by an access key: [`ClientBuilder::access_key`](crate::ClientBuilder::access_key).
    AccessKeySignature,
}

/// What is known of one kind of credential in one client.
pub(super) struct Holding<'a> {
    /// The setter that gives a client this credential.
    pub(super) setter: &'static str,
    pub(super) is_held: bool,
    /// The part that is secret for as long as the client lives. Tokens come and go; a call that sends one knows it.
    pub(super) secret: Option<&'a SecretString>,
}

/// A request to put credentials on, and what they need to know.
pub(crate) struct Outgoing<'a> {
    pub(crate) request: &'a mut Request,
    pub(crate) subject: &'a str,
    /// The path of the host, which signatures do not cover.
    pub(crate) base_path: &'a str,
    /// The time for the date of a signature.
    pub(crate) now: SystemTime,
    /// The user's token as it was when the credentials were chosen.
    pub(crate) user_access_token: Option<&'a SecretString>,
    /// The token to send, if a management token was chosen.
    pub(crate) management_token: Option<&'a Held>,
    pub(crate) dialect: Dialect,
    /// The header that names the tenant, and its id.
    pub(crate) tenant: Option<&'a (Header, HeaderValue)>,
}

impl Outgoing<'_> {
    pub(super) fn put(&mut self, header: Header, value: impl Into<Option<HeaderValue>>) {
        if let Some(value) = value.into() {
            self.request.headers_mut().insert(header(self.dialect), value);
        }
    }

    pub(super) fn put_tenant(&mut self) {
        if let Some((header, id)) = self.tenant {
            self.put(*header, id.clone());
        }
    }

    pub(super) fn authorize(&mut self, value: Result<HeaderValue, Error>) -> Result<(), Error> {
        self.request.headers_mut().insert(AUTHORIZATION, value?);
        Ok(())
    }
}

/// The `authorization` value of a token.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    // Checked first: an empty token must not pass because of the word before it.
    header_value(token.expose_secret(), "access token")?;
    secret_value(&format!("Bearer {}", token.expose_secret()), "access token")
}

/// A header value that `Debug` hides.
pub(crate) fn secret_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    let mut value = header_value(value, what)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Twice what common servers accept for one header; Node accepts no more for all of them.
const LONGEST_HEADER: usize = 16 << 10;

/// Makes a header value, or refuses with a sentence that does not repeat it.
pub(crate) fn header_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    if value.len() > LONGEST_HEADER {
        let detail = format!("the {what} is longer than 16 KiB, too long for a header; check what it is");
        return Err(Error::configuration(detail));
    }
    let visible = !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let value = if visible { HeaderValue::from_str(value).ok() } else { None };
    value.ok_or_else(|| {
        let detail = format!(
            "the {what} is empty or holds a character that cannot be in an HTTP header; check it for line breaks"
        );
        Error::configuration(detail)
    })
}
