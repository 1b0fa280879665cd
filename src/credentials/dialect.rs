//! The two brands' headers: the same ones under two prefixes.

use crate::Error;
use http::header::HeaderName;
use std::fmt;
use std::str::FromStr;

/// Which brand's headers go out.
///
/// By default a client uses the one of its host: [`Authing`](Self::Authing) for `authing.cn`, `authing.com` and their
/// subdomains, [`GenAuth`](Self::GenAuth) for every other host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// `x-genauth-…`
    #[default]
    GenAuth,
    /// `x-authing-…`
    Authing,
}

/// The language of the server's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Language {
    /// `zh-CN`, the servers' own default.
    #[default]
    SimplifiedChinese,
    /// `en-US`
    English,
    /// `zh-TW`
    TraditionalChinese,
    /// `ja-JP`
    Japanese,
}

impl Language {
    /// The header's value, such as `en-US`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SimplifiedChinese => "zh-CN",
            Self::English => "en-US",
            Self::TraditionalChinese => "zh-TW",
            Self::Japanese => "ja-JP",
        }
    }
}

/// Writes the header's value.
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the header's value, ignoring the case of letters.
impl FromStr for Language {
    type Err = Error;

    fn from_str(tag: &str) -> Result<Self, Error> {
        let all = [Self::SimplifiedChinese, Self::English, Self::TraditionalChinese, Self::Japanese];
        let found = all.into_iter().find(|language| language.as_str().eq_ignore_ascii_case(tag));
        found.ok_or_else(|| Error::configuration("the servers know the languages zh-CN, en-US, zh-TW and ja-JP"))
    }
}

/// Reads `genauth` or `authing`, ignoring the case of letters.
impl FromStr for Dialect {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "genauth" => Ok(Self::GenAuth),
            "authing" => Ok(Self::Authing),
            _ => Err(Error::configuration("a dialect is `genauth` or `authing`")),
        }
    }
}

/// The name of a header in each dialect.
pub(crate) type Header = fn(Dialect) -> HeaderName;

/// Makes the [`Header`] of this name, which is given without the prefix.
macro_rules! header {
    ($name:literal) => {
        |dialect: $crate::Dialect| match dialect {
            $crate::Dialect::GenAuth => const { http::HeaderName::from_static(concat!("x-genauth-", $name)) },
            $crate::Dialect::Authing => const { http::HeaderName::from_static(concat!("x-authing-", $name)) },
        }
    };
}
pub(super) use header;

/// The header that names the tenant. The official SDKs do not agree on it, and no document says what servers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TenantHeader {
    /// `x-genauth-app-tenant-id`, as in the API's documents and the SDK for Go.
    #[default]
    AppTenantId,
    /// `x-genauth-tenant-id`, as in the SDK for Java.
    TenantId,
    /// `x-genauth-app-id`, as in the SDKs for Node.
    AppId,
}

impl TenantHeader {
    pub(crate) fn header(self) -> Header {
        match self {
            Self::AppTenantId => header!("app-tenant-id"),
            Self::TenantId => header!("tenant-id"),
            Self::AppId => header!("app-id"),
        }
    }
}

impl Dialect {
    pub(crate) const ALL: [Self; 2] = [Self::GenAuth, Self::Authing];

    pub(crate) fn of_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let under = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if under("authing.cn") || under("authing.com") { Self::Authing } else { Self::GenAuth }
    }

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::GenAuth => "x-genauth-",
            Self::Authing => "x-authing-",
        }
    }

    /// The word before `AK:signature`.
    pub(crate) fn signature_scheme(self) -> &'static str {
        match self {
            Self::GenAuth => "GenAuth",
            Self::Authing => "authing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_tells_the_dialect_and_look_alikes_do_not() {
        for host in ["authing.cn", "api.authing.cn", "EXAMPLE.AUTHING.CN", "core.authing.com", "api.authing.cn."] {
            assert_eq!(Dialect::of_host(host), Dialect::Authing, "{host}");
        }
        for host in ["api.genauth.ai", "notauthing.cn", "authing.cn.example.com", "127.0.0.1", "id.example.com"] {
            assert_eq!(Dialect::of_host(host), Dialect::GenAuth, "{host}");
        }
    }

    #[test]
    fn a_header_of_each_dialect_starts_with_its_prefix() {
        for dialect in [Dialect::GenAuth, Dialect::Authing] {
            assert!(header!("app-id")(dialect).as_str().starts_with(dialect.prefix()));
        }
    }
}
