//! `genauth call`.

use crate::program::{genauth, server};
use genauth::mock::{MockAnswer, MockGenAuth};
use serde_json::json;

#[test]
fn any_endpoint_is_called_with_the_same_credentials_and_envelope() {
    let server = server();
    let body = json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() }).to_string();
    let run = genauth(&["call", "post", "/api/v3/get-wechat-access-token-info", "--body", "-"])
        .at(&server)
        .stdin(&body)
        .run();
    assert_eq!(run.json()["statusCode"], 200, "{run:?}");
    assert_eq!(server.take_requests()[0].header("x-genauth-app-id"), Some(MockGenAuth::APP_ID));

    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "ok", "data": [1, 2] })));
    let call = ["call", "GET", "/api/v3/list?x=1", "--query", "page=2", "--query", "name=a b&c", "--format", "data"];
    assert_eq!(genauth(&call).at(&server).run().json(), json!([1, 2]));
    assert_eq!(server.take_requests()[0].path, "/api/v3/list?x=1&page=2&name=a+b%26c");

    let missing = genauth(&["call", "GET", "/api/v3/nothing"]).at(&server).run();
    assert_eq!(missing.json()["statusCode"], 404);
    let said = missing.fails(6);
    assert!(said.contains("an undescribed GET: ") && !said.contains("nothing"), "{said}");
}

#[test]
fn a_deprecated_endpoint_says_so() {
    let server = server();
    let body = json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() }).to_string();
    let run =
        genauth(&["call", "POST", "/api/v3/get-wechat-mp-access-token", "--body", "-"]).at(&server).stdin(&body).run();
    assert!(run.code == 0 && run.stderr.starts_with("warning: `getWechatMpAccessToken` is deprecated"), "{run:?}");
}

#[test]
fn what_no_request_can_be_is_refused() {
    let server = server();
    for (arguments, named) in [
        (&["call", "GET", "api/v3/x"][..], "a path starts with `/`"),
        (&["call", "GET", "/api/../x"], "a path leads down only"),
        (&["call", "G T", "/api/v3/x"], "not an HTTP method"),
        (&["call", "GET", "/api/v3/x", "--body", "-"], "a GET request has no body"),
        (&["call", "GET", "/api/v3/x", "--query", "canary"], "not NAME=VALUE"),
        (&["call", "POST", "/api/v3/x", "--body", "-"], "not JSON"),
    ] {
        let stdin = if named == "not JSON" { "{" } else { "{}" };
        let said = genauth(arguments).at(&server).stdin(stdin).run().fails(2);
        assert!(said.contains(named) && !said.contains("canary"), "{said}");
    }
    assert_eq!(genauth(&["call", "GET"]).at(&server).run().code, 2);
    assert!(server.requests().is_empty());
}
