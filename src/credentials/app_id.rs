//! The application's id.

use super::dialect::Header;
use super::header_value::header_value;
use super::kind::{Holding, Outgoing};
use crate::Error;
use http::HeaderValue;

#[derive(Clone, Default)]
pub(crate) struct AppId(pub(crate) Option<HeaderValue>);

impl AppId {
    pub(crate) fn new(id: Option<&str>) -> Result<Self, Error> {
        id.map(|id| header_value(id, "app id")).transpose().map(Self)
    }

    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        Holding { setter: "`.app(..)`", is_held: self.0.is_some(), secret: None }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.put(Header::RequestFrom, HeaderValue::from_static("sdk"));
        outgoing.put(Header::AppId, self.0.clone());
        Ok(())
    }
}
