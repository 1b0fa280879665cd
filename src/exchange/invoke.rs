//! Calling a described operation by its id, with JSON in and out.

use super::input::{Input, unknown};
use crate::api::Client;
use crate::{Error, Operation, Response};
use serde_json::{Map, Value};

impl Client {
    /// Calls the operation with this `operationId` through its typed builder: for programs that learn at run time what
    /// to call. `fields` holds the parameters and the body's fields side by side. An operation of an extension can be
    /// called if [`ClientBuilder::extension`](crate::ClientBuilder::extension) was given that.
    ///
    /// # Errors
    ///
    /// As the operation's `send`; [`ErrorKind::Request`](crate::ErrorKind::Request) for an unknown id, or for fields that do not fit.
    pub async fn invoke(&self, operation_id: &str, fields: Map<String, Value>) -> Result<Response<Value>, Error> {
        let input = |operation: &Operation| Input { operation: operation.id, fields };
        if let Some(operation) = Operation::by_id(operation_id) {
            return crate::api::invoke(self, operation, input(operation)).await;
        }
        let mut extensions = self.settings.extensions.iter();
        let found = extensions.find_map(|extension| Some((extension, extension.by_id(operation_id)?)));
        let (extension, operation) = found.ok_or_else(|| unknown(operation_id))?;
        (extension.invoke)(self, operation, input(operation)).await
    }
}
