//! `genauth doctor`: each fault makes one finding, which names it.

use crate::program::{Folder, Program, Run, Served, genauth, server};
use crate::tls::serve_tls;
use genauth::mock::MockAnswer;
use serde_json::{Value, json};

/// The findings with this verdict: the check, what it says, and what to do.
fn findings(run: &Run, verdict: &str) -> Vec<(String, String)> {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let report = run.json();
    let all = report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == verdict);
    all.map(|finding| (text(finding, "check"), format!("{}; {}", text(finding, "message"), text(finding, "advice"))))
        .collect()
}

/// Holds a report against the one thing that is wrong.
#[track_caller]
fn finds(program: Program, code: i32, check: &str, words: &str) {
    let run = program.run();
    assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{run:?}");
    assert_eq!(run.json()["exitCode"], code);
    let failed = findings(&run, "fail");
    assert_eq!(failed.len(), 1, "{run:?}");
    assert!(failed[0].0 == check && failed[0].1.contains(words), "{failed:?}");
    assert!(findings(&run, "warn").is_empty(), "{run:?}");
}

const DOCTOR: &[&str] = &["doctor", "--format", "json"];

#[test]
fn nothing_is_wrong_with_a_mock() {
    let served = Served::with(&[]);
    let run = served.call(DOCTOR).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let skipped = findings(&run, "skip");
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    let checks: Vec<String> = findings(&run, "ok").into_iter().map(|(check, _)| check).collect();
    let rest = ["dns", "tcp", "server", "clock", "app", "access key"];
    let endpoints = ["endpoint"; 4];
    assert_eq!(checks, [&["configuration"], &rest[..], &endpoints, &["WeChat app"]].concat());
    let table = served.call(&["doctor"]).run().ok();
    assert_eq!(table.lines().count(), checks.len() + skipped.len());
    assert!(table.lines().all(|line| line.starts_with("ok    ") || line.starts_with("skip  ")), "{table}");
}

#[test]
fn a_bad_configuration() {
    let served = Served::with(&[]);
    finds(genauth(DOCTOR), 3, "configuration", "give --host");
    finds(served.call(DOCTOR).env("GENAUTH_TIMEOUT", "soon"), 3, "configuration", "the timeout is not a number");
    finds(served.call(DOCTOR).env("GENAUTH_APP_ID", ""), 3, "configuration", "the app id is missing");
    finds(served.call(DOCTOR).env("GENAUTH_CONFIG", "/nonexistent"), 3, "configuration", "cannot be read");
    assert_eq!(served.stop(), "", "nothing was sent");
}

#[test]
fn a_host_name_that_is_unknown() {
    // This is too long for a name, so that no DNS server is asked for it.
    let host = format!("https://{}.invalid", "a".repeat(64));
    finds(genauth(DOCTOR).env("GENAUTH_HOST", &host), 4, "dns", "the host's name is unknown; check --host");
}

#[test]
fn a_port_that_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let host = format!("https://127.0.0.1:{port}");
    finds(genauth(DOCTOR).env("GENAUTH_HOST", &host), 4, "tcp", &format!("port {port} refuses"));
}

#[test]
fn a_certificate_that_is_good_and_those_that_are_not() {
    let folder = Folder::new();
    let call = |name: &str, until: i32, trusted: bool| {
        let server = serve_tls(name, until);
        let authority = folder.file("authority.pem", &server.authority);
        let program = genauth(DOCTOR).at(&server).env("GENAUTH_HOST", &server.url);
        let program = if trusted { program.env("GENAUTH_ROOT_CERTIFICATES", &authority) } else { program };
        (server, program)
    };
    let (_server, program) = call("127.0.0.1", 4000, true);
    let run = program.run();
    assert_eq!(run.code, 0, "{run:?}");
    let ok = findings(&run, "ok");
    assert!(
        ok.contains(&("tls".to_owned(), "the certificate is valid until 4000-01-01T00:00:00Z; ".to_owned())),
        "{ok:?}"
    );

    let (_server, program) = call("other.example", 4000, true);
    finds(program, 4, "tls", "the certificate is of another host");
    let (_server, program) = call("127.0.0.1", 2000, true);
    finds(program, 4, "tls", "the certificate has expired");
    let (_server, program) = call("127.0.0.1", 4000, false);
    finds(program, 4, "tls", "of an authority that this machine does not know");
    // This server does not speak TLS at all.
    let plain = server();
    let host = plain.url().replace("http://", "https://");
    finds(genauth(DOCTOR).env("GENAUTH_HOST", &host), 4, "tls", "no TLS connection can be made");
}

#[test]
fn a_clock_that_is_wrong() {
    for skew in ["clock-skew", "clock-skew=-3600"] {
        let served = Served::with(&["--fault", skew]);
        finds(
            served.call(DOCTOR),
            3,
            "clock",
            "apart from the server's: it refuses signatures with such a date; set this machine's clock",
        );
    }
    let served = Served::with(&["--fault", "clock-skew=120"]);
    let run = served.call(DOCTOR).run();
    assert_eq!((run.code, findings(&run, "warn").len(), findings(&run, "fail").len()), (1, 1, 0), "{run:?}");
}

#[test]
fn credentials_that_are_wrong() {
    let served = Served::with(&[]);
    let wrong = |name: &str| served.call(DOCTOR).env(name, "canary-wrong");
    finds(wrong("GENAUTH_APP_SECRET"), 6, "app", "the app secret is not that of the app id");
    finds(wrong("GENAUTH_APP_ID"), 6, "app", "check the app id, and that the host is this application's own");
    finds(wrong("GENAUTH_APP_ID").env("GENAUTH_APP_SECRET", ""), 6, "app", "check the app id");
    finds(wrong("GENAUTH_ACCESS_KEY_SECRET"), 6, "access key", "check the access key's secret");
    finds(wrong("GENAUTH_ACCESS_KEY_ID"), 6, "access key", "check the access key's secret");
    let managed = wrong("GENAUTH_ACCESS_KEY_SECRET").env("GENAUTH_ACCESS_KEY_USE", "management-token");
    finds(managed, 6, "access key", "check the credentials");
    finds(wrong("WECHAT_APP_ID"), 6, "WeChat app", "check its app id, secret and IP allow-list");
    finds(wrong("WECHAT_APP_SECRET"), 6, "WeChat app", "check its app id, secret and IP allow-list");
}

/// The IP address in the finding is that of the GenAuth server, which asks WeChat.
#[test]
fn what_wechat_told_the_server() {
    let server = server();
    let says = "wechat answered 40164: invalid ip 203.0.113.7, not in whitelist";
    server.on("getWechatMpAccessTokenInfo").unwrap().answer_always(MockAnswer::error(500, None, says));
    finds(
        genauth(DOCTOR).at(&server).wechat(&server),
        6,
        "WeChat app",
        "IP allowlist (203.0.113.7); have an administrator",
    );
}

#[test]
fn endpoints_that_are_missing() {
    let served = Served::with(&["--fault", "missing=getWechatMpAccessTokenInfo"]);
    finds(
        served.call(DOCTOR),
        5,
        "endpoint",
        "/api/v3/get-wechat-access-token-info (getWechatMpAccessTokenInfo) is not on this host",
    );
    // A missing endpoint that nothing needs is only worth a warning.
    let served = Served::with(&["--fault", "missing=getWechatAccessToken", "--fault", "missing=getWeixinAccessToken"]);
    let run = served.call(DOCTOR).run();
    assert_eq!((run.code, findings(&run, "fail").len()), (1, 0), "{run:?}");
    let warned: Vec<String> = findings(&run, "warn").into_iter().map(|(_, words)| words).collect();
    assert_eq!(warned.len(), 2);
    assert!(
        warned[0].contains("getWechatAccessToken) is not on this host; use getWechatMpAccessTokenInfo"),
        "{warned:?}"
    );
}

#[test]
fn a_server_that_answers_what_no_api_answers() {
    for (fault, code, check, words) in [
        ("http-500", 5, "server", "answers HTTP 500"),
        ("http-503", 5, "server", "answers HTTP 503"),
        ("hang-up", 4, "server", "closes the connection without an answer"),
        ("html", 5, "app", "checkAppIdSecret"),
        ("broken-json", 5, "app", "checkAppIdSecret"),
        ("redirect", 5, "app", "elsewhere.example"),
    ] {
        // At `/`, the answer would be the mock's reference page.
        let served = Served::with(&["--fault", fault]);
        let host = format!("{}/base", served.url());
        finds(served.call(DOCTOR).env("GENAUTH_HOST", &host), code, check, words);
    }
}

#[test]
fn a_redis_that_is_down() {
    let served = Served::with(&[]);
    let redis = |url: &str| served.call(DOCTOR).env("GENAUTH_REDIS", url);
    finds(redis("redis://:canary@127.0.0.1:1/"), 4, "redis", "the connection is refused; check --redis");
    finds(redis(&served.url().replace("http://", "redis://")), 4, "redis", "");
    finds(redis("http://canary"), 3, "configuration", "the Redis URL cannot be read");
}

#[test]
fn a_report_for_people_is_one_line_for_each_check() {
    let served = Served::with(&[]);
    let run = served.call(&["doctor"]).env("GENAUTH_APP_SECRET", "wrong").run();
    assert_eq!(run.code, 6);
    assert!(run.stdout.contains(
        "\nfail  app            the app secret is not that of the app id; copy the secret of this app id from the console"
    ), "{run:?}");
    let report = served.call(DOCTOR).run().json();
    assert_eq!(report["findings"][0]["check"], json!("configuration"));
}
