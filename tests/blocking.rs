//! With the feature `blocking`, whatever can be awaited can be waited for; that blocks no other thread, and always
//! ends.

use genauth::blocking::{Wait as _, WaitEach as _};
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::{CreateUserReqDto, GetWechatAccessTokenDto, ListUsersRequestDto};
use genauth::wechat::TokenCache;
use genauth::{Error, ErrorKind};
use http::Method;
use serde_json::{Value, json};
use std::thread;
use tokio::runtime::Runtime;

/// A server on a runtime of its own, as it is on another machine.
fn server() -> (Runtime, MockGenAuth) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(MockGenAuth::start()).unwrap();
    (runtime, server)
}

fn app(server: &MockGenAuth) -> GetWechatAccessTokenDto {
    let app_secret = server.wechat_app_secret().into();
    GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret }
}

#[test]
fn operations_calls_and_tokens_are_waited_for() {
    let (_runtime, server) = server();
    let client = server.client_builder().build().unwrap();
    let token = client.get_wechat_mp_access_token_info().body(app(&server)).send().wait().unwrap();
    assert!(token.access_token.expose_secret().starts_with("61_mock_"));
    let body = json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() });
    let called = client.call::<_, Value>(Method::POST, "/api/v3/get-wechat-access-token-info", &body).wait().unwrap();
    assert_eq!(called["accessToken"], token.access_token.expose_secret());
    let tokens = TokenCache::new(client.clone());
    let kept = tokens.get(&app(&server)).wait().unwrap();
    assert_eq!(kept.expose_secret(), token.access_token.expose_secret());

    server.answer_next(MockAnswer::error(499, 2011, "no such application"));
    let refused = client.get_wechat_mp_access_token_info().body(app(&server)).send().wait().unwrap_err();
    assert_eq!((refused.kind(), refused.api_code()), (ErrorKind::Api, Some(2011)));
}

#[test]
fn many_threads_wait_at_once_and_one_request_is_made() {
    let (_runtime, server) = server();
    let tokens = TokenCache::new(server.client_builder().build().unwrap());
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| tokens.get(&app(&server)).wait().unwrap());
        }
    });
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_list_is_an_iterator_that_ends_after_an_error() {
    let (_runtime, server) = server();
    let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = client.build().unwrap();
    for number in 0..60 {
        let user = CreateUserReqDto::builder().username(format!("user{number}"));
        client.create_user().body(user).send().wait().unwrap();
    }
    let users = || client.list_users().body(ListUsersRequestDto::builder()).items().wait_each();
    let all = users().collect::<Result<Vec<_>, Error>>().unwrap();
    // The mock has one user from the start.
    assert_eq!(all.len(), 61);
    server.on("listUsers").unwrap().answer_next(MockAnswer::error(403, 1, "no"));
    let mut failing = users();
    assert_eq!(failing.next().unwrap().unwrap_err().kind(), ErrorKind::Api);
    assert!(failing.next().is_none());
}

/// In async code `wait` keeps the thread from other work, which may be intended; it neither panics nor waits for
/// itself.
#[test]
fn within_async_code_nothing_panics_or_hangs() {
    let (_runtime, server) = server();
    let client = server.client_builder().build().unwrap();
    let wechat_app = app(&server);
    let send = || client.get_wechat_mp_access_token_info().body(wechat_app.clone()).send().wait().map(drop);
    for mut builder in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async { send().unwrap() });
        let (client, app) = (client.clone(), wechat_app.clone());
        let elsewhere =
            runtime.spawn_blocking(move || client.get_wechat_mp_access_token_info().body(app).send().wait());
        runtime.block_on(elsewhere).unwrap().unwrap();
        // The cache's refresh is a task, too.
        let tokens = TokenCache::new(server.client_builder().build().unwrap());
        runtime.block_on(async { tokens.get(&wechat_app).wait().unwrap() });
    }
}

/// A caller's own error type comes through.
#[test]
fn an_error_type_of_the_callers_own_is_returned_as_it_is() {
    #[derive(Debug, PartialEq)]
    enum Own {
        Mine,
        Theirs,
    }
    impl From<Error> for Own {
        fn from(_: Error) -> Self {
            Self::Theirs
        }
    }
    assert_eq!(async { Err::<(), _>(Own::Mine) }.wait(), Err(Own::Mine));
}

/// Nobody else would drive what it waits for.
#[test]
fn on_the_thread_that_does_the_work_it_is_an_error_and_does_not_hang() {
    let (_runtime, server) = server();
    let (client, app) = (server.client_builder().build().unwrap(), app(&server));
    let task = async {
        let send = async move { client.get_wechat_mp_access_token_info().body(app).send().wait().map(drop) };
        tokio::spawn(send).await.expect("no panic")
    };
    let error = task.wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("use `.await`"), "{error}");
}
