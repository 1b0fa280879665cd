//! `genauth openapi`, `schema`, `completions` and `man`.

use crate::program::{Folder, genauth, has};
use std::process::Command;

#[test]
fn the_document_and_the_schemas_are_the_crates_own() {
    assert_eq!(genauth(&["openapi"]).run().ok(), genauth::OPENAPI);
    let names = genauth(&["schema"]).run().ok();
    assert_eq!(names.lines().collect::<Vec<_>>(), genauth::schema::names().collect::<Vec<_>>());
    for name in genauth::schema::names() {
        let schema = genauth(&["schema", name]).run().json();
        assert_eq!(Some(&schema), genauth::schema::of(name).as_ref().map(schemars::Schema::as_value));
    }
    let unknown = genauth(&["schema", "GetWechatAcessTokenDto"]).run();
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("a similar value exists: 'GetWechatAccessTokenDto'"), "{unknown:?}");
    assert!(unknown.stderr.lines().count() < 8, "{unknown:?}");
}

#[test]
fn every_shell_gets_completions_with_the_operations() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = genauth(&["completions", shell]).run().ok();
        assert!(
            script.contains("get-wechat-mp-access-token-info") && script.contains("password-payload.account"),
            "{shell}"
        );
        if ["bash", "fish", "zsh"].contains(&shell) && std::path::Path::new(&format!("/bin/{shell}")).exists() {
            let folder = Folder::new();
            let checked = Command::new(shell).arg("-n").arg(folder.file("script", &script)).status().unwrap();
            assert!(checked.success(), "{shell} does not read it");
        }
    }
    assert_eq!(genauth(&["completions", "cmd"]).run().code, 2);
}

#[test]
fn every_command_has_a_manual_page() {
    let page = genauth(&["man"]).run().ok();
    assert!(page.contains(".TH genauth 1") && page.contains("Exit codes:"), "{page}");
    assert!(genauth(&["man", "api", "get-profile"]).run().ok().contains(r"genauth\-api\-get\-profile"));
    genauth(&["man", "api", "nothing"]).run().fails(2);
    let folder = Folder::new();
    genauth(&["man", "--directory", &folder.path("")]).run().ok();
    for operation in genauth::operations() {
        let page = folder.path(&format!("genauth-api-{}.1", operation.method_name.replace('_', "-")));
        assert!(std::fs::read_to_string(page).unwrap().contains(".TH genauth-api-"));
    }
    genauth(&["man", "--directory", "/nonexistent"]).run().fails(1);
    if has("man") {
        let page = folder.path("genauth.1");
        let shown = Command::new("man")
            .args(["--warnings", "-l", &page])
            .env("MANPAGER", "cat")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
    }
}
