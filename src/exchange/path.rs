//! The path of an endpoint that the document does not describe.

use crate::operation::climbs;
use crate::{Error, ErrorKind};
use std::fmt;

/// Says what is wrong with a path, if anything.
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    let wrong = [
        (!path.starts_with('/'), "a path starts with `/`; the host is the client's"),
        (path.contains(char::is_control), "a path has no line breaks; encode what is in it"),
        (path.contains('#'), "a path has no fragment; write `#` as `%23`"),
        // A URL parser takes a backslash for a slash.
        (without_query(path).contains('\\'), "a path has no backslash; write `\\` as `%5C`"),
        (climbs(without_query(path)), "a path leads down only; leave out `.` and `..`"),
    ];
    wrong.into_iter().find(|(is_wrong, _)| *is_wrong).map_or(Ok(()), |(_, advice)| Err(advice))
}

pub(super) fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// Encodes a value, such as an id, so that it stays one segment of the path of [`Client::call`](crate::Client::call).
///
/// # Errors
///
/// [`ErrorKind::Request`] for a value that leads to another path however it is encoded: an empty one, and `.` or `..`,
/// also between slashes.
///
/// ```
/// use genauth::encode_path_segment;
///
/// assert_eq!(encode_path_segment("zhang/三 100%?")?, "zhang%2F%E4%B8%89%20100%25%3F");
/// assert_eq!(encode_path_segment(7)?, "7");
/// assert!(encode_path_segment("..").is_err() && encode_path_segment("").is_err());
/// # Ok::<(), genauth::Error>(())
/// ```
pub fn encode_path_segment(value: impl fmt::Display) -> Result<String, Error> {
    // A URL parser takes a backslash for a slash.
    let segment = progenitor_client::encode_path(&value.to_string()).replace('\\', "%5C");
    if segment.is_empty() || climbs(&segment) {
        let detail = "it is empty, or `.` or `..`, and leads to another path; check where the value comes from";
        return Err(Error::new(ErrorKind::Request, "a segment of a path", detail));
    }
    Ok(segment)
}
