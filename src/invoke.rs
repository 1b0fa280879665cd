//! Calling a described operation by its id, with JSON in and out.

use crate::{Client, Error, ErrorKind, Operation, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::future::Future;
use std::pin::Pin;

/// What an invocation comes to.
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Value>, Error>> + Send + 'a>>;

/// The fields of an invocation: parameters by name, and the body's fields beside them.
pub(crate) struct Input {
    operation: &'static str,
    fields: Map<String, Value>,
}

impl Client {
    /// Calls the operation with this `operationId` through its typed builder: for programs that learn at run time what
    /// to call. `fields` holds the parameters and the body's fields side by side.
    ///
    /// # Errors
    ///
    /// As the operation's `send`; [`ErrorKind::Request`] for an unknown id, or for fields that do not fit.
    pub async fn invoke(&self, operation_id: &str, fields: Map<String, Value>) -> Result<Response<Value>, Error> {
        let operation = Operation::by_id(operation_id).ok_or_else(|| unknown(operation_id))?;
        crate::api::invoke(self, operation, Input { operation: operation.id, fields }).await
    }
}

pub(crate) fn unknown(operation_id: &str) -> Error {
    let detail = "there is no such operation; `genauth::operations()` lists them";
    Error::new(ErrorKind::Request, operation_id, detail)
}

impl Input {
    /// The parameter of this name, if it was given.
    #[allow(dead_code, reason = "the document need not have an operation with parameters")]
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.fields.remove(name).map(|value| self.read(value, name)).transpose()
    }

    /// The body: all that is left.
    pub(crate) fn body<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let fields = std::mem::take(&mut self.fields);
        self.read(Value::Object(fields), "the body")
    }

    /// Refuses what no parameter took.
    #[allow(dead_code, reason = "the document need not have an operation without a body")]
    pub(crate) fn finish(&self) -> Result<(), Error> {
        match self.fields.keys().next() {
            Some(name) => {
                let detail = format!("it takes no field `{name}`; leave it out");
                Err(Error::new(ErrorKind::Request, self.operation, detail))
            }
            None => Ok(()),
        }
    }

    fn read<T: DeserializeOwned>(&self, value: Value, what: &str) -> Result<T, Error> {
        // serde's own text may quote a value, and the value may be a secret.
        serde_json::from_value(value).map_err(|_| {
            let detail = format!("{what} does not have the documented fields and types; see the operation's schema");
            Error::new(ErrorKind::Request, self.operation, detail)
        })
    }
}
