//! What was received, and the record of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::lock;

/// How many requests the record keeps.
const CAPACITY: usize = 10_000;

/// A request as the mock received it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method, in upper case as sent: `POST`.
    pub method: String,
    /// The path as sent, with a base path and with the query if there was one: `/api/v3/x?page=1`.
    pub path: String,
    /// Names in lower case and values, in the order received; repeated names stand together.
    pub headers: Vec<(String, String)>,
    /// The body as sent. Empty if it was longer than 1 MiB.
    pub body: Bytes,
}

impl RecordedRequest {
    pub(super) fn new(parts: &Parts, body: Bytes) -> Self {
        let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path(), |target| target.as_str());
        let headers = parts.headers.iter();
        Self {
            method: parts.method.as_str().to_owned(),
            path: path.to_owned(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body,
        }
    }

    /// The first value of the header `name`, whose case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The path and the query apart.
    pub(super) fn target(&self) -> (&str, &str) {
        self.path.split_once('?').unwrap_or((&self.path, ""))
    }
}

/// Shows which headers were sent and how long the body was. Header values, query and body may hold secrets.
impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.target().0)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The last [`CAPACITY`] requests, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<VecDeque<RecordedRequest>>);

impl Log {
    pub(super) fn push(&self, request: RecordedRequest) {
        let mut requests = lock(&self.0);
        if requests.len() == CAPACITY {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    pub(super) fn copy(&self) -> Vec<RecordedRequest> {
        lock(&self.0).iter().cloned().collect()
    }

    pub(super) fn take(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut *lock(&self.0)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> RecordedRequest {
        let headers = vec![("authorization".to_owned(), "Bearer hidden".to_owned())];
        RecordedRequest { method: "POST".to_owned(), path: path.to_owned(), headers, body: "hidden".into() }
    }

    #[test]
    fn debug_shows_no_header_value_query_or_body() {
        let shown = format!("{:?}", request("/x?token=hidden"));
        assert!(shown.contains("authorization") && shown.contains("/x"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn the_oldest_requests_are_forgotten_first() {
        let log = Log::default();
        for n in 0..=CAPACITY {
            log.push(request(&n.to_string()));
        }
        let kept = log.take();
        assert_eq!((kept.len(), kept[0].path.as_str()), (CAPACITY, "1"));
        assert!(log.copy().is_empty());
    }
}
