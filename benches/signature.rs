//! What a signature costs over the HMAC that it ends in, for a body of 1 KiB.
//!
//!     cargo bench -p genauth-benches --bench signature
//!
//! `text` is what comes before the HMAC: headers and parameters as the server's JavaScript writes them.

use divan::{Bencher, black_box};
use genauth::fuzzing::string_to_sign;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use http::header::{DATE, HeaderName, HeaderValue};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn main() {
    divan::main();
}

/// A body of 1 KiB with nine fields, among them a list and an object.
fn body() -> Vec<u8> {
    let field = |name: &str| format!("\"{name}\":\"{}\",", "x".repeat(120));
    let fields: String = ["zeta", "alpha", "mail", "phone", "name", "city"].map(field).concat();
    let rest = "\"list\":[1,2.5,\"three\"],\"object\":{\"a\":true,\"b\":null},\"last\":";
    let last = "y".repeat(1024 - 4 - fields.len() - rest.len());
    format!("{{{fields}{rest}\"{last}\"}}").into_bytes()
}

fn headers() -> HeaderMap {
    let named = [("app-id", "65f1c0ffee"), ("signature-nonce", "1b3d5f"), ("signature-method", "HMAC-SHA1")];
    let named = named.map(|(name, value)| {
        let name = HeaderName::try_from(format!("x-genauth-{name}")).expect("a name");
        (name, HeaderValue::from_static(value))
    });
    let mut headers = HeaderMap::from_iter(named);
    headers.insert(DATE, HeaderValue::from_static("Sat, 21 Nov 2026 12:00:00 GMT"));
    headers
}

fn text() -> String {
    string_to_sign("POST", "/api/v3/signin", None, &headers(), &body(), "x-genauth-").expect("a text")
}

#[divan::bench(name = "text", sample_size = 100, sample_count = 500)]
fn text_alone(bencher: Bencher<'_, '_>) {
    let (headers, body) = (headers(), body());
    bencher.bench(|| string_to_sign("POST", "/api/v3/signin", None, &headers, black_box(&body), "x-genauth-"));
}

/// Computes the HMAC of that text with the library that signs.
#[divan::bench(sample_size = 100, sample_count = 500)]
fn hmac(bencher: Bencher<'_, '_>) {
    let text = text();
    bencher.bench(|| hmac_sha1_compact::HMAC::mac(black_box(text.as_bytes()), SECRET));
}

/// Computes the same with a library that uses the processor's instructions for it.
#[divan::bench(sample_size = 100, sample_count = 500)]
fn hmac_by_the_processor(bencher: Bencher<'_, '_>) {
    let text = text();
    bencher.bench(|| {
        let mut hmac = Hmac::<sha1::Sha1>::new_from_slice(SECRET).expect("any key will do");
        hmac.update(black_box(text.as_bytes()));
        hmac.finalize().into_bytes()
    });
}
