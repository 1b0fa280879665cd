//! The requests received, and the record of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::lock::lock;

/// How many requests the record keeps.
const CAPACITY: usize = 10_000;

/// How many bytes of requests the record keeps.
const BYTES: usize = 16 << 20;

/// A request as the mock received it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method as sent, such as `POST`.
    pub method: String,
    /// The path as sent, with the base path and the query if there are any: `/api/v3/x?page=1`.
    pub path: String,
    /// The names in lower case and the values, in the order received; repeated names are next to each other.
    pub headers: Vec<(String, String)>,
    /// The body as sent; empty if it was longer than 1 MiB.
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

    /// Returns the first value of the header `name`, whose case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns how many bytes of the record it takes up.
    fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|header| size_of_val(header) + header.0.len() + header.1.len());
        size_of_val(self) + self.method.len() + self.path.len() + headers.sum::<usize>() + self.body.len()
    }

    /// Returns the method to look the request up by: HEAD counts as GET, and the connection leaves out the body of its
    /// answer.
    pub(super) fn asks(&self) -> &str {
        if self.method == "HEAD" { "GET" } else { &self.method }
    }

    /// Returns the path and the query separately.
    pub(super) fn target(&self) -> (&str, &str) {
        self.path.split_once('?').unwrap_or((&self.path, ""))
    }
}

/// Shows which headers were sent and how long the body was. The header values, the query and the body may hold secrets.
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

/// The last requests, oldest first.
#[derive(Debug)]
pub(super) struct Log {
    /// The most requests, and the most bytes, to keep.
    limits: (usize, usize),
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<RecordedRequest>,
    bytes: usize,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { limits: (CAPACITY, BYTES), kept: Mutex::default() }
    }

    /// Makes a record that stays empty.
    pub(super) fn none() -> Self {
        Self { limits: (0, 0), kept: Mutex::default() }
    }

    pub(super) fn push(&self, request: &RecordedRequest) {
        let bytes = request.bytes();
        if self.limits.0 == 0 || bytes > self.limits.1 {
            return;
        }
        let mut kept = lock(&self.kept);
        while (kept.requests.len() >= self.limits.0 || kept.bytes + bytes > self.limits.1)
            && let Some(oldest) = kept.requests.pop_front()
        {
            kept.bytes -= oldest.bytes();
        }
        kept.bytes += bytes;
        kept.requests.push_back(request.clone());
    }

    pub(super) fn copy(&self) -> Vec<RecordedRequest> {
        lock(&self.kept).requests.iter().cloned().collect()
    }

    pub(super) fn take(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut *lock(&self.kept)).requests.into()
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
        let log = Log::new();
        for n in 0..=CAPACITY {
            log.push(&request(&n.to_string()));
        }
        let kept = log.take();
        assert_eq!((kept.len(), kept[0].path.as_str()), (CAPACITY, "1"));
        assert!(log.copy().is_empty());
    }

    #[test]
    fn the_record_is_bounded_in_bytes_headers_and_path_among_them() {
        let one = request("/1");
        let log = Log { limits: (CAPACITY, one.bytes() * 2), kept: Mutex::default() };
        let paths = || log.copy().into_iter().map(|request| request.path).collect::<Vec<_>>();
        ["/1", "/2", "/3"].iter().for_each(|path| log.push(&request(path)));
        assert_eq!(paths(), ["/2", "/3"]);
        log.push(&request("/as-long-as-two-of-the-others"));
        assert_eq!(paths(), ["/as-long-as-two-of-the-others"]);
        log.push(&request(&"/".repeat(one.bytes() * 2)));
        assert_eq!(paths(), ["/as-long-as-two-of-the-others"], "what does not fit at all drives nothing out");
        assert_eq!(log.take().len(), 1);
        ["/1", "/2", "/3"].iter().for_each(|path| log.push(&request(path)));
        assert_eq!(paths(), ["/2", "/3"], "what was taken takes no room");
    }
}
