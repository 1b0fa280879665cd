//! What happens when a deprecated operation is called, or when the server calls one deprecated.

use crate::{Error, ErrorKind, Operation, UnixTimestamp};
use http::{HeaderMap, HeaderName};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A deprecated operation was called. See [`ClientBuilder::on_deprecation`](crate::ClientBuilder::on_deprecation).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeprecationNotice<'a> {
    /// The `operationId`. For an endpoint that the document does not describe, only the method, as in `an undescribed
    /// POST`: its path may hold a secret.
    pub operation: &'a str,
    /// What to use instead, if the document names it.
    pub replacement: Option<&'static Operation>,
    /// Who says so.
    pub source: DeprecationSource,
    /// Since when, or from when on, it is deprecated by the server's word (the `Deprecation` header of RFC 9745).
    pub deprecated_at: Option<UnixTimestamp>,
    /// When the server stops offering it (the `Sunset` header of RFC 8594).
    pub sunset_at: Option<UnixTimestamp>,
}

/// Who calls an operation deprecated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeprecationSource {
    /// The OpenAPI document says so. The notice comes before the request is sent.
    Document,
    /// A `Deprecation` or `Sunset` header of the server says so. The notice comes after the operation was carried out.
    Server,
}

/// What to do with a call to a deprecated operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDeprecation {
    /// Go on.
    Proceed,
    /// Fail the call with [`ErrorKind::Deprecated`]. A server's notice comes with the answer, so the operation has been
    /// carried out then.
    Refuse,
}

pub(crate) type Hook = dyn Fn(&DeprecationNotice<'_>) -> OnDeprecation + Send + Sync;

fn replacement_of(operation: &Operation) -> Option<&'static Operation> {
    operation.replaced_by.and_then(|id| operation.fellow(id))
}

/// The hook of a client, and the operations it has warned about.
#[derive(Clone)]
pub(crate) struct Notices {
    hook: Option<Arc<Hook>>,
    warned: Arc<Mutex<BTreeSet<(String, DeprecationSource)>>>,
}

impl Notices {
    pub(crate) fn new(hook: Option<Arc<Hook>>) -> Self {
        Self { hook, warned: Arc::default() }
    }

    /// Gives notice of an operation that the document calls deprecated, before it is sent.
    pub(crate) fn of_document(&self, operation: &'static Operation) -> Result<(), Error> {
        if !operation.deprecated {
            return Ok(());
        }
        self.raise(&DeprecationNotice {
            operation: operation.id,
            replacement: replacement_of(operation),
            source: DeprecationSource::Document,
            deprecated_at: None,
            sunset_at: None,
        })
    }

    /// Gives notice of an operation that the server calls deprecated, once its answer is there.
    pub(crate) fn of_server(
        &self,
        subject: &str,
        operation: Option<&'static Operation>,
        headers: &HeaderMap,
    ) -> Result<(), Error> {
        const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
        const SUNSET: HeaderName = HeaderName::from_static("sunset");
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        if !headers.contains_key(DEPRECATION) && !headers.contains_key(SUNSET) {
            return Ok(());
        }
        self.raise(&DeprecationNotice {
            operation: subject,
            replacement: operation.and_then(replacement_of),
            source: DeprecationSource::Server,
            // The value is a Date of RFC 9651, as RFC 9745 says: `@` and Unix seconds.
            deprecated_at: text(DEPRECATION)
                .and_then(|value| value.strip_prefix('@')?.parse().ok())
                .map(UnixTimestamp::from_secs),
            sunset_at: text(SUNSET).and_then(|value| httpdate::parse_http_date(value).ok()).map(UnixTimestamp::from),
        })
    }

    fn raise(&self, notice: &DeprecationNotice<'_>) -> Result<(), Error> {
        // The set is bounded because the methods of undescribed endpoints may be made up.
        const MOST: usize = 1000;
        let first = {
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            warned.len() < MOST && warned.insert((notice.operation.to_owned(), notice.source))
        };
        if first {
            tracing::warn!(
                genauth.operation_id = notice.operation,
                genauth.replacement = notice.replacement.map(|replacement| replacement.id),
                "{notice}"
            );
        }
        match self.hook.as_ref().map(|hook| hook(notice)) {
            Some(OnDeprecation::Refuse) => {
                Err(Error::new(ErrorKind::Deprecated, notice.operation, format!("refused by on_deprecation: {notice}")))
            }
            _ => Ok(()),
        }
    }
}

/// One line, such as "`getA` is deprecated; use `get_b` (/api/v3/get-b)".
impl fmt::Display for DeprecationNotice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A subject that is not an operation's id is made of words.
        let quote = if self.operation.contains(' ') { "" } else { "`" };
        write!(f, "{quote}{}{quote} is deprecated", self.operation)?;
        if self.source == DeprecationSource::Server {
            f.write_str(", says the server")?;
        }
        if let Some(deprecated_at) = self.deprecated_at {
            write!(f, ", as of {deprecated_at}")?;
        }
        if let Some(sunset_at) = self.sunset_at {
            write!(f, ", gone after {sunset_at}")?;
        }
        match self.replacement {
            Some(replacement) => write!(f, "; use `{}` ({})", replacement.method_name, replacement.path),
            None => Ok(()),
        }
    }
}
