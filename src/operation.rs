//! What the document says about an operation.

use crate::Credential;
use http::Method;
use std::borrow::Cow;
use std::fmt;

/// An operation of the OpenAPI document, as the build found it there. [`operations`] lists them all.
///
/// Only generated code makes one; fields may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The document's `operationId`, such as `getWechatMpAccessTokenInfo`.
    pub id: &'static str,
    /// The method of [`Client`](crate::Client), such as `get_wechat_mp_access_token_info`.
    pub method_name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{name}` where a parameter stands.
    pub path: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What the operation may be called with: alternatives, each a list of credentials that go together.
    pub credentials: &'static [&'static [Credential]],
    /// Whether sending it twice does no more than sending it once.
    pub idempotent: bool,
    /// Whether the document calls it deprecated.
    pub deprecated: bool,
    /// The `operationId` of what replaces a deprecated operation.
    pub replaced_by: Option<&'static str>,
    /// Whether the payload's `success` says if the operation was carried out.
    pub tells_success: bool,
    /// The fields of the body that hold a secret, by their names on the wire.
    pub secret_fields: &'static [&'static str],
    /// The `operationId`s that take the same body and return the same payload.
    pub siblings: &'static [&'static str],
    /// Only generated code may name this field. An extension does so from another crate, so there is no
    /// `non_exhaustive`.
    #[doc(hidden)]
    pub fellows: Fellows,
}

/// The table that an operation is in. Operations that differ only in this are equal.
#[derive(Clone, Copy)]
pub struct Fellows(pub fn() -> &'static [Operation]);

impl PartialEq for Fellows {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Fellows {}

impl fmt::Debug for Fellows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
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

    /// The operation with this `operationId` in the same document as this one, or in the crate's.
    pub(crate) fn fellow(&self, id: &str) -> Option<&'static Self> {
        let own = (self.fellows.0)().iter().find(|operation| operation.id == id);
        own.or_else(|| Self::by_id(id))
    }

    pub(crate) fn by_path(method: &Method, path: &str) -> Option<&'static Self> {
        operations().iter().find(|operation| operation.method == *method && operation.fits(path))
    }

    /// Whether a path, without the host's base path, is this operation's.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let (template, path) = (self.path.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(one, other)| one == other || one.starts_with('{') && !other.is_empty())
    }
}

/// The name of a request's operation in errors, warnings and logs. The path of an endpoint that the document does not
/// describe may hold anything, such as an invitation's code, so it is not shown.
pub(crate) fn subject(operation: Option<&'static Operation>, method: &Method) -> Cow<'static, str> {
    operation.map_or_else(|| format!("an undescribed {method}").into(), |operation| operation.id.into())
}

/// Whether a path has a `.` or `..`, for a URL parser or for a server that decodes slashes before it looks for them.
pub(crate) fn climbs(path: &str) -> bool {
    let decoded = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}
