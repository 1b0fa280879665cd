//! The application's id.

use super::dialect::header;
use super::kind::{Holding, Outgoing};
use crate::Error;
use http::HeaderValue;

#[derive(Clone, Default)]
pub(crate) struct AppId(pub(crate) Option<HeaderValue>);

impl AppId {
    pub(super) fn kind(&self, _user: bool) -> Holding<'_> {
        Holding { setter: "`.app(..)`", is_held: self.0.is_some(), secret: None }
    }

    pub(super) fn apply(&self, outgoing: &mut Outgoing<'_>) -> Result<(), Error> {
        outgoing.put(header!("request-from"), HeaderValue::from_static("sdk"));
        outgoing.put(header!("app-id"), self.0.clone());
        Ok(())
    }
}
