//! Passwords that are sent encrypted.

use crate::keeper::{FetchedToken, Fetching, Keeper, Source, Words};
use crate::{Client, Error, ErrorKind, SecretString};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use getrandom::SysRng;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Encrypt, PublicKey};
use sm2::pke::EncryptingKey;
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// The least padding of PKCS#1 v1.5, in bytes.
const PADDING: usize = 11;
const SUBJECT: &str = "the password";

/// Encrypts passwords with the public keys that the server publishes, for those to whom TLS alone is not enough. It
/// needs the feature `password-encryption`.
///
/// The keys are fetched for the first password, by one call however many callers wait for them, and refreshed after an
/// hour; if that fails, they are used for up to a day. Clones share them. The result is sent in place of the password,
/// with a `passwordEncryptType` that says how it was encrypted.
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
#[derive(Clone)]
pub struct PasswordEncryptor {
    keys: Arc<Keeper>,
}

impl PasswordEncryptor {
    /// Makes an encryptor with the keys of the client's server.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self { keys: Keeper::of_keys(Box::new(SystemKeys(client.clone())), &client.settings) }
    }

    /// Encrypts by RSA with the padding of PKCS#1 v1.5, in base64: `passwordEncryptType` `rsa`.
    ///
    /// # Errors
    ///
    /// Those of `get_system_info`, [`ErrorKind::Response`] if the server's key cannot be read, and
    /// [`ErrorKind::Request`] for a password that is empty or does not fit: with a key of 2048 bits it may have 245
    /// bytes.
    pub async fn rsa(&self, password: impl Into<SecretString>) -> Result<SecretString, Error> {
        let password = filled(password.into())?;
        let held = self.keys.get().await?;
        let text = held.made::<PublicKeys>().map(|keys| keys.rsa.as_str()).unwrap_or_default();
        let key = PublicKey::from_public_key_pem(text).or_else(|_| PublicKey::from_pkcs1_pem(text));
        let key = key.map_err(|_| no_key("rsa.publicKey", "a public key as PEM"))?;
        let encrypted = key.encrypt(&mut SysRng, Pkcs1v15Encrypt, password.expose_secret().as_bytes());
        let encrypted = encrypted.map_err(|_| too_long(&key))?;
        Ok(STANDARD.encode(encrypted).into())
    }

    /// Encrypts by SM2 in the order C1, C3, C2, in hexadecimal digits without the leading `04`: `passwordEncryptType`
    /// `sm2`.
    ///
    /// # Errors
    ///
    /// Those of `get_system_info`, [`ErrorKind::Response`] if the server's key cannot be read, and
    /// [`ErrorKind::Request`] for an empty password.
    pub async fn sm2(&self, password: impl Into<SecretString>) -> Result<SecretString, Error> {
        let password = filled(password.into())?;
        let held = self.keys.get().await?;
        let point = bytes(held.made::<PublicKeys>().map(|keys| keys.sm2.trim()).unwrap_or_default());
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
}

impl fmt::Debug for PasswordEncryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordEncryptor").finish_non_exhaustive()
    }
}

/// The source of the keys.
struct SystemKeys(Client);

/// The keys for RSA and for SM2, as the server writes them.
struct PublicKeys {
    rsa: String,
    sm2: String,
}

impl Source for SystemKeys {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            let answer = self.0.get_system_info().send().await?.into_payload();
            let keys = PublicKeys { rsa: answer.rsa.public_key, sm2: answer.sm2.public_key };
            Ok(FetchedToken::keys(format!("rsa: {}\nsm2: {}", keys.rsa, keys.sm2), keys))
        })
    }

    fn words(&self) -> Words {
        Words::of_keys("getSystemInfo")
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
        format!("with the server's RSA key it may have at most {most} bytes; shorten it, or use SM2"),
    )
}

/// Returns the bytes that hexadecimal digits stand for.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2)
    });
    pairs.collect()
}
