//! Rejected tokens, and servers that are killed, frozen and started again.

use crate::redis::Redis;
use crate::server::TokenServer;
use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{RedisStore, TokenCache};
use std::collections::HashSet;

const APP: &str = "wx0123456789abcdef";

fn text(token: &serde_json::Value) -> String {
    token["access_token"].as_str().unwrap_or_else(|| panic!("{token}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_rejections_adds_one_request_and_all_get_the_next_token() {
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    let first = text(&server.token(APP, "x").await);
    assert!(mock.rotate(APP));
    let storm = futures_util::future::join_all((0..100).map(|_| server.stable_token(APP, "x", true)));
    let tokens: HashSet<String> = storm.await.iter().map(text).collect();
    assert_eq!((tokens.len(), mock.requests().len()), (1, 2));
    assert!(!tokens.contains(&first));
    // Within half a minute nobody gets another, as at WeChat.
    assert!(mock.rotate(APP));
    assert!(tokens.contains(&text(&server.stable_token(APP, "x", true).await)));
    assert_eq!(mock.requests().len(), 2);
}

/// If a caller is mistaken, or the server has no newer token yet, the token stays for all others.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_of_a_good_token_costs_nobody_the_token() {
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    let first = text(&server.token(APP, "x").await);
    for _ in 0..3 {
        assert_eq!(text(&server.stable_token(APP, "x", true).await), first);
        assert_eq!(text(&server.token(APP, "x").await), first);
    }
    assert_eq!(mock.requests().len(), 2);
    let log = server.end().1;
    assert_eq!(log.matches("the server answers the same one again").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_frozen_and_started_again_it_never_hands_out_a_dead_token() {
    let Some(redis) = Redis::start() else { return };
    let mock = MockGenAuth::start().await.unwrap();
    let arguments = ["--redis", &redis.url];
    let (one, other) = (TokenServer::start(&mock, &arguments), TokenServer::start(&mock, &arguments));
    let first = text(&one.token(APP, "x").await);
    assert_eq!(text(&other.token(APP, "x").await), first);
    // A program that uses the library belongs to the same fleet.
    let library = TokenCache::builder(mock.client_builder().build().unwrap());
    let library = library.redis(RedisStore::open(&redis.url).unwrap()).build().unwrap();
    let app = GetWechatAccessTokenDto { app_id: APP.to_owned(), app_secret: mock.wechat_app_secret().into() };
    assert_eq!(library.get(&app).await.unwrap().expose_secret(), first);
    assert_eq!(mock.requests().len(), 1);

    one.kill();
    let one = TokenServer::start(&mock, &arguments);
    assert_eq!((text(&one.token(APP, "x").await), mock.requests().len()), (first.clone(), 1), "it is in Redis");

    // The other server is stopped while the token is replaced.
    other.signal("STOP");
    assert!(mock.rotate(APP));
    let second = text(&one.stable_token(APP, "x", true).await);
    assert_ne!(second, first);
    other.signal("CONT");
    let third = text(&other.token(APP, "x").await);
    assert!(mock.token_is_alive(&third), "the old one is for five minutes more");
    assert_eq!(text(&other.stable_token(APP, "x", true).await), second, "from Redis");
    assert_eq!(mock.requests().len(), 2);
    for server in [one, other] {
        let (code, log) = server.end();
        assert!(code == Some(0) && !log.contains("ERROR"), "{log}");
    }
    assert!(mock.token_is_alive(&second));
}
