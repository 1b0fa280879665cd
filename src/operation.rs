//! What the document says about an operation.

use http::Method;
use std::borrow::Cow;

/// An operation of the OpenAPI document, as the build found it there. [`operations`] lists them all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The document's `operationId`, such as `getWechatMpAccessTokenInfo`.
    pub id: &'static str,
    /// The method of [`Client`](crate::Client), such as `get_wechat_mp_access_token_info`.
    pub method_name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{name}` where a parameter stands.
    pub path: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// What the operation may be called with: alternatives, each a list of credentials that go together.
    pub credentials: &'static [&'static [Credential]],
    /// Whether sending it twice does no more than sending it once.
    pub idempotent: bool,
    /// Whether the document calls it deprecated.
    pub deprecated: bool,
    /// The `operationId` of what replaces a deprecated operation.
    pub replaced_by: Option<&'static str>,
    /// The fields of the body that hold a secret, by their names on the wire.
    pub secret_fields: &'static [&'static str],
    /// The `operationId`s that take the same body and answer the same payload.
    pub siblings: &'static [&'static str],
}

/// A kind of credential, one per security scheme of the document, and the headers that it sends. The prefix is that of
/// [`Dialect::GenAuth`](crate::Dialect); `x-genauth-sdk-version` and `x-genauth-lang` go out with every call.
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
/// `version`. The user pool is the one that the management token names, or else the access key's id, which is the user
/// pool's for a user pool's own key. The tenant's header, if a tenant is set, is `x-genauth-app-tenant-id`, or as
/// [`TenantHeader`](crate::TenantHeader) says.
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
    /// A token of the management side, which the client fetches for its access key:
    /// [`ClientBuilder::access_key`](crate::ClientBuilder::access_key) with
    /// [`AccessKeyUse::ManagementToken`](crate::AccessKeyUse::ManagementToken).
    ManagementToken,
    /// A signature by an access key: [`ClientBuilder::access_key`](crate::ClientBuilder::access_key).
    AccessKeySignature,
}

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// Every operation of the document, sorted by [`Operation::method_name`].
///
/// ```
/// let deprecated = genauth::operations().iter().filter(|operation| operation.deprecated);
/// assert!(deprecated.clone().all(|operation| operation.replaced_by.is_some()));
/// ```
#[must_use]
pub fn operations() -> &'static [Operation] {
    OPERATIONS
}

impl Operation {
    /// The operation with this `operationId`.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        operations().iter().find(|operation| operation.id == id)
    }

    pub(crate) fn by_path(method: &Method, path: &str) -> Option<&'static Self> {
        operations().iter().find(|operation| operation.method == *method && operation.fits(path))
    }

    /// Whether a path, without the host's own, is this operation's.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let (template, path) = (self.path.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(one, other)| one == other || one.starts_with('{') && !other.is_empty())
    }
}

/// What an error, a warning and a log call the operation of a request. The path of an endpoint that the document does
/// not describe may hold anything, an invitation's code for one, so none of them shows it.
pub(crate) fn subject(operation: Option<&'static Operation>, method: &Method) -> Cow<'static, str> {
    operation.map_or_else(|| format!("an undescribed {method}").into(), |operation| operation.id.into())
}

/// Whether a path leads up, for a URL's parser or for a server that decodes slashes before it looks for `..`.
pub(crate) fn climbs(path: &str) -> bool {
    let decoded = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}
