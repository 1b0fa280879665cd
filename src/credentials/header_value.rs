//! Texts that become the values of headers.

use crate::{Error, SecretString};
use http::HeaderValue;

/// The `authorization` of a token.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    // An empty token must not hide behind the word before it.
    header_value(token.expose_secret(), "access token")?;
    secret_value(&format!("Bearer {}", token.expose_secret()), "access token")
}

/// A header value that `Debug` hides.
pub(crate) fn secret_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    let mut value = header_value(value, what)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Twice what common servers take for a header; Node takes no more for all of them.
const LONGEST_HEADER: usize = 16 << 10;

/// A header value, refused with a sentence that does not repeat it.
pub(crate) fn header_value(value: &str, what: &str) -> Result<HeaderValue, Error> {
    if value.len() > LONGEST_HEADER {
        let detail = format!("the {what} is longer than 16 KiB, which no server takes as a header; check what it is");
        return Err(Error::configuration(detail));
    }
    let visible = !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let value = if visible { HeaderValue::from_str(value).ok() } else { None };
    value.ok_or_else(|| {
        let detail =
            format!("the {what} is empty or holds a character that no HTTP header can carry; check it for line breaks");
        Error::configuration(detail)
    })
}
