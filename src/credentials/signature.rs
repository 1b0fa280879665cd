//! The access key's signature: HMAC-SHA1, version 1.0, over method, headers, path and parameters.
//!
//! The server signs what its JavaScript makes of the request, so this writes parameters as `JSON.stringify` does. The
//! text that is signed holds the secrets of the body and is as secret as they are: it leaves this file only for fuzz
//! targets.

use crate::json::Json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac_sha1_compact::HMAC;
use http::HeaderMap;
use zeroize::Zeroizing;

/// The parts of a request that are signed, as they will be sent.
pub(crate) struct Signature<'a> {
    pub(crate) method: &'a str,
    /// The path, without the base path of the host.
    pub(crate) path: &'a str,
    /// Percent-encoded, as in a URL.
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    /// The JSON body; empty if there is none.
    pub(crate) body: &'a [u8],
    /// The prefix of the dialect's headers.
    pub(crate) prefix: &'static str,
}

impl Signature<'_> {
    /// The signature in Base64.
    pub(crate) fn compute(&self, access_key_secret: &str) -> Result<String, &'static str> {
        let text = self.string_to_sign()?;
        Ok(STANDARD.encode(HMAC::mac(text.as_bytes(), access_key_secret.as_bytes())))
    }

    pub(crate) fn string_to_sign(&self) -> Result<Zeroizing<String>, &'static str> {
        let mut text = Zeroizing::new(String::with_capacity(512 + self.body.len()));
        text.extend([self.method, "\n"]);
        let signed = |name: &str| name == "date" || name.starts_with(self.prefix);
        let mut headers = Vec::new();
        for (name, value) in self.headers.iter().filter(|(name, _)| signed(name.as_str())) {
            let value = value.to_str().map_err(|_| "a header is not ASCII")?;
            let value = value.replace(['\t', '\r', '\n', '\u{c}'], " ");
            headers.push((name.as_str().to_owned(), Zeroizing::new(value)));
        }
        sort(&mut headers);
        for (name, value) in &headers {
            text.extend([name, ":", value.trim(), "\n"]);
        }
        text.push_str(self.path);
        let mut parameters = self.parameters()?;
        sort(&mut parameters);
        for (index, (key, value)) in parameters.iter().enumerate() {
            text.extend([if index == 0 { "?" } else { "&" }, key, "=", value]);
        }
        Ok(text)
    }

    /// The parameters of a GET's query; otherwise the top-level fields of the body, or a list's elements by index.
    fn parameters(&self) -> Result<Vec<(String, Zeroizing<String>)>, &'static str> {
        if self.method == "GET" {
            let decoded = form_urlencoded::parse(self.query.unwrap_or_default().as_bytes());
            return Ok(decoded.map(|(key, value)| (key.into_owned(), Zeroizing::new(value.into_owned()))).collect());
        }
        if self.body.is_empty() {
            return Ok(Vec::new());
        }
        let body = serde_json::from_slice(self.body).map_err(|_| "its body is not JSON")?;
        let fields = match body {
            Json::Object(fields) => fields,
            Json::Array(items) => items.into_iter().enumerate().map(|(i, item)| (i.to_string(), item)).collect(),
            _ => return Ok(Vec::new()),
        };
        Ok(fields.into_iter().map(|(key, value)| (key, Zeroizing::new(value.into_parameter()))).collect())
    }
}

/// Sorts by name as JavaScript compares texts; entries of the same name keep their order.
fn sort(named: &mut [(String, Zeroizing<String>)]) {
    named.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
}

/// Makes a random text for single use.
pub(super) fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    /// These were recorded from the official Node SDK, with nonce and date pinned.
    const VECTORS: &str = include_str!("../../tests/vectors/signatures.json");

    /// The vector that this crate does not follow: Node sends a GET's arrays in brackets but signs them as JSON, while
    /// this crate signs what it sends.
    const LEFT_OUT: &str = "get_query_array_and_object";

    #[test]
    fn signs_as_the_official_sdk_did_in_every_recorded_vector_but_the_one_left_out() {
        let vectors: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 18);
        let mut signed_alike = 0;
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().unwrap_or_else(|| panic!("{key} of {}", vector["name"]));
            // The headers that the SDK signed are the lines between the method and the resource.
            let signed = text("stringToSign");
            let headers: HeaderMap = signed
                .lines()
                .skip(1)
                .take_while(|line| !line.starts_with('/'))
                .map(|line| {
                    let (name, value) = line.split_once(':').unwrap();
                    (HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap())
                })
                .collect();
            let target = text("wireRequestLine").split(' ').nth(1).unwrap();
            let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
            let signature = Signature {
                method: text("method"),
                path,
                query,
                headers: &headers,
                body: text("wireBody").as_bytes(),
                prefix: "x-authing-",
            };
            let alike = text("name") != LEFT_OUT;
            assert_eq!(*signature.string_to_sign().unwrap() == signed, alike, "{}", text("name"));
            let computed = signature.compute(text("accessKeySecret")).unwrap();
            assert_eq!(computed == text("signature"), alike, "{}", text("name"));
            signed_alike += usize::from(alike);
        }
        assert_eq!(signed_alike, 17);
    }

    /// Whole requests of the official SDKs, as they went over the wire.
    const REQUESTS: &str = include_str!("../../tests/vectors/requests.json");

    #[test]
    fn signs_every_recorded_request_of_the_official_sdk_as_it_did() {
        let requests: serde_json::Value = serde_json::from_str(REQUESTS).unwrap();
        let mut signed = 0;
        for request in requests.as_array().unwrap() {
            let headers = request["headers"].as_array().unwrap().iter().map(|line| {
                let (name, value) = line.as_str().unwrap().split_once(": ").unwrap_or_default();
                (HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap())
            });
            let headers: HeaderMap = headers.collect();
            let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let Some((_, recorded)) = authorization.strip_prefix("authing ").and_then(|key| key.split_once(':')) else {
                continue;
            };
            let mut line = request["request"].as_str().unwrap().split(' ');
            let (method, target) = (line.next().unwrap(), line.next().unwrap());
            let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
            // Whatever comes before that is the base path of the host.
            let path = &path[path.find("/api/v3/").unwrap()..];
            let body = request["body"].as_str().unwrap().as_bytes();
            let signature = Signature { method, path, query, headers: &headers, body, prefix: "x-authing-" };
            let computed = signature.compute("sk-0123456789abcdef0123456789abcdef").unwrap();
            assert_eq!(computed, recorded, "{} {}", request["case"], request["request"]);
            signed += 1;
        }
        assert_eq!(signed, 10);
    }

    #[test]
    fn a_nonce_is_32_hex_digits_and_not_used_twice() {
        let (one, other) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }
}
