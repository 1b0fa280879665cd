//! The fields of an invocation, and how the generated code takes them.

use crate::encoding::one_line;
use crate::{Error, ErrorKind, Operation, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::pin::Pin;

/// The future of an invocation.
pub type Invoking<'a> = Pin<Box<dyn Future<Output = Result<Response<Value>, Error>> + Send + 'a>>;

/// The fields of an invocation: parameters by name, side by side with the body's fields.
pub struct Input {
    operation: &'static str,
    fields: Map<String, Value>,
}

/// The error of an unknown operation id.
pub fn unknown(operation_id: &str) -> Error {
    let detail = "there is no such operation, or the feature of its group is off; `genauth::operations()` lists them";
    Error::new(ErrorKind::Request, one_line(operation_id), detail)
}

impl Input {
    pub(crate) fn new(operation: &Operation, fields: Map<String, Value>) -> Self {
        Self { operation: operation.id, fields }
    }

    /// Takes the parameter of this name, if it was given.
    #[allow(dead_code, reason = "the document need not have an operation with parameters")]
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.fields.remove(name).map(|value| self.read(value, name)).transpose()
    }

    /// Reads the body from all fields that are left, each of which must be one of `fields`.
    pub fn body<T: DeserializeOwned>(&mut self, fields: &[&str]) -> Result<T, Error> {
        self.finish(fields)?;
        let fields = std::mem::take(&mut self.fields);
        self.read(Value::Object(fields), "the body")
    }

    /// Refuses fields that the operation does not know.
    pub fn finish(&self, known: &[&str]) -> Result<(), Error> {
        if self.fields.keys().all(|name| known.contains(&name.as_str())) {
            return Ok(());
        }
        // The unknown name is not repeated: a caller that mixes up names may have put a secret there.
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("a field is unknown; leave it out (the body's fields are: {known})");
        Err(Error::new(ErrorKind::Request, self.operation, detail))
    }

    fn read<T: DeserializeOwned>(&self, value: Value, what: &str) -> Result<T, Error> {
        // serde's own message may quote a value, and the value may be a secret.
        serde_json::from_value(value).map_err(|_| {
            let detail = format!("{what} does not have the documented fields and types; see the operation's schema");
            Error::new(ErrorKind::Request, self.operation, detail)
        })
    }
}
