//! What is true of WeChat's token cache is true of everything that a keeper holds: each user of the keeper passes the
//! same tests. What a keeper does on a scripted clock is tested beside it.

use genauth::mock::{MockAnswer, MockGenAuth, MockTarget};
use genauth::types::GetWechatAccessTokenDto;
use genauth::wechat::{AppTokens, TokenCache};
use genauth::{AccessKeyUse, Client, Error, ErrorKind, Method, PasswordEncryptor};
use serde_json::json;
use std::time::Duration;

/// What a keeper holds, by its user.
#[derive(Clone)]
enum Kept {
    WechatToken(AppTokens),
    ManagementToken(Client),
    OidcKeys(genauth::oidc::TokenVerifier),
    PasswordKeys(PasswordEncryptor),
}

impl Kept {
    /// One of each kind, with a server of its own and the path that it is fetched from.
    async fn all() -> Vec<(Self, MockGenAuth, &'static str)> {
        let mut all = Vec::new();
        for path in [
            "/api/v3/get-wechat-access-token-info",
            "/api/v3/get-management-token",
            "/oidc/.well-known/jwks.json",
            "/api/v3/system",
        ] {
            let server = MockGenAuth::start().await.unwrap();
            server.route(Method::GET, "/oidc/.well-known/jwks.json", |_| {
                MockAnswer::http(200, "application/json", json!({ "keys": [] }).to_string())
            });
            let client = server.client_builder().retries(0).build().unwrap();
            let app_secret = server.wechat_app_secret().into();
            let app = GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret };
            let kept = match path {
                "/api/v3/get-wechat-access-token-info" => Self::WechatToken(TokenCache::new(client).app(&app)),
                "/api/v3/get-management-token" => {
                    let client = Client::builder(server.url())
                        .access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET)
                        .access_key_use(AccessKeyUse::ManagementToken);
                    Self::ManagementToken(client.retries(0).build().unwrap())
                }
                "/api/v3/system" => Self::PasswordKeys(PasswordEncryptor::new(&client)),
                _ => Self::OidcKeys(client.oidc().verifier().unwrap()),
            };
            all.push((kept, server, path));
        }
        all
    }

    /// Makes a call that needs what is kept.
    async fn need(self) -> Result<(), Error> {
        match self {
            Self::WechatToken(tokens) => tokens.get().await.map(drop),
            Self::ManagementToken(client) => client
                .call::<_, serde_json::Value>(Method::POST, "/api/v3/no-such-endpoint", &json!({}))
                .await
                .map(drop),
            // The token's header says that the server's key `a` has signed it.
            Self::OidcKeys(keys) => {
                keys.access_token(&"eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AA".into()).await.map(drop)
            }
            Self::PasswordKeys(keys) => keys.rsa("password").await.map(drop),
        }
    }
}

/// Whether what is kept could be used, whatever the server then said.
fn was_there(needed: Result<(), Error>) -> bool {
    match needed {
        Ok(()) => true,
        Err(error) => {
            error.kind() == ErrorKind::InvalidToken || error.http_status().is_some_and(|status| status == 404)
        }
    }
}

fn fetches(server: &MockGenAuth, path: &str) -> usize {
    server.requests().iter().filter(|request| request.path == path).count()
}

fn slowly(target: &MockTarget<'_>) {
    target.answer_always(MockAnswer::proceed().delay(Duration::from_millis(200)));
}

#[tokio::test]
async fn many_callers_cost_one_request() {
    for (kept, server, path) in Kept::all().await {
        slowly(&server.on_path(path));
        let callers: Vec<_> = (0..50).map(|_| tokio::spawn(kept.clone().need())).collect();
        for caller in callers {
            let needed = caller.await.unwrap();
            assert!(was_there(needed.clone()), "{path}: {needed:?}");
        }
        assert_eq!(fetches(&server, path), 1, "{path}");
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_takes_nothing_along() {
    for (kept, server, path) in Kept::all().await {
        slowly(&server.on_path(path));
        assert!(tokio::time::timeout(Duration::from_millis(20), kept.clone().need()).await.is_err());
        let needed = kept.need().await;
        assert!(was_there(needed.clone()), "{path}: {needed:?}");
        assert_eq!(fetches(&server, path), 1, "{path}");
    }
}

#[tokio::test]
async fn a_failure_is_remembered_for_all() {
    for (kept, server, path) in Kept::all().await {
        server.on_path(path).answer_always(MockAnswer::http(503, "text/html", "busy"));
        for _ in 0..20 {
            let error = kept.clone().need().await.unwrap_err();
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Http, true), "{path}: {error}");
        }
        assert_eq!(fetches(&server, path), 1, "{path}");
    }
}
