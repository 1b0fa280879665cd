//! The signature of an access key: HMAC-SHA1 over the request, version 1.0.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use super::call::IncomingCall;
use super::lock::lock;
use super::refusal::Refusal;
use crate::credentials::Signature;

/// How far the time in a signature may be from the server's.
const TOLERANCE: Duration = Duration::from_secs(15 * 60);

/// The known access keys, and the nonces that were used with them. There is deliberately no `Debug`.
pub(super) struct Signatures {
    secrets: HashMap<String, String>,
    nonces: Mutex<HashSet<String>>,
}

impl Signatures {
    pub(super) fn new(secrets: HashMap<String, String>) -> Self {
        Self { secrets, nonces: Mutex::default() }
    }

    /// Whether the secret is the access key's.
    pub(super) fn belong_together(&self, key_id: &str, secret: &str) -> bool {
        self.secrets.get(key_id).is_some_and(|known| known == secret)
    }

    /// Checks `credentials`, the `KEY:SIGNATURE` of an `authorization` header.
    pub(super) fn verify(&self, call: &IncomingCall<'_>, credentials: &str) -> Result<(), Refusal> {
        let method = call.header("signature-method");
        if method != Some("HMAC-SHA1") {
            return Err(refusal(1301, "signature-method must be HMAC-SHA1"));
        }
        if call.header("signature-version") != Some("1.0") {
            return Err(refusal(1302, "signature-version must be 1.0"));
        }
        let date = call.request.header("date").ok_or_else(|| refusal(1304, "no date header"))?;
        let date = parse_date(date)
            .ok_or_else(|| refusal(1303, "date must be an HTTP date or a Unix timestamp in milliseconds"))?;
        if date.abs_diff(call.now) > TOLERANCE {
            return Err(refusal(1305, "date is more than 15 minutes from the server's"));
        }
        let nonce = call.header("signature-nonce").ok_or_else(|| refusal(1306, "no signature-nonce"))?;
        let (key_id, signature) =
            credentials.split_once(':').ok_or_else(|| refusal(1300, "authorization must be KEY:SIGNATURE"))?;
        let secret = self.secrets.get(key_id).ok_or_else(|| refusal(1300, "unknown access key"))?;
        if expected(call, secret).as_deref() != Some(signature) {
            return Err(refusal(1300, "the signature does not match the request"));
        }
        // This comes last, so that only the owner of the key can use up a nonce.
        if !lock(&self.nonces).insert(nonce.to_owned()) {
            return Err(refusal(1306, "signature-nonce was used before"));
        }
        Ok(())
    }
}

fn refusal(api_code: u32, message: &str) -> Refusal {
    Refusal::new(401, message).api_code(api_code)
}

/// Reads a `date` header as the time since the Unix epoch.
fn parse_date(date: &str) -> Option<Duration> {
    if date.bytes().all(|byte| byte.is_ascii_digit()) {
        return date.parse().ok().map(Duration::from_millis);
    }
    httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Returns the signature that the owner of the key would make for the request.
fn expected(call: &IncomingCall<'_>, secret: &str) -> Option<String> {
    let headers = call.request.headers.iter();
    let headers = headers.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect();
    let signature = Signature {
        method: &call.request.method,
        path: call.path,
        query: Some(call.query),
        headers: &headers,
        body: &call.request.body,
        prefix: call.dialect.prefix(),
    };
    signature.compute(secret).ok()
}
