//! What a call costs over the same request on bare `reqwest` with `serde_json`: time one after the other, throughput of 64
//! at once, allocations.
//!
//!     cargo bench --bench call
//!
//! Both sides ask a server on another thread, in turns, so that whatever else the machine does befalls both. The ratio is
//! that of neighbouring rounds; its median and quartiles are printed.

use bytes::Bytes;
use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, SecretString};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PATH: &str = "/api/v3/get-wechat-access-token-info";
const ROUNDS: usize = 60;
const CALLS: usize = 400;
const AT_ONCE: usize = 64;
const ANSWER: &str = r#"{"statusCode":200,"message":"Success","data":{"accessToken":"61_dGhpcyBpcyBubyB0b2tlbiBidXQgaXMgYXMgbG9uZyBhcyBvbmUgdGhhdCBXZUNoYXQgaGFuZHMgb3V0IHRvIGl0cyBmcmllbmRz","expiresAt":1772618400}}"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BareRequest<'a> {
    app_id: &'a str,
    app_secret: &'a str,
}

/// What somebody writes who has read the API's page: `statusCode` decides, and the token is wanted.
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

async fn bare(client: &reqwest::Client, url: &str) -> usize {
    let request = client.post(url).timeout(Duration::from_secs(10)).header("x-genauth-app-id", "app");
    let request = request.header("x-genauth-lang", "zh-CN").header("x-genauth-request-from", "sdk");
    let request = request.header("x-genauth-sdk-version", "bare:0.1.0").header("accept", "application/json");
    let request =
        request.json(&BareRequest { app_id: "wx0123456789abcdef", app_secret: "0123456789abcdef0123456789abcdef" });
    let body = request.send().await.expect("an answer").bytes().await.expect("a body");
    let envelope: BareEnvelope = serde_json::from_slice(&body).expect("an envelope");
    assert_eq!(envelope.status_code, 200);
    let token = envelope.data.expect("a token");
    token.access_token.len() + usize::from(token.expires_at > 0)
}

async fn ours(client: &Client) -> usize {
    let app_secret = SecretString::from("0123456789abcdef0123456789abcdef");
    let app = GetWechatAccessTokenDto { app_id: "wx0123456789abcdef".to_owned(), app_secret };
    let token = client.get_wechat_mp_access_token_info().body(app).send().await.expect("a token");
    token.access_token.expose_secret().len() + usize::from(token.expires_at.as_secs() > 0)
}

/// A server that always gives the same answer, on a thread of its own.
fn serve() -> String {
    let (sender, url) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            sender.send(format!("http://{}", listener.local_addr().expect("an address"))).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.set_nodelay(true);
                let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| async {
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(connection);
            }
        });
    });
    url.recv().expect("a server")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// One after the other.
fn in_turn(runtime: &Runtime, call: &impl AsyncFn() -> usize) -> Duration {
    #[allow(clippy::disallowed_methods, reason = "time is what is measured")]
    let start = Instant::now();
    runtime.block_on(async {
        for _ in 0..CALLS {
            call().await;
        }
    });
    start.elapsed()
}

/// So many at once.
fn at_once(runtime: &Runtime, call: &impl AsyncFn() -> usize) -> Duration {
    #[allow(clippy::disallowed_methods, reason = "time is what is measured")]
    let start = Instant::now();
    runtime.block_on(async {
        for _ in 0..CALLS / AT_ONCE {
            futures_util::future::join_all((0..AT_ONCE).map(|_| call())).await;
        }
    });
    start.elapsed()
}

/// Median, and the quartiles around it.
fn spread(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    let at = |part: usize| numbers[numbers.len() * part / 4];
    (at(2), at(1), at(3))
}

fn main() {
    let (url, runtime) = (serve(), runtime());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let client = Client::builder(url.as_str()).app_id("app").build().expect("a client");
    let endpoint = format!("{url}{PATH}");
    let (bare, ours) = (async || bare(&http, &endpoint).await, async || ours(&client).await);

    // Under a profiler: the one side alone, so many calls.
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, side, calls, ..] = arguments.as_slice()
        && let Ok(calls) = calls.parse::<usize>()
    {
        for _ in 0..calls {
            runtime.block_on(async { if side == "ours" { ours().await } else { bare().await } });
        }
        return;
    }

    println!("{ROUNDS} rounds of {CALLS} calls each, in turns; ratio to bare reqwest: median (quartiles)");
    let mut rows = Vec::new();
    for (name, concurrent) in [("one after the other", false), ("64 at once", true)] {
        let (mut ratios, mut micros) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let bare = || if concurrent { at_once(&runtime, &bare) } else { in_turn(&runtime, &bare) };
            let ours = || if concurrent { at_once(&runtime, &ours) } else { in_turn(&runtime, &ours) };
            // Neither always comes after the other.
            let (theirs, mine) = if round % 2 == 0 {
                (bare(), ours())
            } else {
                let mine = ours();
                (bare(), mine)
            };
            // The first one connects.
            if round > 0 {
                ratios.push(mine.as_secs_f64() / theirs.as_secs_f64());
                let calls = if concurrent { CALLS / AT_ONCE * AT_ONCE } else { CALLS };
                micros.push(theirs.as_secs_f64() * 1e6 / calls as f64);
            }
        }
        rows.push((name, spread(ratios), spread(micros).0));
    }
    for (name, (median, low, high), micros) in rows {
        println!("{name:20} {median:.3} ({low:.3} to {high:.3}); bare: {micros:.1} µs a call");
    }
    let count = |call: &dyn Fn()| allocation_counter::measure(call).count_total;
    let allocations = |call: &dyn Fn()| {
        call();
        count(&|| (0..100).for_each(|_| call())) as f64 / 100.0
    };
    let theirs = allocations(&|| {
        runtime.block_on(bare());
    });
    let mine = allocations(&|| {
        runtime.block_on(ours());
    });
    println!("allocations a call   {mine:.1}, bare: {theirs:.1}, more: {:.1}", mine - theirs);
}
