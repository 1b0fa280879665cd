//! Verifies tokens without asking the server about each.

use super::claims::Claims;
use super::keys::{Keys, keys};
use super::server::Oidc;
use crate::client::Clock;
use crate::{Error, ErrorKind, SecretString, UnixTimestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{CryptoProvider, rust_crypto};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The longest token that is read, in bytes: longer than any that a server issues.
const LONGEST: usize = 16 << 10;
/// The fewest bytes of an RSA key's modulus (RFC 7518, section 3.3).
const SHORTEST_RSA: usize = 256;

/// Verifies access tokens and id tokens by the server's keys, from [`Oidc::verifier`].
///
/// The keys are fetched for the first token, kept for an hour, and fetched again for a token that names an unknown key,
/// at most every half minute. Clones share them: keep one verifier, and most tokens cost no request.
///
/// A token is good if it is signed by one of these keys with that key's algorithm (RSA, ECDSA or EdDSA; HS256 only
/// where [`hs256`](Self::hs256) asks for it), was issued by the [issuer](Self::issuer) for the
/// [audience](Self::audience), and has not expired. Only [`Oidc::introspect`] can tell whether it was revoked.
#[derive(Clone)]
pub struct TokenVerifier {
    keys: Arc<Keys>,
    issuer: String,
    audience: String,
    leeway: Duration,
    app_secret: Option<SecretString>,
    now: Clock,
}

impl Oidc {
    /// Returns a verifier for the tokens of this client's app.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a client without an app's id.
    pub fn verifier(&self) -> Result<TokenVerifier, Error> {
        // If another crate has chosen a provider, that one will do. If none has, and the features of several crates
        // enable two, jsonwebtoken would panic.
        let _ = CryptoProvider::install_default(&rust_crypto::DEFAULT_PROVIDER);
        Ok(TokenVerifier {
            issuer: self.issuer(),
            audience: self.app_id()?.to_owned(),
            leeway: Duration::ZERO,
            app_secret: None,
            now: Arc::clone(&self.client.settings.now),
            keys: Arc::new(Keys::new(self.clone())),
        })
    }
}

impl TokenVerifier {
    /// Expects another `iss` than [`Oidc::issuer`], such as that of a domain of your own.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Expects another `aud` than the app's id.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// Sets how far the clocks of the server and of this machine may be apart; by default not at all.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Accepts tokens that are signed with the app's secret by HS256 as well. An app that is set to HS256 has no
    /// others; anybody who knows the secret can make them.
    #[must_use]
    pub fn hs256(mut self, app_secret: impl Into<SecretString>) -> Self {
        self.app_secret = Some(app_secret.into());
        self
    }

    /// Returns the claims of an access token, if it is good. One with a `nonce`, an `at_hash` or a `c_hash` is an id
    /// token, which does not prove that its bearer may do anything.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidToken`], which says why it is not good; those of any call if the server's keys cannot be
    /// fetched.
    pub async fn access_token(&self, token: &SecretString) -> Result<Claims, Error> {
        let (_, claims) = self.verify("the access token", token).await?;
        let of_id_token =
            claims.nonce.is_some() || ["at_hash", "c_hash"].iter().any(|name| claims.others.contains_key(*name));
        if of_id_token {
            return Err(invalid("the access token", "it is an id token; send the access token"));
        }
        Ok(claims)
    }

    /// Returns the claims of an id token, if it is good. `nonce` is that of the
    /// [authorization](super::BegunAuthorization); `None` for a token that came in another way.
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token).
    pub async fn id_token(&self, token: &SecretString, nonce: Option<&str>) -> Result<Claims, Error> {
        const SUBJECT: &str = "the id token";
        let (header, claims) = self.verify(SUBJECT, token).await?;
        let kind = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        if kind.trim_start_matches("application/") == "at+jwt" {
            return Err(invalid(SUBJECT, "it is an access token; send the id token"));
        }
        if nonce.is_some() && claims.nonce.as_deref() != nonce {
            return Err(invalid(SUBJECT, "its `nonce` is not that of this sign-in; begin again"));
        }
        let azp = claims.azp.as_ref();
        if azp.is_some_and(|azp| *azp != self.audience) || (azp.is_none() && claims.aud.len() > 1) {
            return Err(invalid(SUBJECT, "it was issued to another application (`azp`)"));
        }
        Ok(claims)
    }

    async fn verify(&self, subject: &'static str, token: &SecretString) -> Result<(Map<String, Value>, Claims), Error> {
        let token = token.expose_secret();
        let refuse = |detail: &str| Err(invalid(subject, detail));
        // No more of the token is read than it takes to refuse it.
        let parts: Vec<&str> = token.splitn(4, '.').take_while(|_| token.len() <= LONGEST).collect();
        let header = parts.first().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
        let header = header.and_then(|header| serde_json::from_slice::<Map<String, Value>>(&header).ok());
        let (Some(header), 3) = (header, parts.len()) else {
            return refuse("it is not a JWT: three parts in base64url, of which the first is a JSON object");
        };
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        // `crit` lists the extensions that have to be understood (RFC 7515, section 4.1.11). This crate understands
        // none.
        if header.contains_key("crit") {
            return refuse("its header asks for an extension (`crit`) that this crate does not know");
        }
        let algorithm = text("alg").and_then(|name| name.parse::<Algorithm>().ok());
        let algorithm = match algorithm {
            Some(Algorithm::HS256) if self.app_secret.is_some() => Algorithm::HS256,
            Some(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | None => {
                return refuse(
                    "no key of the server's signs with its algorithm; where the application is set to HS256, say \
                     `.hs256(..)`",
                );
            }
            Some(algorithm) => algorithm,
        };
        let key = match &self.app_secret {
            Some(secret) if algorithm == Algorithm::HS256 => {
                DecodingKey::from_secret(secret.expose_secret().as_bytes())
            }
            _ => self.key(subject, text("kid"), algorithm).await?,
        };
        let mut validation = Validation::new(algorithm);
        // The other claims are checked below, by this client's clock and with errors of our own.
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        validation.required_spec_claims.clear();
        let claims = match jsonwebtoken::decode::<Claims>(token, &key, &validation) {
            Ok(decoded) => decoded.claims,
            Err(error) => {
                return refuse(match error.kind() {
                    jsonwebtoken::errors::ErrorKind::InvalidSignature => "its signature is not the server's",
                    jsonwebtoken::errors::ErrorKind::Json(_) => {
                        "its claims are not what a token of the server's has: `sub`, `iss`, `aud` and `exp`"
                    }
                    _ => "it cannot be read as a JWT that a key of the server's has signed",
                });
            }
        };
        self.check(subject, &claims)?;
        Ok((header, claims))
    }

    fn check(&self, subject: &'static str, claims: &Claims) -> Result<(), Error> {
        let refuse = |detail: String| Err(invalid(subject, detail));
        let now = (self.now)().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = |time: UnixTimestamp| i128::from(time.as_secs());
        let (now, leeway) = (i128::from(now.as_secs()), i128::from(self.leeway.as_secs()));
        if claims.iss != self.issuer {
            return refuse(format!("it was issued by a server other than {}", self.issuer));
        }
        if !claims.aud.contains(&self.audience) {
            return refuse("it was issued for another application (`aud`)".to_owned());
        }
        if claims.sub.is_empty() {
            return refuse("it does not say whom it is about (`sub`)".to_owned());
        }
        if seconds(claims.exp) + leeway <= now {
            return refuse("it has expired; get a new one".to_owned());
        }
        if [claims.nbf, claims.iat].into_iter().flatten().any(|time| seconds(time) > now + leeway) {
            return refuse(
                "it is not good yet; check this machine's clock, or allow for it with `.leeway(..)`".to_owned(),
            );
        }
        Ok(())
    }

    /// Returns the server's key for the key id and the algorithm that a header names.
    async fn key(&self, subject: &'static str, kid: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Error> {
        let candidates = |keys: &[Jwk]| -> Vec<usize> {
            let fits =
                |key: &Jwk| is_for(key, algorithm) && kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
            keys.iter().enumerate().filter(|(_, key)| fits(key)).map(|(place, _)| place).collect()
        };
        let held = self.keys.with(|keys| !candidates(keys).is_empty()).await?;
        let keys = keys(&held);
        match candidates(keys)[..] {
            [place] => DecodingKey::from_jwk(&keys[place])
                .map_err(|_| invalid(subject, "the server's key for it cannot be read; ask its operators")),
            [] => Err(invalid(subject, "the server has no key that it names, for its algorithm")),
            _ => Err(invalid(subject, "it does not say which of the server's keys has signed it (`kid`)")),
        }
    }
}

/// Whether a key is meant to verify signatures of this algorithm.
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let signs = key.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
    let verifies = key.common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let named = key.common.key_algorithm.is_none_or(|of| of == algorithm.into());
    let fits = match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).unwrap_or_default();
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512) && length >= SHORTEST_RSA
        }
        AlgorithmParameters::EllipticCurve(of) => match of.curve {
            jsonwebtoken::jwk::EllipticCurve::P256 => algorithm == ES256,
            jsonwebtoken::jwk::EllipticCurve::P384 => algorithm == ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
        // This would be a secret that everybody can fetch.
        AlgorithmParameters::OctetKey(_) => false,
        #[allow(unreachable_patterns, reason = "the next version may know more")]
        _ => false,
    };
    signs && verifies && named && fits
}

fn invalid(subject: &str, detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidToken, subject, detail)
}

/// Does not show the app's secret.
impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("leeway", &self.leeway)
            .field("hs256", &self.app_secret.is_some())
            .finish_non_exhaustive()
    }
}
