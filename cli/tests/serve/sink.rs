//! `genauth token --sink`, for a program that reads a file.

use crate::server::{genauth, signal};
use genauth::mock::MockGenAuth;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_written_where_only_this_user_reads_it() {
    let mock = MockGenAuth::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    for (format, expected) in [
        (None, "61_mock_wx0123456789abcdef_1"),
        (Some("value"), "61_mock_wx0123456789abcdef_1"),
        (Some("env"), "WECHAT_ACCESS_TOKEN=61_mock_wx0123456789abcdef_1\n"),
        (Some("json"), "{\"access_token\":\"61_mock_wx0123456789abcdef_1\",\"expires_at\":"),
    ] {
        let mut command = genauth(&mock, &["token", "--sink", path.to_str().unwrap()]);
        command.args(format.map(|format| ["--format", format]).into_iter().flatten()).stdout(Stdio::piped());
        let said = command.output().unwrap();
        assert!(said.status.success() && said.stdout.is_empty() && said.stderr.is_empty(), "{said:?}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");

    let said = genauth(&mock, &["token", "--sink", "/nonexistent/token"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.code() == Some(1) && stderr.contains("/nonexistent/token cannot be written"), "{stderr}");
    let said = genauth(&mock, &["token", "--watch"]).output().unwrap();
    assert_eq!(said.status.code(), Some(2), "a watch needs a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_token_is_there_before_the_last_one_ends_until_the_program_is_stopped() {
    let mock = MockGenAuth::builder().token_lifetime(Duration::from_secs(3)).token_margin(Duration::from_secs(1));
    let mock = mock.start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let mut watching = genauth(&mock, &["token", "--watch", "--sink", path.to_str().unwrap()]).spawn().unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        // Each time it is a whole and valid token.
        if let Ok(text) = std::fs::read_to_string(&path)
            && seen.last() != Some(&text)
        {
            assert!(text.starts_with("61_mock_wx0123456789abcdef_"), "{text}");
            assert!(mock.token_is_alive(&text));
            seen.push(text);
        }
        tokio::task::yield_now().await;
    }
    signal(&watching, "TERM");
    assert!(watching.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
