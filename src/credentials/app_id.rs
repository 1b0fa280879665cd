//! The application's id.

use super::dialect::Header;
use super::header_value::header_value;
use super::kind::{Kind, Outgoing};
use crate::{Error, SecretString};
use http::HeaderValue;

#[derive(Clone, Default)]
pub(crate) struct AppId(pub(crate) Option<HeaderValue>);

impl AppId {
    pub(crate) fn new(id: Option<&str>) -> Result<Self, Error> {
        id.map(|id| header_value(id, "app id")).transpose().map(Self)
    }
}

impl Kind for AppId {
    fn setter(&self) -> &'static str {
        "`.app(..)`"
    }

    fn is_held(&self, _user: bool) -> bool {
        self.0.is_some()
    }

    fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.put(Header::RequestFrom, HeaderValue::from_static("sdk"));
        outgoing.put_if(Header::AppId, self.0.as_ref());
        Ok(())
    }

    fn secret(&self) -> Option<&SecretString> {
        None
    }
}
