//! The document's security schemes, and the kinds of credentials that meet them.

use serde_json::Value;

use super::json::text;

/// A security scheme with its name in the document. They sort in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Scheme {
    pub(super) kind: Kind,
    pub(super) name: String,
}

/// The kind of credential that meets a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An app's id, in the header whose name is the dialect's prefix and `suffix`.
    AppId { suffix: String },
    /// An app's id and secret, as HTTP Basic authentication in the `authorization` header.
    ClientSecretBasic,
    /// An app's id and secret, as `client_id` and `client_secret` in the body.
    ClientSecretPost,
    /// A user's access token.
    UserToken,
    /// A token that an access key was exchanged for, with the id of its user pool.
    ManagementToken,
    /// An access key's signature.
    Signature,
    /// Something that no credential of the mock can meet.
    Unknown,
}

impl Scheme {
    pub(super) fn new(root: &Value, name: &str) -> Self {
        let scheme = &root["components"]["securitySchemes"][name];
        // As in the client, the name tells what OpenAPI cannot: whose token a bearer token is.
        let kind = match name {
            "clientSecretBasic" => Kind::ClientSecretBasic,
            "managementToken" => Kind::ManagementToken,
            _ => Kind::of(scheme),
        };
        Self { kind, name: name.to_owned() }
    }

    /// Returns the scheme that takes the app's secret in the body, if this one takes it in a header. OpenAPI has no
    /// scheme for that.
    pub(super) fn posted(&self) -> Self {
        match self.kind {
            Kind::ClientSecretBasic => {
                Self { kind: Kind::ClientSecretPost, name: "client_secret in the body".to_owned() }
            }
            _ => self.clone(),
        }
    }
}

impl Kind {
    fn of(scheme: &Value) -> Self {
        let word = |key: &str| text(scheme, key).to_ascii_lowercase();
        match (word("type").as_str(), word("in").as_str(), word("name").as_str(), word("scheme").as_str()) {
            ("apikey", "header", "authorization", _) => Self::Signature,
            ("apikey", "header", header, _) => match header.strip_prefix("x-genauth-") {
                Some(suffix) => Self::AppId { suffix: suffix.to_owned() },
                None => Self::Unknown,
            },
            ("http", _, _, "bearer") => Self::UserToken,
            _ => Self::Unknown,
        }
    }
}
