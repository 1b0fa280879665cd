//! The same call by this crate and by bare `reqwest`, and a server for both.

use bytes::Bytes;
use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, SecretString};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

const PATH: &str = "/api/v3/get-wechat-access-token-info";
const APP_ID: &str = "wx0123456789abcdef";
const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// An answer whose token is as long as one of WeChat's.
const ANSWER: &str = r#"{"statusCode":200,"message":"Success","data":{"accessToken":"61_dGhpcyBpcyBubyB0b2tlbiBidXQgaXMgYXMgbG9uZyBhcyBvbmUgdGhhdCBXZUNoYXQgaGFuZHMgb3V0IHRvIGl0cyBmcmllbmRz","expiresAt":4102444800}}"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BareRequest<'a> {
    app_id: &'a str,
    app_secret: &'a str,
}

/// The type that somebody writes by the API's page alone: `statusCode` decides, and only the token is wanted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareEnvelope {
    status_code: i64,
    data: Option<BareToken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareToken {
    access_token: String,
    expires_at: i64,
}

/// Both sides, ready to call one server.
pub struct Sides {
    http: reqwest::Client,
    endpoint: String,
    pub client: Client,
}

impl Sides {
    pub fn of(url: &str) -> Self {
        // A process has one default provider; which one it is does not matter to plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let headers = [
            ("x-genauth-app-id", "app"),
            ("x-genauth-lang", "zh-CN"),
            ("x-genauth-request-from", "sdk"),
            ("x-genauth-sdk-version", "bare:0.1.0"),
            ("accept", "application/json"),
        ];
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
        let http = http.default_headers(HeaderMap::from_iter(headers));
        Self {
            http: http.build().expect("a client"),
            endpoint: format!("{url}{PATH}"),
            client: Client::builder(url).app_id("app").build().expect("a client"),
        }
    }

    pub async fn bare(&self) -> usize {
        let request = self.http.post(&self.endpoint).json(&BareRequest { app_id: APP_ID, app_secret: APP_SECRET });
        let body = request.send().await.expect("an answer").bytes().await.expect("a body");
        let envelope: BareEnvelope = serde_json::from_slice(&body).expect("an envelope");
        assert_eq!(envelope.status_code, 200);
        let token = envelope.data.expect("a token");
        token.access_token.len() + usize::from(token.expires_at > 0)
    }

    pub async fn ours(&self) -> usize {
        let token = self.client.get_wechat_mp_access_token_info().body(app()).send().await.expect("a token");
        token.access_token.expose_secret().len() + usize::from(token.expires_at.as_secs() > 0)
    }
}

/// The WeChat app that both ask for.
pub fn app() -> GetWechatAccessTokenDto {
    GetWechatAccessTokenDto { app_id: APP_ID.to_owned(), app_secret: SecretString::from(APP_SECRET) }
}

/// A server that always gives the same answer, after a while, on a thread of its own.
pub struct Server {
    pub url: String,
    pub requests: Arc<AtomicUsize>,
}

impl Server {
    pub fn start(after: Duration) -> Self {
        let (sender, url) = std::sync::mpsc::channel();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            runtime().block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                sender.send(format!("http://{}", listener.local_addr().expect("an address"))).expect("a listener");
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    let _ = stream.set_nodelay(true);
                    let count = Arc::clone(&count);
                    let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                        count.fetch_add(1, Ordering::Relaxed);
                        async move {
                            let _ = request.into_body().collect().await;
                            if !after.is_zero() {
                                tokio::time::sleep(after).await;
                            }
                            Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
                        }
                    });
                    let connection = hyper::server::conn::http1::Builder::new();
                    tokio::spawn(connection.serve_connection(TokioIo::new(stream), answer));
                }
            });
        });
        Self { url: url.recv().expect("a server"), requests }
    }
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Median, and the quartiles around it.
pub fn spread(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    let at = |part: usize| numbers[numbers.len() * part / 4];
    (at(2), at(1), at(3))
}
