//! A web server whose handler calls WeChat with a cached token, and gets a newer one when WeChat rejects it.
//!
//!     cargo run --example wechat_server
//!
//! GenAuth and WeChat are played by servers inside the process. Between two requests another system fetches a token for
//! the same WeChat app, so that ours dies before its time: the visitor does not notice.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{AppTokens, TokenCache, TokenUse};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the handlers share.
#[derive(Clone)]
struct Shop {
    tokens: AppTokens,
    http: reqwest::Client,
    wechat: String,
}

/// The handler: returns the menu of the official account.
async fn menu(State(shop): State<Shop>) -> Result<Json<Value>, (StatusCode, &'static str)> {
    let Shop { tokens, http, wechat } = &shop;
    let answer = tokens.with_token(|token| async move {
        let request = http.get(format!("{wechat}/cgi-bin/menu/get"));
        let request = request.query(&[("access_token", token.expose_secret())]);
        // WeChat wants the token in the URL; it must not get into an error from there.
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let answer: Value = answer.json().await.map_err(reqwest::Error::without_url)?;
        let errcode = answer["errcode"].as_i64().unwrap_or_default();
        println!("  WeChat answered errcode {errcode}");
        Ok::<_, Failure>(TokenUse::by_errcode(errcode, answer))
    });
    answer.await.map(Json).map_err(|error| {
        eprintln!("error: {error}");
        (StatusCode::BAD_GATEWAY, "WeChat cannot be reached; please try again")
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    // reqwest needs a provider, since this program enables none of its TLS features. An error only means that one is
    // installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Both sides share a clock, so that hours pass while you watch.
    let seconds = Arc::new(AtomicU64::new(1_800_000_000));
    let read = Arc::clone(&seconds);
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::Relaxed));
    let genauth = Arc::new(MockGenAuth::builder().clock(now.clone()).start().await?);
    let wechat = serve(play_wechat(Arc::clone(&genauth))).await?;

    let client = genauth.client_builder().clock(now).build()?;
    let app_secret = genauth.wechat_app_secret().into();
    let app = GetWechatAccessTokenDto { app_id: genauth.wechat_app_id().to_owned(), app_secret };
    let shop = Shop {
        tokens: TokenCache::new(client).app(&app),
        http: reqwest::Client::builder().no_proxy().build()?,
        wechat,
    };
    let url = serve(Router::new().route("/menu", get(menu)).with_state(shop.clone())).await?;
    let visit = async || -> Result<(), Failure> {
        let answer = shop.http.get(format!("{url}/menu")).send().await?.error_for_status()?;
        println!("  the visitor sees {}", answer.text().await?);
        Ok(())
    };

    println!("Three visitors:");
    for _ in 0..3 {
        visit().await?;
    }
    println!("Another system fetches a token for the same WeChat app; five minutes later ours is dead:");
    genauth.rotate(genauth.wechat_app_id());
    seconds.fetch_add(300, Ordering::Relaxed);
    visit().await?;
    let stats = shop.tokens.stats();
    println!(
        "Requests to GenAuth: {}; tokens that WeChat rejected: {}.",
        genauth.requests().len(),
        stats.invalidations
    );
    Ok(())
}

/// Plays the part of WeChat that is needed here.
fn play_wechat(genauth: Arc<MockGenAuth>) -> Router {
    Router::new().route(
        "/cgi-bin/menu/get",
        get(async move |Query(query): Query<HashMap<String, String>>| {
            let alive = query.get("access_token").is_some_and(|token| genauth.token_is_alive(token));
            Json(if alive {
                json!({ "menu": { "button": [] } })
            } else {
                json!({ "errcode": 40001, "errmsg": "invalid credential" })
            })
        }),
    )
}

async fn serve(router: Router) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(url)
}
