//! `genauth token`.

use crate::program::{Folder, Program, Server, genauth, has, server};
use genauth::mock::{MockAnswer, MockGenAuth};
use serde_json::json;
use std::process::{Child, Command, Stdio};

fn token(server: &Server, arguments: &[&str]) -> Program {
    genauth(&[&["token"], arguments].concat()).at(server).wechat(server)
}

#[test]
fn every_format_says_the_same_token() {
    let server = server();
    let value = token(&server, &["--format", "value"]).run().ok();
    let value = value.trim_end();
    assert!(server.token_is_alive(value));
    assert_eq!(token(&server, &["-f", "env"]).run().ok(), format!("export WECHAT_ACCESS_TOKEN={value}\n"));
    let json = token(&server, &["--format", "json"]).run();
    assert_eq!((&json.json()["statusCode"], &json.json()["data"]["accessToken"]), (&json!(200), &json!(value)));
    let table = token(&server, &[]).run().ok();
    assert!(!table.contains(value) && table.contains("61_moc…"), "{table}");
    assert!(table.contains("in 2 h") && table.contains(server.url()) && table.contains(server.wechat_app_id()));
    assert!(token(&server, &["--show"]).run().ok().contains(value));
}

#[test]
fn a_shell_can_take_it() {
    let server = server();
    let script =
        format!("eval \"$({} token --format env)\"; printf %s \"$WECHAT_ACCESS_TOKEN\"", crate::program::BINARY);
    let mut shell = Command::new("sh");
    crate::program::clean(&mut shell).args(["-c", &script]);
    shell.env("GENAUTH_HOST", server.url()).env("GENAUTH_APP_ID", MockGenAuth::APP_ID);
    shell.env("WECHAT_APP_ID", server.wechat_app_id()).env("WECHAT_APP_SECRET", server.wechat_app_secret());
    let output = shell.output().unwrap();
    assert!(server.token_is_alive(&String::from_utf8(output.stdout).unwrap()));
}

#[test]
fn a_demonstration_needs_nothing_and_minds_nothing() {
    let plain = genauth(&["token", "--demo"]).run().ok();
    assert!(plain.contains("61_mock_wx0123456789abcdef_1"), "{plain}");
    let strange =
        genauth(&["token", "--demo", "-f", "value"]).env("GENAUTH_HOST", "ftp://x").env("GENAUTH_TIMEOUT", "x");
    assert_eq!(strange.env("GENAUTH_CONFIG", "/nonexistent").run().ok(), "61_mock_wx0123456789abcdef_1\n");
}

#[test]
fn the_credentials_choose_the_operation_unless_one_is_named() {
    let server = server();
    let last = || server.take_requests().pop().unwrap().path;
    token(&server, &[]).run().ok();
    assert_eq!(last(), "/api/v3/get-wechat-access-token-info");
    genauth(&["token"]).env("GENAUTH_HOST", server.url()).key().wechat(&server).run().ok();
    assert_eq!(last(), "/api/v3/get-weixin-access-token");
    let managed = genauth(&["token", "--access-key-use", "management-token"]).env("GENAUTH_HOST", server.url());
    managed.key().wechat(&server).run().ok();
    assert_eq!(last(), "/api/v3/get-weixin-access-token");
    let run = token(&server, &["--operation", "getWechatMpAccessToken"]).run();
    assert_eq!(last(), "/api/v3/get-wechat-mp-access-token");
    assert_eq!(run.code, 0);
    assert!(run.stderr.starts_with("warning: `getWechatMpAccessToken` is deprecated; use "), "{run:?}");
    token(&server, &["--operation", "getProfile"]).run().fails(2);
}

#[test]
fn secrets_come_from_files_stdin_and_with_a_warning_from_the_command_line() {
    let (server, folder) = (server(), Folder::new());
    let secret = server.wechat_app_secret();
    let file = folder.file("secret", &format!("{secret}\n"));
    let call = |arguments: &[&str]| {
        genauth(&[&["token", "-f", "value"], arguments].concat())
            .at(&server)
            .env("WECHAT_APP_ID", server.wechat_app_id())
    };
    call(&["--wechat-app-secret-file", &file]).run().ok();
    call(&["--wechat-app-secret-file", "-"]).stdin(secret).run().ok();
    call(&[]).env("WECHAT_APP_SECRET_FILE", &file).run().ok();
    let warned = call(&["--wechat-app-secret", secret]).run();
    assert_eq!(warned.code, 0);
    assert!(warned.stderr.starts_with("warning: --wechat-app-secret: others on this machine can see"), "{warned:?}");
    assert!(!warned.stderr.contains(secret));

    call(&["--wechat-app-secret-file", "-"]).run().fails(3);
    call(&["--wechat-app-secret-file", &folder.path("none")]).run().fails(3);
    call(&["--wechat-app-secret-file", &file, "--wechat-app-secret", secret]).run().fails(2);
    let twice = call(&["--wechat-app-secret-file", "-", "--app-secret-file", "-"]).stdin(secret).run().fails(2);
    assert!(twice.contains("stdin can only be read once"), "{twice}");
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let server = server();
    for (program, named) in [
        (genauth(&["token"]), "give --host"),
        (genauth(&["token"]).at(&server), "give --wechat-app-id"),
        (
            genauth(&["token", "--wechat-app-id", "wx"]).at(&server),
            "--wechat-app-secret-file, or set WECHAT_APP_SECRET",
        ),
        (
            genauth(&["token"]).env("GENAUTH_HOST", server.url()).wechat(&server),
            "give --app-id, or --app-id and --access-token-file, or",
        ),
        (genauth(&["token"]).env("GENAUTH_HOST", "http://example.com"), "say `--dangerously-allow-plain-http`"),
        (genauth(&["token", "--timeout", "soon"]).at(&server), "the timeout is not a number"),
        (genauth(&["token", "--retries", "some"]).at(&server), "the retries are not a whole number"),
        (genauth(&["token", "--access-key-id", "key"]).at(&server), "give --access-key-secret-file"),
        (
            genauth(&["token"]).at(&server).env("GENAUTH_DIALECT", "latin"),
            "GENAUTH_DIALECT is not one of genauth, authing",
        ),
        (token(&server, &["--redis", "http://x"]), "the Redis URL cannot be read"),
    ] {
        let said = program.run().fails(3);
        assert!(said.contains(named), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_exit_code_says_what_kind_of_failure_it_is() {
    let server = server();
    for (answer, code) in [
        (MockAnswer::hang_up(), 4),
        (MockAnswer::http(500, "text/html", "<h1>no</h1>"), 5),
        (MockAnswer::http(200, "text/html", "<h1>no</h1>"), 5),
        (MockAnswer::http(302, "", "").header("location", "https://elsewhere.example/"), 5),
        (MockAnswer::empty_data(), 5),
        (MockAnswer::envelope(json!({ "statusCode": 602, "message": "invalid appid" })), 6),
        (MockAnswer::http(429, "application/json", r#"{"statusCode":429,"message":"slow down"}"#), 6),
    ] {
        server.answer_next(answer);
        let run = token(&server, &["-f", "value", "--retries", "0"]).run();
        assert_eq!(run.stdout, "");
        run.fails(code);
    }
    let wrong = token(&server, &["-f", "json"]).env("WECHAT_APP_SECRET", "wrong").run();
    assert_eq!(wrong.json()["statusCode"], 602, "a refusal is an envelope as well");
    assert!(wrong.fails(6).contains("check its app id, secret and IP allow-list"));
    server.answer_next(MockAnswer::proceed().delay(std::time::Duration::from_secs(60)));
    token(&server, &["--timeout", "0.1"]).run().fails(4);
}

/// A Redis of this test, at a socket in a folder of its own.
struct Redis {
    child: Child,
    folder: Folder,
}

impl Redis {
    fn start() -> Self {
        let folder = Folder::new();
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            "0",
            "--save",
            "",
            "--unixsocket",
            &folder.path("redis.sock"),
            "--dir",
            &folder.path(""),
        ]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // Redis says so once it listens.
        let log = std::io::BufReader::new(child.stdout.as_mut().unwrap());
        let ready =
            std::io::BufRead::lines(log).map_while(Result::ok).any(|line| line.contains("eady to accept connections"));
        assert!(ready, "redis-server does not start");
        Self { child, folder }
    }

    fn url(&self) -> String {
        format!("unix://{}", self.folder.path("redis.sock"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn through_redis_the_server_is_asked_once() {
    if !has("redis-server") {
        return;
    }
    let (server, redis) = (server(), Redis::start());
    let url = redis.url();
    let call = || token(&server, &["--redis", &url, "--format", "json"]).run();
    let (first, second) = (call(), call());
    assert_eq!(first.json()["message"], "fetched from the server", "{first:?}");
    assert_eq!(second.json()["message"], "taken over from Redis", "{second:?}");
    assert_eq!(first.json()["data"], second.json()["data"]);
    assert_eq!(server.requests().len(), 1);
    let doctor = genauth(&["doctor", "--redis", &url]).at(&server).run();
    assert!(doctor.stdout.contains("ok    redis          answers"), "{doctor:?}");
}

#[test]
fn a_redis_that_is_down_costs_a_warning_and_no_token() {
    let server = server();
    let run = token(&server, &["--redis", "redis://127.0.0.1:1/", "--format", "value"]).run();
    assert_eq!(run.code, 0, "{run:?}");
    assert!(server.token_is_alive(run.stdout.trim_end()));
    assert!(run.stderr.starts_with("warning: Redis fails; tokens come from the server"), "{run:?}");
}
