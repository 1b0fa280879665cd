//! No secret is ever shown, except a token that the user asked for.

use crate::program::{Folder, Program, Served, genauth, serve};
use genauth::mock::{MockAnswer, MockGenAuth};
use serde_json::json;

const APP: &str = "canaryapp7f3a9c51d2";
const KEY: &str = "canarykey5d92c07ab6";
const USER: &str = "canaryuser0b64e8f713";
const WECHAT: &str = "canarywechat3e18fa604b";
const BODY: &str = "canarybody91b7d3e05f";
const REDIS: &str = "canaryredis4c02d7be18";

fn with_secrets(program: Program, host: &str) -> Program {
    program
        .env("GENAUTH_HOST", host)
        .env("GENAUTH_APP_ID", "app")
        .env("GENAUTH_APP_SECRET", APP)
        .env("GENAUTH_ACCESS_TOKEN", USER)
        .env("GENAUTH_ACCESS_KEY_ID", "key")
        .env("GENAUTH_ACCESS_KEY_SECRET", KEY)
        .env("WECHAT_APP_ID", "wx")
        .env("WECHAT_APP_SECRET", WECHAT)
        .env("GENAUTH_REDIS", &format!("redis://:{REDIS}@127.0.0.1:1/"))
}

/// Runs the program, and searches all of its output for secrets.
#[track_caller]
fn says_nothing(program: Program) -> String {
    let run = program.run();
    let said = format!("{}\n{}", run.stdout, run.stderr);
    let encoded = ["YXBwOmNhbmFyeWFwc"];
    assert!(!said.contains("canary") && !encoded.iter().any(|form| said.contains(form)), "{said}");
    said
}

fn commands() -> Vec<(Vec<&'static str>, &'static str)> {
    let phone = r#"{"extIdpConnidentifier":"wx","code":"canarybody91b7d3e05f"}"#;
    let sign_in = r#"{"connection":"PASSWORD","passwordPayload":{"account":"a","password":"canarybody91b7d3e05f"}}"#;
    let other = r#"{"x":["canarybody91b7d3e05f"]}"#;
    vec![
        (vec!["token"], ""),
        (vec!["token", "--format", "json"], ""),
        (vec!["token", "--operation", "getWeixinAccessToken"], ""),
        (vec!["doctor"], ""),
        (vec!["doctor", "--format", "json"], ""),
        (vec!["doctor", "--access-key-use", "management-token"], ""),
        (vec!["api", "get-wechat-mini-program-phone", "--body", "-"], phone),
        (vec!["api", "get-wechat-mini-program-phone", "--body", "-", "--dry-run"], phone),
        (vec!["api", "sign-in-by-credentials", "--body", "-"], sign_in),
        (vec!["api", "sign-in-by-credentials", "--body", "-", "--dry-run"], sign_in),
        (vec!["api", "sign-in-by-credentials", "--body", "-", "--dry-run", "--client-authentication", "post"], sign_in),
        (vec!["api", "get-profile", "--dry-run"], ""),
        (vec!["call", "POST", "/api/v3/x", "--body", "-"], other),
        (vec!["call", "POST", "/api/v3/x", "--body", "-", "--dry-run"], other),
        (vec!["call", "GET", "/api/v3/x?a=canarybody91b7d3e05f", "--query", "b=canarybody91b7d3e05f"], ""),
    ]
}

#[test]
fn whatever_the_server_answers_no_secret_is_shown() {
    for (arguments, stdin) in commands() {
        // A server can only repeat what it was sent.
        let sends_body = stdin.contains(BODY) || arguments.iter().any(|argument| argument.contains(BODY));
        let key = if arguments[0] == "call" { "" } else { KEY };
        let wechat = if arguments[0] == "token" { WECHAT } else { "" };
        let echo = [APP, key, USER, wechat, if sends_body { BODY } else { "" }];
        let echo = echo.join(" ");
        for answer in answers(&echo) {
            let server = serve(MockGenAuth::builder().app("app", APP).access_key("key", KEY).user_access_token(USER));
            server.answer_next(answer);
            // Nothing says whether such a call is to be the app's or the access key's.
            let program = with_secrets(genauth(&arguments), server.url()).stdin(stdin);
            let program = match arguments[0] {
                "call" => program.env("GENAUTH_ACCESS_KEY_ID", "").env("GENAUTH_ACCESS_KEY_SECRET", ""),
                // A Redis that is down costs each of these a second.
                "token" if arguments.len() > 1 => program.env("GENAUTH_REDIS", ""),
                _ => program,
            };
            let said = says_nothing(program);
            assert!(!said.trim().is_empty(), "{arguments:?}");
        }
    }
}

fn answers(echo: &str) -> [MockAnswer; 7] {
    let answers = [
        MockAnswer::envelope(json!({ "statusCode": 400, "message": echo, "requestId": echo })),
        MockAnswer::envelope(json!({ "statusCode": 401, "apiCode": 1300, "message": echo })),
        MockAnswer::http(500, "text/html", echo.to_owned()),
        MockAnswer::http(302, "text/html", echo.to_owned()).header("location", format!("https://x.example/{BODY}")),
        MockAnswer::http(200, "application/json", echo.to_owned()),
        MockAnswer::hang_up(),
        MockAnswer::proceed(),
    ];
    answers.map(|answer| answer.times(100))
}

#[test]
fn what_the_user_gets_wrong_is_not_repeated() {
    let folder = Folder::new();
    for arguments in [
        &["token", BODY][..],
        &["call", "POST", "/api/v3/x", BODY],
        &["token", "--wechat-app-secret", BODY],
        &["token", "--app-secret", BODY, "--app-id", "x\ny"],
        &["api", "--access-token", BODY, "get-profile", "--with-custom-data=true"],
        &["api", "sign-in-by-credentials", "--connection", "PASSWORD", "--password-payload", BODY],
        &["api", "sign-in-by-credentials", "--connection", "PASSWORD", "--password-payload.password", BODY],
        &["api", "get-wechat-mini-program-phone", "--code", BODY, "--dry-run"],
        &["api", "get-management-token", "--access-key-secret", BODY, "--access-key-id", "x", "--dry-run"],
        &["api", "get-wechat-mini-program-phone", "--body", BODY],
        &["api", "get-wechat-mini-program-phone", "--body", "{\"code\":\"canarybody91b7d3e05f\"}", "--dry-run"],
        &["call", "POST", "/api/v3/x", "--body", BODY],
        &["token", "--wechat-app-secret-file", BODY],
        &["api", "get-wechat-mini-program-phone", "--code-file", BODY],
        &["token", "--host", "https://user:canarybody91b7d3e05f@example.com"],
        &["token", "--host", "https://example.com/?canarybody91b7d3e05f"],
        &["token", "--redis", "redis://:canarybody91b7d3e05f@[/"],
        &["token", "--timeout", BODY],
    ] {
        says_nothing(genauth(arguments).env("GENAUTH_HOST", "http://127.0.0.1:1").env("GENAUTH_TIMEOUT", "5"));
    }
    let file = folder.file("body", BODY);
    says_nothing(genauth(&["token", "--config", &file]));
    says_nothing(genauth(&["token", "--root-certificates", &file]).env("GENAUTH_HOST", "https://127.0.0.1:1"));
    says_nothing(genauth(&["call", "POST", "/x", "--body", &file]).env("GENAUTH_HOST", "http://127.0.0.1:1"));
    for variable in ["GENAUTH_DIALECT", "GENAUTH_LANG", "GENAUTH_TIMEOUT", "GENAUTH_ACCESS_KEY_USE", "GENAUTH_CONFIG_"]
    {
        says_nothing(genauth(&["token"]).env("GENAUTH_HOST", "http://127.0.0.1:1").env(variable, BODY));
    }
}

#[test]
fn a_token_is_shown_where_it_was_asked_for_and_nowhere_else() {
    let served = Served::with(&[]);
    for (format, whole) in [("value", true), ("env", true), ("json", true), ("table", false)] {
        let said = served.call(&["token", "--format", format]).run().ok();
        assert_eq!(said.contains("61_mock_wx"), whole, "{said}");
    }
    assert!(!served.call(&["doctor"]).run().ok().contains("61_mo"));
    let log = served.stop();
    assert!(!log.contains("61_mo") && !log.contains("app-secret"), "{log}");
}
