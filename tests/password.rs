//! Passwords that go encrypted, decrypted by OpenSSL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::{ErrorKind, PasswordEncryptor};
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

const PASSWORDS: [&str; 4] =
    ["correct horse battery staple", "p", "密码 🔑 \"\\", "0123456789012345678901234567890123456789"];

async fn start() -> (MockGenAuth, PasswordEncryptor) {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    (server, PasswordEncryptor::new(&client))
}

/// Has OpenSSL decrypt it with the private key of the document's example; `None` where there is no OpenSSL.
fn decrypted(key: &str, encrypted: &[u8]) -> Option<String> {
    let key = format!("{}/tests/vectors/{key}", env!("CARGO_MANIFEST_DIR"));
    let command = Command::new("openssl")
        .args(["pkeyutl", "-decrypt", "-inkey", &key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    if command.is_err() && std::env::var_os("GENAUTH_CI").is_none() {
        println!("skipped: there is no `openssl`");
        return None;
    }
    let mut command = command.expect("CI has OpenSSL");
    command.stdin.take().unwrap().write_all(encrypted).unwrap();
    let output = command.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Turns C1, C3 and C2, one after the other, into the form that ASN.1 gives them.
fn asn1(joined: &[u8]) -> Vec<u8> {
    fn with(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let length = match length {
            0..128 => vec![length as u8],
            128..256 => vec![0x81, length as u8],
            _ => vec![0x82, (length >> 8) as u8, length as u8],
        };
        [&[tag][..], &length, content].concat()
    }
    fn integer(digits: &[u8]) -> Vec<u8> {
        let first = digits.iter().position(|digit| *digit != 0).unwrap();
        let sign: &[u8] = if digits[first] > 127 { &[0] } else { &[] };
        with(2, &[sign, &digits[first..]].concat())
    }
    let (x, y, hash, text) = (&joined[..32], &joined[32..64], &joined[64..96], &joined[96..]);
    with(0x30, &[integer(x), integer(y), with(4, hash), with(4, text)].concat())
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[tokio::test]
async fn what_is_encrypted_by_rsa_openssl_decrypts() {
    let (_server, passwords) = start().await;
    for password in PASSWORDS {
        let encrypted = passwords.rsa(password).await.unwrap();
        let encrypted = STANDARD.decode(encrypted.expose_secret()).unwrap();
        assert_eq!(encrypted.len(), 256);
        assert_eq!(decrypted("password_rsa.pem", &encrypted).as_deref().unwrap_or(password), password);
    }
    assert_ne!(passwords.rsa("p").await.unwrap().expose_secret(), passwords.rsa("p").await.unwrap().expose_secret());
}

#[tokio::test]
async fn what_is_encrypted_by_sm2_openssl_decrypts() {
    let (_server, passwords) = start().await;
    let long = "x".repeat(1000);
    for password in PASSWORDS.into_iter().chain([&*long]) {
        // Numbers of the curve begin with a zero byte now and then, hence many rounds.
        for _ in 0..20 {
            let encrypted = passwords.sm2(password).await.unwrap();
            let encrypted = encrypted.expose_secret();
            assert!(encrypted.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)));
            assert_eq!(encrypted.len(), 2 * (64 + 32 + password.len()), "without the leading 04");
            let text = decrypted("password_sm2.pem", &asn1(&from_hex(encrypted)));
            assert_eq!(text.as_deref().unwrap_or(password), password);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_keys_are_fetched_once_and_kept_for_an_hour() {
    let (server, passwords) = start().await;
    let ten = (0..10).map(|_| {
        let passwords = passwords.clone();
        tokio::spawn(async move { passwords.rsa("p").await })
    });
    for one in ten.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    passwords.sm2("p").await.unwrap();
    assert_eq!(server.take_requests().len(), 1);
    tokio::time::advance(Duration::from_secs(3599)).await;
    passwords.sm2("p").await.unwrap();
    assert_eq!(server.take_requests().len(), 0);
    tokio::time::advance(Duration::from_secs(2)).await;
    passwords.sm2("p").await.unwrap();
    // Nobody waits for that refresh.
    while server.requests().is_empty() {
        tokio::time::advance(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn what_cannot_be_encrypted_says_why_and_shows_nothing() {
    let (server, passwords) = start().await;
    for error in [passwords.rsa("").await.unwrap_err(), passwords.sm2("").await.unwrap_err()] {
        assert_eq!((error.kind(), error.to_string().contains("it is empty")), (ErrorKind::Request, true), "{error}");
    }
    assert!(passwords.rsa("x".repeat(245)).await.is_ok());
    let error = passwords.rsa("x".repeat(246)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().contains("at most 245 bytes") && !error.to_string().contains("xxx"), "{error}");

    for (key, which) in [("no key", "rsa"), ("04zz", "sm2"), ("041", "sm2"), ("é", "sm2"), ("", "sm2"), ("00", "sm2")]
    {
        let version = json!({ "server": "1", "console": "1", "login": "1" });
        let keys =
            json!({ "rsa": { "publicKey": key }, "sm2": { "publicKey": key }, "version": version, "publicIps": [] });
        let envelope = json!({ "statusCode": 200, "message": "", "data": keys });
        server.on("getSystemInfo").unwrap().answer_always(MockAnswer::envelope(envelope));
        let passwords = PasswordEncryptor::new(&server.client_builder().build().unwrap());
        let error = if which == "rsa" { passwords.rsa("canary").await } else { passwords.sm2("canary").await };
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Response);
        assert!(error.to_string().contains(&format!("`data.{which}.publicKey` is not")), "{error}");
        assert!(!format!("{error:?} {passwords:?}").contains("canary"));
    }
    server.on("getSystemInfo").unwrap().answer_always(MockAnswer::error(500, None, "no"));
    // It may retry once, since the idle connection is closed by then.
    let passwords = PasswordEncryptor::new(&server.client_builder().retries(1).build().unwrap());
    assert_eq!(passwords.rsa("p").await.unwrap_err().status_code(), Some(500));
    server.on("getSystemInfo").unwrap().answer_as_usual();
    assert_eq!(passwords.rsa("p").await.unwrap_err().status_code(), Some(500), "remembered for a moment");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(passwords.rsa("p").await.is_ok(), "and no longer");
}
