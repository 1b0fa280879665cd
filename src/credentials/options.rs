//! The choices that a caller has in how credentials go out.

use super::dialect::Header;
use http::HeaderValue;
use std::time::{Duration, SystemTime};

/// How an application proves itself where an operation takes its secret, such as the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `client_secret_basic`: id and secret as HTTP Basic authentication.
    #[default]
    Basic,
    /// `client_secret_post`: id and secret in the body.
    Post,
    /// `none`: the secret stays here.
    None,
}

/// What an access key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AccessKeyUse {
    /// To sign each request.
    #[default]
    Signature,
    /// To fetch a management token, which the client keeps, shares among its clones and renews before it expires, or
    /// when the server rejects it, though not twice within five seconds.
    ///
    /// While the server gives none, calls get the error of the last try: for a second, for half a minute if it was a
    /// refusal, or for as long as its `Retry-After` asks, up to a minute. Then the next call tries again.
    ManagementToken,
}

/// The header that names the tenant. The official SDKs do not agree on it, and no document says what servers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TenantHeader {
    /// `x-genauth-app-tenant-id`, as the API's documents and the SDK for Go have it.
    #[default]
    AppTenantId,
    /// `x-genauth-tenant-id`, as the SDK for Java has it.
    TenantId,
    /// `x-genauth-app-id`, as the SDKs for Node have it.
    AppId,
}

impl TenantHeader {
    pub(super) fn header(self) -> Header {
        match self {
            Self::AppTenantId => Header::AppTenantId,
            Self::TenantId => Header::TenantId,
            Self::AppId => Header::AppId,
        }
    }
}

/// How a signed request tells its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignatureDate {
    /// As an HTTP date, such as `Sat, 21 Nov 2026 08:46:58 GMT`.
    #[default]
    HttpDate,
    /// As Unix time in milliseconds, which some servers ask for (apiCode 1303).
    UnixMilliseconds,
}

impl SignatureDate {
    /// The header; none for a moment that cannot be told: before 1970 or after 9999.
    pub(super) fn of(self, now: SystemTime) -> Option<HeaderValue> {
        const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
        let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).ok().filter(|since| *since < YEAR_10000)?;
        match self {
            Self::HttpDate => HeaderValue::from_str(&httpdate::fmt_http_date(now)).ok(),
            Self::UnixMilliseconds => HeaderValue::from_str(&since_1970.as_millis().to_string()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_told_in_either_form_and_a_clock_out_of_range_is_no_panic() {
        let epoch = SystemTime::UNIX_EPOCH;
        let moment = epoch + Duration::from_millis(1_798_761_600_123);
        assert_eq!(SignatureDate::HttpDate.of(moment).unwrap(), "Fri, 01 Jan 2027 00:00:00 GMT");
        assert_eq!(SignatureDate::UnixMilliseconds.of(moment).unwrap(), "1798761600123");
        for date in [SignatureDate::HttpDate, SignatureDate::UnixMilliseconds] {
            assert!(date.of(epoch).is_some());
            assert_eq!(date.of(epoch - Duration::from_secs(1)), None);
            assert_eq!(date.of(epoch + Duration::from_secs(253_402_300_800)), None);
        }
    }
}
