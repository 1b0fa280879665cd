//! The settings that single calls may have of their own.

use crate::api::Client;
use crate::credentials::{Dialect, Language, secret_value};
use crate::{Error, ErrorKind};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The settings in which single calls differ from their client; see [`Client::with_options`]. What is not set stays as
/// it is.
#[derive(Clone, Default)]
#[must_use]
pub struct CallOptions {
    timeout: Option<Duration>,
    retries: Option<u32>,
    language: Option<Language>,
    headers: Vec<(String, String)>,
    allow_not_done: bool,
}

impl CallOptions {
    /// Makes options that set nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does the same as [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Does the same as [`ClientBuilder::retries`](crate::ClientBuilder::retries).
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Does the same as [`ClientBuilder::language`](crate::ClientBuilder::language).
    pub fn language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// Returns a payload with `success: false` as a success instead of an [`ErrorKind::NotDone`], for callers that read
    /// `success` themselves.
    pub fn allow_not_done(mut self) -> Self {
        self.allow_not_done = true;
        self
    }

    /// Adds a header, such as one that a gateway asks for. Its value is not logged.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Does not show the headers' values.
impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .field("language", &self.language)
            .field("headers", &names)
            .field("allow_not_done", &self.allow_not_done)
            .finish()
    }
}

impl Client {
    /// Returns the same client with these settings; everything else is shared. It costs little.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a timeout of zero, and for a header that cannot be sent or that is the client's
    /// own.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = genauth::mock::MockGenAuth::start().await?;
    /// # let client = server.client_builder().user_access_token("mock-user-access-token").build()?;
    /// use genauth::CallOptions;
    /// use std::time::Duration;
    ///
    /// let hurried = CallOptions::new().timeout(Duration::from_secs(2)).retries(0).header("x-trace", "7f3a");
    /// let profile = client.with_options(&hurried)?.get_profile().send().await?;
    /// # assert_eq!(server.requests()[0].header("x-trace"), Some("7f3a"));
    /// # Ok(()) }
    /// # #[cfg(not(feature = "mock"))] fn main() {}
    /// ```
    pub fn with_options(&self, options: &CallOptions) -> Result<Self, Error> {
        let mut client = self.clone();
        if let Some(timeout) = options.timeout {
            if timeout.is_zero() {
                return Err(Error::configuration("a timeout of zero leaves no time for any call; allow some"));
            }
            client.settings.timeout = timeout;
        }
        client.settings.allow_not_done |= options.allow_not_done;
        client.settings.retry.retries = options.retries.unwrap_or(client.settings.retry.retries);
        if let Some(language) = options.language {
            Arc::make_mut(&mut client.settings.credentials).language = language;
        }
        for (name, value) in &options.headers {
            let (name, value) = own_header(name, value)?;
            client.settings.headers.insert(name, value);
        }
        Ok(client)
    }
}

/// Returns a header of the caller's, which must not be one that the client makes or signs.
fn own_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    const MADE: [HeaderName; 7] = [ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, TRANSFER_ENCODING];
    // The name is not repeated, because it is a value if the caller has mixed the two up.
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::configuration("a header's name cannot be sent; use letters, digits and hyphens"))?;
    if MADE.contains(&name) || Dialect::ALL.iter().any(|dialect| name.as_str().starts_with(dialect.prefix())) {
        let detail = format!("the header `{name}` is made by the client; leave it out");
        return Err(Error::new(ErrorKind::Configuration, "the call's options", detail));
    }
    let value = secret_value(value, &format!("value of the header `{name}`"))?;
    Ok((name, value))
}
