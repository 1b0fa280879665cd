//! stdout and stderr: closed, on a terminal, and with colours that nobody wants.

use crate::program::{BINARY, Run, clean, genauth, has, serve, server};
use genauth::mock::{MockAnswer, MockGenAuth};
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    // Some of these print more than a pipe holds, so that they have to notice; of the others, the reader is gone before
    // they print.
    for arguments in
        [&["openapi"][..], &["completions", "bash"], &["api", "--help"], &["token", "--demo"], &["doctor", "--demo"]]
    {
        let mut child = genauth(arguments).spawn();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(BINARY);
    let output = clean(&mut command).arg("openapi").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: the output cannot be written"));
}

#[test]
fn there_is_no_colour_without_a_terminal() {
    for program in [genauth(&["doctor", "--demo"]), genauth(&["token"]), genauth(&["--help"]), genauth(&["nothing"])] {
        let run = program.env("TERM", "xterm-256color").run();
        assert!(!run.stdout.contains('\x1b') && !run.stderr.contains('\x1b'), "{run:?}");
    }
}

/// Runs the program on a terminal, on which somebody types `typed` once it asks for something.
fn on_a_terminal(arguments: &str, environment: &[(&str, &str)], typed: &str) -> Option<Run> {
    if !cfg!(target_os = "linux") || !has("script") {
        return None;
    }
    let mut command = Command::new("script");
    clean(&mut command).args(["--quiet", "--return", "--command", &format!("{BINARY} {arguments}"), "/dev/null"]);
    command.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").envs(environment.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut shown = Vec::new();
    let mut stdout = child.stdout.take().unwrap();
    let mut stdin = child.stdin.take();
    let mut byte = [0];
    while matches!(stdout.read(&mut byte), Ok(1)) {
        shown.push(byte[0]);
        if !typed.is_empty() && shown.ends_with(b"(not shown): ") {
            stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
        }
    }
    drop(stdin);
    let code = child.wait().unwrap().code().unwrap();
    Some(Run { code, stdout: String::from_utf8(shown).unwrap(), stderr: String::new() })
}

#[test]
fn a_terminal_shows_colours_unless_nobody_wants_them() {
    let Some(run) = on_a_terminal("doctor --demo", &[], "") else { return };
    assert!(run.code == 0 && run.stdout.contains("\x1b[32mok"), "{run:?}");
    let plain = on_a_terminal("doctor --demo", &[("NO_COLOR", "1")], "").unwrap();
    assert!(plain.code == 0 && plain.stdout.contains("ok    configuration"), "{plain:?}");
    assert!(!plain.stdout.contains("\x1b["), "{plain:?}");
}

#[test]
fn a_spinner_turns_on_a_terminal_when_it_takes_longer() {
    let server = serve(MockGenAuth::builder());
    let secret = [("GENAUTH_HOST", server.url()), ("GENAUTH_APP_ID", MockGenAuth::APP_ID)];
    let wechat = [("WECHAT_APP_ID", server.wechat_app_id()), ("WECHAT_APP_SECRET", server.wechat_app_secret())];
    let environment = [secret, wechat].concat();
    server.answer_next(MockAnswer::proceed().delay(Duration::from_millis(900)));
    let Some(slow) = on_a_terminal("token", &environment, "") else { return };
    assert!(slow.stdout.contains("\r| asking for the token") && slow.stdout.contains("\r\x1b[K"), "{slow:?}");
    let fast = on_a_terminal("token", &environment, "").unwrap();
    assert!(!fast.stdout.contains("asking") && fast.stdout.contains("61_moc…"), "{fast:?}");
}

#[test]
fn a_secret_that_is_missing_is_asked_for_and_not_shown() {
    let server = server();
    let environment = [("GENAUTH_HOST", server.url()), ("GENAUTH_APP_ID", MockGenAuth::APP_ID)];
    let typed = format!("{}\n", server.wechat_app_secret());
    let arguments = format!("token --wechat-app-id {}", server.wechat_app_id());
    let Some(run) = on_a_terminal(&arguments, &environment, &typed) else { return };
    assert!(run.code == 0 && run.stdout.contains("The AppSecret of the WeChat app (not shown): "), "{run:?}");
    assert!(run.stdout.contains("61_moc…") && !run.stdout.contains(server.wechat_app_secret()), "{run:?}");
    let arguments = format!("api get-wechat-mp-access-token-info --app-id {}", server.wechat_app_id());
    let run = on_a_terminal(&arguments, &environment, &typed).unwrap();
    assert!(run.code == 0 && run.stdout.contains("61_mock_"), "{run:?}");
    assert!(!run.stdout.contains(server.wechat_app_secret()), "{run:?}");
}
