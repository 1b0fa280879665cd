//! Where the program's configuration comes from.

use crate::program::{Folder, Program, genauth, server, set_mode};
use genauth::mock::MockGenAuth;

/// A call that shows which app id it has.
fn shows(folder: &Folder, text: &str, arguments: &[&str]) -> Program {
    let file = folder.file("config.toml", text);
    let arguments =
        [&["api", "--config", &file], arguments, &["get-management-token", "--dry-run", "--body", "-"]].concat();
    genauth(&arguments).stdin(r#"{"accessKeyId":"a","accessKeySecret":"b"}"#)
}

#[test]
fn options_go_before_the_environment_and_that_before_the_file() {
    let folder = Folder::new();
    let text = "host = 'https://file.example'\nlang = 'ja-JP'\ntimeout = 2.5\n";
    let has = |program: Program, host: &str| {
        let shown = program.run().ok();
        assert!(shown.starts_with(&format!("POST https://{host}.example/api")), "{shown}");
        assert!(shown.contains("lang: ja-JP"), "{shown}");
    };
    has(shows(&folder, text, &[]), "file");
    has(shows(&folder, text, &[]).env("GENAUTH_HOST", "https://environment.example"), "environment");
    let option = shows(&folder, text, &["--host", "https://option.example"]);
    has(option.env("GENAUTH_HOST", "https://environment.example"), "option");
    has(shows(&folder, text, &[]).env("GENAUTH_HOST", ""), "file");
}

#[test]
fn a_profile_goes_over_what_holds_for_all() {
    let folder = Folder::new();
    let text =
        "host = 'https://all.example'\nprofile = 'one'\n[profiles.one]\n[profiles.two]\nhost = 'https://two.example'\n";
    let starts = |program: Program, host: &str| {
        assert!(program.run().ok().starts_with(&format!("POST https://{host}.example/")))
    };
    starts(shows(&folder, text, &[]), "all");
    starts(shows(&folder, text, &["--profile", "two"]), "two");
    starts(shows(&folder, text, &[]).env("GENAUTH_PROFILE", "two"), "two");
    let said = shows(&folder, text, &["--profile", "three"]).run().fails(3);
    assert!(said.contains("has no profile of that name; it has: one, two"), "{said}");
}

#[test]
fn the_file_is_where_the_platform_keeps_configuration() {
    let (server, folder) = (server(), Folder::new());
    std::fs::create_dir_all(folder.path("genauth")).unwrap();
    folder.file("genauth/secret", server.wechat_app_secret());
    let text = format!(
        "host = '{}'\napp_id = '{}'\nwechat_app_id = '{}'\nwechat_app_secret_file = 'secret'\n",
        server.url(),
        MockGenAuth::APP_ID,
        server.wechat_app_id()
    );
    folder.file("genauth/config.toml", &text);
    let token =
        genauth(&["token", "-f", "value"]).env("XDG_CONFIG_HOME", &folder.path("")).env("APPDATA", &folder.path(""));
    assert!(server.token_is_alive(token.run().ok().trim_end()));
    genauth(&["token", "--profile", "x"]).run().fails(3);
    genauth(&["token", "--config", "/nonexistent"]).run().fails(3);
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_that_others_can_read_is_refused() {
    let folder = Folder::new();
    let run = |text: &str, mode: u32| {
        let path = folder.file("config.toml", text);
        set_mode(&path, mode);
        let arguments = ["api", "--config", &path, "get-management-token", "--dry-run", "--body", "-"];
        genauth(&arguments).stdin(r#"{"accessKeyId":"a","accessKeySecret":"b"}"#).run()
    };
    let host = "host = 'https://example.com'\n";
    for secret in [
        "app_id = 'a'\napp_secret = 'canary'",
        "[profiles.other]\naccess_token = 'canary'",
        "redis = 'redis://:canary@h/'",
    ] {
        let text = format!("{host}{secret}\n");
        for mode in [0o644, 0o640, 0o604] {
            let said = run(&text, mode).fails(3);
            assert!(said.contains("holds secrets and others can read it; run chmod 600"), "{said}");
            assert!(!said.contains("canary"), "{said}");
        }
        run(&text, 0o600).ok();
    }
    run(&format!("{host}app_id = 'a'\napp_secret_file = '/dev/null'\n"), 0o644).fails(3);
    run(&format!("{host}redis = 'redis://h/'\n"), 0o644).ok();
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_and_without_its_words() {
    let folder = Folder::new();
    for (text, said) in [
        ("host = 'https://example.com'\napp_secret = canary", "line 2: is not TOML"),
        ("host = 'https://example.com'\n\ncanary = 1", "line 3: is a key that the program does not know"),
        ("app_secret = 12345678", "line 1: `app_secret` is not a text"),
        ("timeout = 'canary'", "line 1: `timeout` is not a number"),
        ("dangerously_allow_plain_http = 'canary'", "line 1: `dangerously_allow_plain_http` is not true or false"),
        ("dialect = 'canary'", "is not one of genauth, authing"),
        ("profile = 1", "`profile` is not a text"),
        ("profiles = 'canary'", "`profiles` is not a table"),
        ("[profiles]\nx = 'canary'\n[profiles.y]\n\nhost = 1\n", "no host is set"),
        ("profile = 'y'\n[profiles.y]\n\nhost = 1\n", "line 4: `host` is not a text"),
        ("app_id_file = 'canary'", "line 1: is a key"),
        ("app_id = 'a'\napp_secret_file = 'canary'", "takes a file, or - for stdin"),
    ] {
        let shown = shows(&folder, text, &[]).run().fails(3);
        assert!(shown.contains(said), "{text}: {shown}");
        assert!(!shown.contains("canary") && !shown.contains("12345678"), "{shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
}
