//! The mock as a server for people: its port, its pages, the operations it leaves out, and the hook for each request.

use genauth::mock::{MockAnswer, MockExchange, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, Dialect, ErrorKind};
use http::Method;
use serde_json::Value;
use std::sync::{Arc, Mutex};

fn app(server: &MockGenAuth) -> GetWechatAccessTokenDto {
    GetWechatAccessTokenDto { app_id: server.wechat_app_id().to_owned(), app_secret: server.wechat_app_secret().into() }
}

#[tokio::test]
async fn an_operation_that_is_left_out_is_unknown_and_the_others_stay() {
    let server = MockGenAuth::builder().without("getWechatMpAccessTokenInfo").start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let error = client.get_wechat_mp_access_token_info().body(app(&server)).send().await.unwrap_err();
    assert_eq!((error.kind(), error.status_code()), (ErrorKind::Api, Some(404)));
    assert_eq!(error.http_status().unwrap(), 404);
    #[allow(deprecated, reason = "the one that is left")]
    let token = client.get_wechat_access_token().body(app(&server)).send().await.unwrap();
    assert!(server.token_is_alive(token.access_token.expose_secret()));
}

#[tokio::test]
async fn a_page_takes_no_answer_and_no_place_in_the_record() {
    let page = MockAnswer::http(200, "application/json", r#"{"statusCode":200,"message":"page","data":1}"#);
    let server = MockGenAuth::builder().page("/page", page.header("x-page", "yes")).start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    server.answer_next(MockAnswer::hang_up());
    for _ in 0..2 {
        let answer = client.call::<_, Value>(Method::GET, "/page", &()).await.unwrap();
        assert_eq!((answer.message(), answer.headers()["x-page"].as_bytes()), ("page", &b"yes"[..]));
    }
    assert!(server.requests().is_empty());
    let error = client.call::<_, Value>(Method::POST, "/page", &()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "only a GET is for the page");
}

#[tokio::test]
async fn each_exchange_is_told_and_its_debug_shows_no_secret() {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let list = Arc::clone(&told);
    let hook = move |exchange: &MockExchange<'_>| {
        let code = serde_json::from_slice::<Value>(exchange.body).ok().and_then(|body| body["statusCode"].as_i64());
        let shown = format!("{exchange:?}");
        assert!(!shown.contains("canary"), "{shown}");
        list.lock().unwrap().push(format!("{} {:?} {code:?}", exchange.request.path, exchange.http_status));
    };
    let server = MockGenAuth::builder().on_exchange(hook).start().await.unwrap();
    let client = server.client_builder().retries(0).build().unwrap();
    let wrong = || GetWechatAccessTokenDto { app_id: "wx".to_owned(), app_secret: "canary".into() };
    client.get_wechat_mp_access_token_info().body(wrong()).send().await.unwrap_err();
    server.answer_next(MockAnswer::hang_up());
    client.get_wechat_mp_access_token_info().body(wrong()).send().await.unwrap_err();
    let path = "/api/v3/get-wechat-access-token-info";
    assert_eq!(*told.lock().unwrap(), [format!("{path} Some(200) Some(602)"), format!("{path} None None")]);
}

#[tokio::test]
async fn a_port_that_is_asked_for_is_the_one_or_an_error() {
    let first = MockGenAuth::start().await.unwrap();
    let port = first.url().rsplit(':').next().unwrap().parse().unwrap();
    let taken = MockGenAuth::builder().port(port).start().await.unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn a_client_tells_its_host_and_dialect() {
    let client = Client::builder("https://example.authing.cn/base/").app_id("app").build().unwrap();
    assert_eq!((client.host(), client.dialect()), ("https://example.authing.cn/base", Dialect::Authing));
    let client = Client::builder("https://example.authing.cn").dialect(Dialect::GenAuth).build().unwrap();
    assert_eq!(client.dialect(), Dialect::GenAuth);
}
