//! Passwords that go encrypted.

use crate::types::SystemInfoResp;
use crate::{Client, Error, ErrorKind, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use getrandom::SysRng;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Encrypt, PublicKey};
use sm2::pke::EncryptingKey;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the server's keys are kept.
const KEPT: Duration = Duration::from_secs(3600);
/// What the padding of PKCS#1 v1.5 takes, in bytes.
const PADDING: usize = 11;
const SUBJECT: &str = "the password";

/// When it came, and what it says.
type KeptAnswer = (Instant, Arc<SystemInfoResp>);

/// Encrypts passwords with the public keys that the server gives out, for those to whom TLS alone is not enough. It needs the
/// feature `password-encryption`.
///
/// The keys are fetched when the first password comes, by one call however many wait for them, and kept for an hour. Clones
/// share them. What comes out goes where the password would, beside a `passwordEncryptType` that says how it was encrypted.
///
/// ```
/// # #[cfg(feature = "mock")] #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = genauth::mock::MockGenAuth::start().await?;
/// # let client = server.client_builder().build()?;
/// use genauth::PasswordEncryptor;
///
/// let passwords = PasswordEncryptor::new(&client);
/// let encrypted = passwords.rsa("correct horse battery staple").await?;
/// # assert_eq!(encrypted.expose_secret().len(), 344);
/// # Ok(()) }
/// # #[cfg(not(feature = "mock"))] fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct PasswordEncryptor {
    client: Client,
    keys: Arc<Mutex<Option<KeptAnswer>>>,
}

impl PasswordEncryptor {
    /// With the keys of the client's server.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), keys: Arc::default() }
    }

    /// Encrypts by RSA with the padding of PKCS#1 v1.5, in base64: `passwordEncryptType` `rsa`.
    ///
    /// # Errors
    ///
    /// Those of `get_system_info`, [`ErrorKind::Response`] for a key that is none, and [`ErrorKind::Request`] for a password
    /// that is empty or does not fit: with a key of 2048 bits it may have 245 bytes.
    pub async fn rsa(&self, password: impl Into<SecretString>) -> Result<SecretString, Error> {
        let password = filled(password.into())?;
        let keys = self.keys().await?;
        let text = keys.rsa.public_key.as_str();
        let key = PublicKey::from_public_key_pem(text).or_else(|_| PublicKey::from_pkcs1_pem(text));
        let key = key.map_err(|_| no_key("rsa.publicKey", "a public key as PEM"))?;
        let encrypted = key.encrypt(&mut SysRng, Pkcs1v15Encrypt, password.expose_secret().as_bytes());
        let encrypted = encrypted.map_err(|_| too_long(&key))?;
        Ok(STANDARD.encode(encrypted).into())
    }

    /// Encrypts by SM2 in the order C1, C3, C2, in hexadecimal digits without the leading `04`: `passwordEncryptType` `sm2`.
    ///
    /// # Errors
    ///
    /// Those of `get_system_info`, [`ErrorKind::Response`] for a key that is none, and [`ErrorKind::Request`] for an empty
    /// password.
    pub async fn sm2(&self, password: impl Into<SecretString>) -> Result<SecretString, Error> {
        let password = filled(password.into())?;
        let keys = self.keys().await?;
        let point = bytes(keys.sm2.public_key.trim());
        let key = point.and_then(|point| EncryptingKey::from_sec1_bytes(&point).ok());
        let key = key.ok_or_else(|| no_key("sm2.publicKey", "a point of the curve in hexadecimal digits"))?;
        let encrypted = key.encrypt(&mut SysRng, password.expose_secret().as_bytes());
        let encrypted =
            encrypted.map_err(|_| Error::new(ErrorKind::Request, SUBJECT, "it cannot be encrypted by SM2"))?;
        let digits = encrypted[1..].iter().fold(String::new(), |mut digits, byte| {
            // Writing to a String cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        Ok(digits.into())
    }

    async fn keys(&self) -> Result<Arc<SystemInfoResp>, Error> {
        let mut kept = self.keys.lock().await;
        if let Some((since, keys)) = &*kept
            && since.elapsed() < KEPT
        {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(self.client.get_system_info().send().await?.into_payload());
        *kept = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }
}

fn filled(password: SecretString) -> Result<SecretString, Error> {
    if password.expose_secret().is_empty() {
        return Err(Error::new(ErrorKind::Request, SUBJECT, "it is empty; give one"));
    }
    Ok(password)
}

fn no_key(field: &str, what: &str) -> Error {
    let detail = format!("the server's `data.{field}` is not {what}; ask its operators, or send the password as it is");
    Error::new(ErrorKind::Response, "getSystemInfo", detail)
}

fn too_long(key: &PublicKey) -> Error {
    let most = key.size().saturating_sub(PADDING);
    Error::new(
        ErrorKind::Request,
        SUBJECT,
        format!("by the server's RSA key it may have {most} bytes; shorten it, or use SM2"),
    )
}

/// Of hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2)
    });
    pairs.collect()
}
