//! Calling a described operation by its id, with JSON in and out.

use super::input::{Input, unknown};
use crate::api::Client;
use crate::{Error, Operation, Response};
use serde_json::{Map, Value};

impl Client {
    /// Calls the operation with this `operationId` through its typed builder, for programs that only learn at run time
    /// what to call. `fields` holds the parameters and the body's fields side by side. The operations of an extension
    /// are called with `Extension::invoke`.
    ///
    /// # Errors
    ///
    /// Those of the operation's `send`, and [`ErrorKind::Request`](crate::ErrorKind::Request) for an unknown id or for
    /// fields that do not fit.
    pub async fn invoke(&self, operation_id: &str, fields: Map<String, Value>) -> Result<Response<Value>, Error> {
        let operation = Operation::by_id(operation_id).ok_or_else(|| unknown(operation_id))?;
        crate::api::invoke(self, operation, Input::new(operation, fields)).await
    }
}
