//! Turns settings into a client.

use crate::failure::Failure;
use crate::secret_input;
use crate::settings::Settings;
use genauth::wechat::RedisStore;
use genauth::{AccessKeyUse, Client, ClientAuthentication, ClientBuilder, TenantHeader};
use std::time::Duration;

/// The host in the settings.
pub(crate) fn host(settings: &Settings) -> Result<&str, Failure> {
    settings
        .text("host")
        .ok_or_else(|| Failure::configuration("no host is set; give --host https://your-host, or set GENAUTH_HOST"))
}

pub(crate) fn client(settings: &mut Settings) -> Result<Client, Failure> {
    // An id without its secret is half a credential; somebody at a terminal may know the other half.
    if settings.text("access_key_id").is_some()
        && settings.text("access_key_secret").is_none()
        && let Some(secret) = secret_input::ask("The secret of the access key")?
    {
        settings.set("access_key_secret", secret);
    }
    Ok(builder(host(settings)?, settings)?.build()?)
}

/// A builder for this host with everything that is set.
pub(crate) fn builder(host: &str, settings: &Settings) -> Result<ClientBuilder, Failure> {
    let missing = |what: &str, beside: &str, how: &str| {
        Failure::configuration(format!("{what} is missing, though {beside} is set; {how}"))
    };
    let mut builder = Client::builder(host);
    builder = match (settings.text("app_id"), settings.secret("app_secret")) {
        (Some(id), Some(secret)) => builder.app(id, secret),
        (Some(id), None) => builder.app_id(id),
        (None, Some(_)) => return Err(missing("the app id", "an app secret", "give --app-id, or set GENAUTH_APP_ID")),
        (None, None) => builder,
    };
    builder = match (settings.text("access_key_id"), settings.secret("access_key_secret")) {
        (Some(id), Some(secret)) => builder.access_key(id, secret),
        (None, None) => builder,
        (Some(_), None) => {
            let how = "give --access-key-secret-file, or set GENAUTH_ACCESS_KEY_SECRET";
            return Err(missing("the access key's secret", "its id", how));
        }
        (None, Some(_)) => {
            let how = "give --access-key-id, or set GENAUTH_ACCESS_KEY_ID";
            return Err(missing("the access key's id", "its secret", how));
        }
    };
    if let Some(token) = settings.secret("access_token") {
        builder = builder.user_access_token(token);
    }
    if settings.text("access_key_use") == Some("management-token") {
        builder = builder.access_key_use(AccessKeyUse::ManagementToken);
    }
    match settings.text("client_authentication") {
        Some("basic") => builder = builder.client_authentication(ClientAuthentication::Basic),
        Some("post") => builder = builder.client_authentication(ClientAuthentication::Post),
        Some(_) => builder = builder.client_authentication(ClientAuthentication::None),
        None => {}
    }
    if let Some(id) = settings.text("tenant_id") {
        builder = builder.tenant_id(id);
    }
    match settings.text("tenant_header") {
        Some("tenant-id") => builder = builder.tenant_header(TenantHeader::TenantId),
        Some("app-id") => builder = builder.tenant_header(TenantHeader::AppId),
        _ => {}
    }
    if let Some(dialect) = settings.text("dialect") {
        builder = builder.dialect(dialect.parse()?);
    }
    if let Some(language) = settings.text("lang") {
        builder = builder.language(language.parse()?);
    }
    builder = builder.timeout(timeout(settings)?);
    if let Some(retries) = settings.text("retries") {
        let retries =
            retries.parse().map_err(|_| Failure::configuration("the retries are not a whole number; correct them"))?;
        builder = builder.retries(retries);
    }
    if let Some(pem) = root_certificates(settings)? {
        builder = builder.root_certificates(pem);
    }
    if settings.text("dangerously_allow_plain_http").is_some() {
        builder = builder.dangerously_allow_plain_http();
    }
    Ok(builder)
}

/// How long a call may take.
pub(crate) fn timeout(settings: &Settings) -> Result<Duration, Failure> {
    let Some(seconds) = settings.text("timeout") else { return Ok(Duration::from_secs(10)) };
    let timeout = seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    timeout.ok_or_else(|| Failure::configuration("the timeout is not a number of seconds above 0; correct it"))
}

/// The PEM text of the certificates to trust besides the system's.
pub(crate) fn root_certificates(settings: &Settings) -> Result<Option<Vec<u8>>, Failure> {
    let read = |path: &str| {
        std::fs::read(path)
            .map_err(|error| Failure::configuration(format!("the root certificates in {path} cannot be read: {error}")))
    };
    settings.text("root_certificates").map(read).transpose()
}

/// The Redis in the settings, if there is one.
pub(crate) fn redis(settings: &Settings) -> Result<Option<RedisStore>, Failure> {
    let Some(url) = settings.text("redis") else { return Ok(None) };
    let store = RedisStore::open(url)?;
    Ok(Some(match settings.text("redis_prefix") {
        Some(prefix) => store.key_prefix(prefix),
        None => store,
    }))
}
