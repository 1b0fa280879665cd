//! What to show of a recorded request, and what of it is secret.

use genauth::mock::RecordedRequest;

/// Which strings of a body are secret.
#[derive(Clone, Copy)]
pub(crate) enum Secrecy {
    /// The strings in these fields, at any depth.
    Fields(&'static [&'static str]),
    /// All strings, since nothing tells which are secret.
    Everything,
}

impl Secrecy {
    pub(crate) fn covers(self, field: &str) -> bool {
        match self {
            // The library may add this field, if the application proves itself in the body.
            Self::Fields(fields) => fields.contains(&field) || field == "client_secret",
            Self::Everything => true,
        }
    }
}

/// The headers, without those that only concern the connection.
pub(crate) fn headers(request: &RecordedRequest) -> impl Iterator<Item = (&str, &str)> {
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    headers.filter(|(name, _)| !matches!(*name, "host" | "content-length" | "connection"))
}
