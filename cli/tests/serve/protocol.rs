//! What callers get, by what they ask.

use crate::server::{TokenServer, genauth, http, is_there};
use genauth::mock::{MockAnswer, MockGenAuth};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

const APP: &str = "wx0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_as_from_wechat_and_what_is_wrong_with_a_question_too() {
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    let token = server.token(APP, "any").await;
    assert_eq!(token["access_token"], "61_mock_wx0123456789abcdef_1");
    assert!((7190..=7200).contains(&token["expires_in"].as_i64().unwrap()), "{token}");
    assert_eq!(token.as_object().unwrap().len(), 2, "an errcode is a failure to some");
    assert_eq!(server.stable_token(APP, "any", false).await["access_token"], token["access_token"]);

    let question = |left_out: &str, other: Value| {
        let mut question = json!({ "grant_type": "client_credential", "appid": APP, "secret": "any" });
        question.as_object_mut().unwrap().remove(left_out);
        question.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        question.to_string()
    };
    for (body, errcode) in [
        (question("grant_type", json!({})), 40002),
        (question("", json!({ "grant_type": "authorization_code" })), 40002),
        (question("appid", json!({})), 41002),
        (question("", json!({ "appid": "" })), 41002),
        (question("", json!({ "appid": "wx0000000000000000" })), 40013),
        (question("", json!({ "appid": 7 })), 47001),
        ("[]".to_owned(), 47001),
        ("{".to_owned(), 47001),
        (String::new(), 47001),
        (format!("{}{}", question("", json!({})), " ".repeat(17 << 10)), 47001),
    ] {
        let answer = server.post("/cgi-bin/stable_token", body.clone()).await;
        assert_eq!(answer["errcode"], errcode, "{body}: {answer}");
        assert!(!answer["errmsg"].as_str().unwrap().is_empty());
    }
    // Languages write the parameters in different ways, and in different places.
    for force in [json!("false"), json!(0), json!(null), json!("")] {
        let answer = server.post("/cgi-bin/stable_token", question("", json!({ "force_refresh": force }))).await;
        assert_eq!(answer["access_token"], token["access_token"]);
    }
    let form = format!("grant_type=client_credential&appid={APP}&secret=any");
    assert_eq!(server.post("/cgi-bin/token", form).await["access_token"], token["access_token"]);
    assert_eq!(server.post("/cgi-bin/token", question("", json!({}))).await["access_token"], token["access_token"]);
    let (status, answer) =
        server.get(&format!("//cgi-bin/token?grant_type=client_credential&appid={APP}&secret=any")).await;
    assert!(status == 200 && answer.contains("61_mock"), "an address with a slash at its end: {answer}");
    let (status, answer) = server.get("/cgi-bin/stable_token").await;
    assert!(status == 200 && answer.contains("43002"), "{answer}");
    let (status, answer) = server.get("/cgi-bin/menu/get?access_token=canary").await;
    assert!(status == 404 && answer.contains("https://api.weixin.qq.com") && !answer.contains("canary"), "{answer}");
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_show_a_secret_gets_nothing_without_it_and_is_told_nothing() {
    let mock = MockGenAuth::start().await.unwrap();
    let mut command = genauth(&mock, &["serve", "--listen", "0.0.0.0:0"]);
    command.env("GENAUTH_CALLER_SECRET", "caller-canary");
    let mut server = TokenServer::of(command);
    server.url = server.url.replace("0.0.0.0", "127.0.0.1");
    for secret in ["caller-canary", mock.wechat_app_secret()] {
        assert!(server.token(APP, secret).await["access_token"].is_string());
    }
    for (app, secret, errcode) in [
        (APP, "", 41004),
        (APP, "wrong", 40125),
        (APP, "caller-canar", 40125),
        (APP, "caller-canary%00", 40125),
        ("wx0000000000000000", "wrong", 40125),
        ("wx0000000000000000", mock.wechat_app_secret(), 40125),
        ("wx0000000000000000", "caller-canary", 40013),
    ] {
        let answer = server.token(app, secret).await;
        assert_eq!(answer["errcode"], errcode, "{app} {secret}");
    }
    let metrics = server.get("/metrics").await.1;
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    for secret in ["canary", "61_mock", MockGenAuth::APP_SECRET, mock.wechat_app_secret()] {
        assert!(!log.contains(secret) && !metrics.contains(secret), "{secret}: {log}\n{metrics}");
    }

    let refused = genauth(&mock, &["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && stderr.contains("--caller-secret-file"), "{stderr}");
}

/// Somebody on this machine looks at a page whose owner has made its name resolve to this machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_browser_gets_nothing() {
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let page = http().resolve("evil.example", ([127, 0, 0, 1], port).into());
    let question =
        format!("http://evil.example:{port}/cgi-bin/token?grant_type=client_credential&appid={APP}&secret=x");
    let answer = page.build().unwrap().get(question).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 403);
    // A page may also send a request whose answer it cannot read.
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let force = json!({ "grant_type": "client_credential", "appid": APP, "secret": "x", "force_refresh": true });
        let sent = http().build().unwrap().post(format!("{}/cgi-bin/stable_token", server.url)).header(name, value);
        assert_eq!(sent.body(force.to_string()).send().await.unwrap().status().as_u16(), 403);
    }
    assert_eq!(mock.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_for_this_user_and_goes_with_the_server() {
    let mock = MockGenAuth::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genauth.sock");
    let listen = format!("unix:{}", path.display());
    // A server that was killed leaves its socket behind.
    TokenServer::of(genauth(&mock, &["serve", "--listen", &listen])).kill();
    assert!(path.exists());
    let server = TokenServer::of(genauth(&mock, &["serve", "--listen", &listen]));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).unwrap();
    let question = format!("GET /cgi-bin/token?grant_type=client_credential&appid={APP}&secret=x HTTP/1.1");
    write!(stream, "{question}\r\nhost: any.name\r\nconnection: close\r\n\r\n").unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    assert!(answer.await.unwrap().unwrap().contains("61_mock"));
    let second = genauth(&mock, &["serve", "--listen", &listen]).output().unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("--listen"), "the first one is there");
    assert_eq!(server.end().0, Some(0));
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_apps_come_from_the_configuration_file() {
    let mock = MockGenAuth::builder().wechat_app("wx_second", "second secret").start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (config, secret) = (folder.path().join("config.toml"), folder.path().join("second.secret"));
    std::fs::write(&secret, "second secret\n").unwrap();
    let write = |text: &str| {
        std::fs::write(&config, text).unwrap();
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("[wechat_apps.wx_second]\nsecret_file = \"second.secret\"\n[wechat_apps.wx_third]\nsecret = \"canary\"\n");
    let server = TokenServer::start(&mock, &["--config", config.to_str().unwrap()]);
    assert!(server.token("wx_second", "x").await["access_token"].as_str().unwrap().contains("wx_second"));
    assert!(server.token(APP, "x").await["access_token"].is_string(), "beside the one of the environment");
    // The GenAuth server does not know the third.
    assert_eq!(server.token("wx_third", "x").await["errcode"], -1);
    let (status, ready) = server.get("/readyz").await;
    assert_eq!((status, ready.as_str()), (503, r#"{"ready":false,"without_token":["wx_third"]}"#));
    assert_eq!(server.get("/healthz").await, (200, "ok\n".to_owned()));
    drop(server);
    for wrong in
        ["wechat_apps = 1", "[wechat_apps]\nwx = \"canary\"", "[wechat_apps.wx]\nsecret = 1", "[wechat_apps.wx]"]
    {
        write(wrong);
        let refused = genauth(&mock, &["serve", "--config", config.to_str().unwrap()]).output().unwrap();
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(3) && stderr.contains("[wechat_apps.ID]"), "{wrong}: {stderr}");
        assert!(!stderr.contains("canary"));
    }
    write("[wechat_apps.wx]\nsecret = \"canary\"");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = genauth(&mock, &["serve", "--config", config.to_str().unwrap()]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("chmod 600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_told_the_server_is_explained_and_never_what_libraries_ask_again_for() {
    let mock = MockGenAuth::start().await.unwrap();
    let says = |message: &str| {
        mock.answer_next(MockAnswer::error(500, None, message));
    };
    for (message, errcode, part) in [
        (
            "wechat: errcode 40164, invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
            40164,
            "(203.0.113.7)",
        ),
        ("{\"errcode\":40125,\"errmsg\":\"invalid appsecret\"}", 40125, "AppSecret"),
        ("errcode: 40001, invalid credential", -1, "system error"),
        ("42001", -1, "system error"),
        ("no", -1, "system error"),
    ] {
        // Each gets a server of its own, since a failure is remembered.
        let server = TokenServer::start(&mock, &["--retries", "0"]);
        says(message);
        let answer = server.token(APP, "x").await;
        assert_eq!(answer["errcode"], errcode, "{message}: {answer}");
        assert!(answer["errmsg"].as_str().unwrap().contains(part), "{message}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_under_way_is_finished_when_the_server_ends() {
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    mock.answer_next(MockAnswer::proceed().delay(Duration::from_millis(500)));
    let url = format!("{}/cgi-bin/token?grant_type=client_credential&appid={APP}&secret=x", server.url);
    let caller =
        tokio::spawn(async move { http().build().unwrap().get(url).send().await.unwrap().text().await.unwrap() });
    while mock.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let (code, log) = tokio::task::spawn_blocking(move || server.end()).await.unwrap();
    assert!(code == Some(0) && log.contains("requests that are under way are finished"), "{log}");
    assert!(caller.await.unwrap().contains("61_mock"));
    // Each line of the log is JSON.
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_finds_nothing_wrong_with_the_metrics() {
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    server.token(APP, "x").await;
    server.token("wx-somebody-else's\n\"", "x").await;
    let (status, metrics) = server.get("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "genauth_token_answers_total{app_id=\"wx0123456789abcdef\",errcode=\"0\"} 1",
        "genauth_token_answers_total{app_id=\"\",errcode=\"40013\"} 1",
        "genauth_token_refreshes_total{app_id=\"wx0123456789abcdef\"} 1",
        "genauth_token_ready{app_id=\"wx0123456789abcdef\"} 1",
        "genauth_token_wait_seconds_count 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    let found = Command::new("promtool").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if is_there("promtool", found, "install the package prometheus") {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut promtool = promtool.spawn().unwrap();
        promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
        let said = promtool.wait_with_output().unwrap();
        assert!(said.status.success() && said.stderr.is_empty() && said.stdout.is_empty(), "{said:?}");
    }
}
