//! WeChat libraries of other languages, as they are, with one address changed.

use crate::server::{TokenServer, is_there, root};
use genauth::mock::MockGenAuth;
use std::process::{Command, Stdio};

/// The number of callers of each library, each without a token of its own, as if they were processes.
const CALLERS: [(&str, &str, usize); 5] = [
    ("python", "weixin-python", 3000),
    ("python", "wechat-api", 200),
    ("node", "co-wechat-api", 3000),
    ("node", "node-easywechat", 2000),
    ("rust", "wechat-mp-sdk", 2000),
];

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_callers_in_three_languages_cost_one_request() {
    let (there, here) = (root().join("target/clients"), root().join("cli/tests/clients"));
    let rust = there.join("rust/debug/genauth-test-client");
    if !is_there("target/clients", rust.exists(), "run cli/tests/clients/install") {
        return;
    }
    let mock = MockGenAuth::start().await.unwrap();
    let server = TokenServer::start(&mock, &[]);
    let running = CALLERS.map(|(language, library, count)| {
        let mut command = match language {
            "python" => Command::new(there.join("venv/bin/python")),
            "node" => Command::new("node"),
            _ => Command::new(&rust),
        };
        match language {
            "python" => command.arg(here.join("client.py")).arg(library),
            "node" => command.arg(here.join("client.js")).arg(library).env("NODE_PATH", there.join("node_modules")),
            _ => &mut command,
        };
        command.env("BASE", &server.url).env("APPID", mock.wechat_app_id()).env("SECRET", mock.wechat_app_secret());
        command.env("COUNT", count.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (library, command.spawn().unwrap())
    });
    let waited =
        tokio::task::spawn_blocking(|| running.map(|(library, child)| (library, child.wait_with_output().unwrap())));
    for (library, said) in waited.await.unwrap() {
        let stdout = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{library}: {said:?}");
        assert_eq!(stdout.trim_end(), "61_mock_wx0123456789abcdef_1", "{library}: {said:?}");
    }
    assert_eq!(mock.requests().len(), 1);
    let callers: usize = CALLERS.iter().map(|(_, _, count)| count).sum();
    let metrics = server.get("/metrics").await.1;
    let answers = format!("genauth_token_answers_total{{app_id=\"wx0123456789abcdef\",errcode=\"0\"}} {callers}");
    assert!(callers >= 10_000 && metrics.contains(&answers), "{metrics}");
}
