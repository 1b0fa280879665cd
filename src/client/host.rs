//! Which hosts a client speaks to.

use crate::Error;
use crate::operation::OPERATIONS;
use reqwest::Url;
use std::sync::OnceLock;

/// A checked host: `https`, or `http` to this machine, without user info, query, fragment or a slash at the end.
pub(crate) struct Host {
    url: Url,
    text: String,
    /// The URL of each operation, by its place in the table. It is parsed once, since that takes longer than everything
    /// else that this crate does for a call.
    of_operations: Box<[OnceLock<Url>]>,
}

impl Host {
    pub(crate) fn parse(host: &str, plain_http: bool) -> Result<Self, Error> {
        // The URL parser would drop line breaks.
        let url = Url::parse(host.trim()).ok().filter(|_| !host.trim().contains(char::is_control));
        let url =
            url.ok_or_else(|| Error::configuration("the host is not a URL; write it as https://example.genauth.ai"))?;
        let text = url.as_str().trim_end_matches('/').to_owned();
        let of_operations = OPERATIONS.iter().map(|_| OnceLock::new()).collect();
        let host = Self { url, text, of_operations };
        // The error does not repeat the host: somebody may have put a password into it.
        let detail = if !matches!(host.url.scheme(), "https" | "http") {
            "the host's URL does not start with https://; write it as https://example.genauth.ai"
        } else if host.name().is_empty() {
            "the host has no name; write it as https://example.genauth.ai"
        } else if !host.url.username().is_empty() || host.url.password().is_some() {
            "the host holds a user name or password; leave it out and use `.app(..)`"
        } else if host.url.query().is_some() || host.url.fragment().is_some() {
            "the host holds a query or a fragment; leave out what starts with `?` or `#`"
        } else if !host.is_https() && !host.is_loopback() && !plain_http {
            "the host is not this machine, and http:// would show every secret on the way; write https://, or say `.dangerously_allow_plain_http()`"
        } else {
            return Ok(host);
        };
        Err(Error::configuration(detail))
    }

    /// Returns the URL as text, without a slash at the end so that a path can follow.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the name alone, without scheme, port and path.
    pub(crate) fn name(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns the path that all others follow: empty, or with a slash at its start and none at its end.
    pub(crate) fn base_path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Returns the URL of a path, which starts with a slash.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        match self.base_path() {
            "" => url.set_path(path),
            base => url.set_path(&format!("{base}{path}")),
        }
        url
    }

    /// Returns the URL of the operation at this place in the table; its path must not have a parameter.
    pub(crate) fn url_of(&self, operation: usize) -> Url {
        self.of_operations[operation].get_or_init(|| self.url(OPERATIONS[operation].path)).clone()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.name();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        match address {
            Ok(address) => address.to_canonical().is_loopback(),
            // Names below `localhost`, or with a dot at the end, may be looked up at a name server, which may say
            // anything.
            Err(_) => name == "localhost",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(host: &str) -> Result<String, String> {
        Host::parse(host, false).map(|host| host.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn hosts_that_work() {
        for (given, used) in [
            ("https://example.genauth.ai", "https://example.genauth.ai"),
            ("https://example.genauth.ai/", "https://example.genauth.ai"),
            ("  https://example.genauth.ai\n", "https://example.genauth.ai"),
            ("HTTPS://Example.GenAuth.ai:8443/base/path//", "https://example.genauth.ai:8443/base/path"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.1.2.3", "http://127.1.2.3"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(parsed(given).as_deref(), Ok(used), "{given}");
        }
    }

    #[test]
    fn hosts_that_are_refused_each_with_a_sentence_that_does_not_repeat_it() {
        for (given, reason) in [
            ("", "is not a URL"),
            ("example.genauth.ai", "is not a URL"),
            ("example.genauth.ai:443", "does not start with https://"),
            ("ftp://example.genauth.ai", "does not start with https://"),
            ("file:///canary", "does not start with https://"),
            ("https://", "is not a URL"),
            ("https://example.gen\nauth.ai", "is not a URL"),
            ("https://example.genauth.ai/\tcanary", "is not a URL"),
            ("https://example.genauth.ai:99999", "is not a URL"),
            ("data:text/plain,canary", "does not start with https://"),
            ("https://user@example.genauth.ai", "user name or password"),
            ("https://user:canary@example.genauth.ai", "user name or password"),
            ("https://example.genauth.ai?canary=1", "query or a fragment"),
            ("https://example.genauth.ai#canary", "query or a fragment"),
            ("http://example.genauth.ai", "dangerously_allow_plain_http"),
            ("http://10.0.0.1", "dangerously_allow_plain_http"),
            ("http://genauth.localhost", "dangerously_allow_plain_http"),
            ("http://localhost.example.com", "dangerously_allow_plain_http"),
            ("http://localhost.", "dangerously_allow_plain_http"),
            ("http://localhost..:3000", "dangerously_allow_plain_http"),
            ("http://127.0.0.1.example.com", "dangerously_allow_plain_http"),
            ("http://[::2]", "dangerously_allow_plain_http"),
            ("https://[fe80::1%25eth0]", "is not a URL"),
        ] {
            let error = parsed(given).expect_err(given);
            assert!(error.contains(reason), "{given}: {error}");
            assert!(!error.contains("canary"), "{given}: {error}");
        }
    }

    #[test]
    fn plain_http_elsewhere_works_once_asked_for_in_so_many_words() {
        assert!(Host::parse("http://10.0.0.1", true).is_ok());
        assert!(Host::parse("ftp://10.0.0.1", true).is_err());
    }
}
