//! `genauth api`.

use crate::program::{Folder, Program, Run, Server, genauth, has, server};
use genauth::Operation;
use genauth::mock::MockGenAuth;
use serde_json::{Value, json};
use std::process::Command;

fn document() -> Value {
    serde_json::from_str(genauth::OPENAPI).unwrap()
}

fn described(operation: &Operation) -> Value {
    document()["paths"][operation.path][operation.method.as_str().to_lowercase()].clone()
}

/// The example of the operation's body.
fn example(operation: &Operation) -> Option<Value> {
    described(operation)["requestBody"]["content"]["application/json"].get("example").cloned()
}

/// The examples of the operation's parameters.
fn parameters(operation: &Operation) -> serde_json::Map<String, Value> {
    let described = described(operation);
    let all = described["parameters"].as_array().into_iter().flatten();
    let example = |parameter: &Value| Some((parameter["name"].as_str()?.to_owned(), parameter.get("example")?.clone()));
    all.filter_map(example).collect()
}

fn name(operation: &Operation) -> String {
    operation.method_name.replace('_', "-")
}

/// A call with everything that a mock's operations take.
fn as_anybody(program: Program, server: &Server) -> Program {
    program.at(server).key().env("GENAUTH_ACCESS_TOKEN", MockGenAuth::USER_ACCESS_TOKEN)
}

/// A body as options: one for each text, number or truth value in it, as far as the command has options for them.
fn options(value: &Value, name: &str, help: &str, options: &mut Vec<String>) {
    let kebab = |field: &str| {
        let letter = |letter: char| match letter {
            'A'..='Z' => format!("-{}", letter.to_ascii_lowercase()),
            '_' => "-".to_owned(),
            letter => letter.to_string(),
        };
        field.chars().map(letter).collect::<String>()
    };
    let within =
        |field: &str| if name.is_empty() { format!("--{}", kebab(field)) } else { format!("{name}.{}", kebab(field)) };
    match value {
        Value::Object(fields) if name.is_empty() || fields.keys().all(|field| help.contains(&within(field))) => {
            fields.iter().for_each(|(field, value)| self::options(value, &within(field), help, options));
        }
        // A field that may be anything is given as one option.
        Value::Array(items) if !help.contains(&format!("{name} <VALUE>")) => {
            items.iter().for_each(|item| options.extend([name.to_owned(), as_text(item)]))
        }
        other => options.extend([name.to_owned(), as_text(other)]),
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn works(run: &Run, operation: &Operation) {
    // The mock can check passwords alone, and says so.
    let refused = run.stderr.contains("this mock can check passwords alone");
    assert_eq!(run.code, if refused { 6 } else { 0 }, "{}: {run:?}", operation.id);
    assert_eq!(run.json()["statusCode"] == 200, !refused, "{}: {run:?}", operation.id);
    assert_eq!(run.stderr.contains(" is deprecated; use "), operation.deprecated, "{}: {run:?}", operation.id);
}

#[test]
fn every_operation_takes_its_examples_from_stdin_and_as_options() {
    let server = server();
    for operation in genauth::operations() {
        let (body, mut fields) = (example(operation), parameters(operation));
        fields.extend(body.iter().flat_map(|body| body.as_object().unwrap().clone()));
        let (command, fields) = (name(operation), Value::Object(fields));
        let from_stdin = genauth(&["api", &command, "--body", "-"]);
        works(&as_anybody(from_stdin, &server).stdin(&fields.to_string()).run(), operation);
        let sent = server.take_requests().pop().unwrap();
        assert_eq!((sent.method.as_str(), sent.json()), (operation.method.as_str(), body.clone()), "{}", operation.id);

        // No option says "none of them"; a body does.
        if body.iter().flat_map(|body| body.as_object().unwrap().values()).any(is_empty) {
            continue;
        }
        let mut arguments = vec!["api".to_owned(), command];
        let help = genauth(&["api", &arguments[1], "--help"]).run().ok();
        options(&fields, "", &help, &mut arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        works(&as_anybody(genauth(&arguments), &server).run(), operation);
        let by_options = server.take_requests().pop().unwrap();
        assert_eq!((by_options.json(), by_options.path), (body, sent.path), "{}", operation.id);
    }
}

#[test]
fn parameters_become_the_query() {
    let server = server();
    let run = as_anybody(
        genauth(&["api", "get-profile", "--with-custom-data", "--with-identities", "false", "-f", "data"]),
        &server,
    );
    assert_eq!(run.run().json()["username"], "zhang");
    assert_eq!(server.requests()[0].path, "/api/v3/get-profile?withCustomData=true&withIdentities=false");
}

#[test]
fn options_go_before_the_body_and_a_secret_may_be_in_a_file() {
    let (server, folder) = (server(), Folder::new());
    let body = folder.file("body", &json!({ "appId": "other", "appSecret": "other" }).to_string());
    let secret = folder.file("secret", server.wechat_app_secret());
    let arguments = [
        "api",
        "get-wechat-mp-access-token-info",
        "--body",
        &body,
        "--app-id",
        server.wechat_app_id(),
        "--app-secret-file",
        &secret,
    ];
    let answer = genauth(&arguments).at(&server).run().ok();
    assert!(answer.contains("61_mock_"), "{answer}");
}

#[test]
fn a_field_and_a_credential_of_one_name_do_not_meet() {
    let server = server();
    let arguments = [
        "api",
        "--app-id",
        MockGenAuth::APP_ID,
        "get-wechat-mp-access-token-info",
        "--app-id",
        server.wechat_app_id(),
        "--app-secret-file",
        "-",
    ];
    genauth(&arguments).env("GENAUTH_HOST", server.url()).stdin(server.wechat_app_secret()).run().ok();
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.header("x-genauth-app-id"), Some(MockGenAuth::APP_ID));
    assert_eq!(sent.json().unwrap()["appId"], server.wechat_app_id());
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent_and_not_repeated() {
    const CANARY: &str = "canary5d92c07ab6";
    let server = server();
    let sign_in = ["api", "sign-in-by-credentials"];
    for (arguments, stdin, named) in [
        (&["api", "get-wechat-mp-access-token-info"][..], "", "needs --app-id and --app-secret-file"),
        (
            &["api", "get-wechat-mp-access-token-info", "--body", "-"],
            CANARY,
            "--body: this is not JSON, from line 1, column 1 on",
        ),
        (&["api", "get-wechat-mp-access-token-info", "--body", "-"], "[1]", "--body: this is not a JSON object"),
        (&["api", "get-wechat-mp-access-token-info", "--body", "/nonexistent"], "", "cannot be read"),
        // This is how curl takes a body.
        (
            &["api", "get-wechat-mp-access-token-info", "--body", r#"{"appSecret":"canary5d92c07ab6"}"#],
            "",
            "--body takes a file, or - for stdin",
        ),
        (&["call", "POST", "/api/v3/x", "--body", CANARY], "", "--body takes a file, or - for stdin"),
        (
            &["api", "get-wechat-mp-access-token-info", "--body", "-"],
            r#"{"appId":"wx","appSecret":7654321}"#,
            "the body at /appSecret",
        ),
        (
            &["api", "get-wechat-mp-access-token-info", "--body", "-"],
            r#"{"appId":"a","appSecret":"b","canary5d92c07ab6":1}"#,
            "a field is unknown",
        ),
        (
            &[sign_in[0], sign_in[1], "--connection", "PASSWORD", "--password-payload", CANARY],
            "",
            "--password-payload: this is not JSON",
        ),
        (
            &[sign_in[0], sign_in[1], "--connection", "PASSWORD", "--password-payload.account", "a"],
            "",
            "the body at /passwordPayload",
        ),
        (
            &[sign_in[0], sign_in[1], "--connection", "PASSWORD", "--body", "-", "--options.scope", "x"],
            r#"{"options":"canary5d92c07ab6"}"#,
            "what is around it is not an object",
        ),
    ] {
        let run = genauth(arguments).at(&server).stdin(stdin).run();
        assert_eq!(run.stdout, "");
        let said = run.fails(2);
        assert!(said.contains(named), "{said}");
        assert!(!said.contains(CANARY) && !said.contains("7654321"), "{said}");
    }
    let wrong = genauth(&["api", "sign-in-by-credentials", "--connection", "PASWORD"]).at(&server).run();
    assert!(wrong.code == 2 && wrong.stderr.contains("a similar value exists: 'PASSWORD'"), "{wrong:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn the_curl_of_a_dry_run_sends_the_same() {
    if !has("curl") || !has("sh") {
        return;
    }
    let server = server();
    for (name, stdin) in
        [("get-wechat-mp-access-token-info", ""), ("sign-in-by-credentials", ""), ("check-app-id-secret", "")]
    {
        let operation = genauth::operations().iter().find(|operation| self::name(operation) == name).unwrap();
        let body = example(operation).unwrap().to_string() + stdin;
        let call = |arguments: &[&str]| {
            let program = genauth(&[&["api", name, "--body", "-"], arguments].concat());
            program.at(&server).stdin(&body).run().ok()
        };
        let shown = call(&["--dry-run"]);
        assert!(server.requests().is_empty(), "a dry run sends nothing");
        call(&[]);
        let curl = &shown[shown.find("curl --request").unwrap()..];
        let mut shell = Command::new("sh");
        shell.args(["-c", curl]).env("GENAUTH_APP_SECRET", MockGenAuth::APP_SECRET);
        shell.env("APP_SECRET", server.wechat_app_secret()).env("PASSWORD", "example-password");
        let answer = shell.output().unwrap();
        let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(answer["statusCode"], 200, "{curl}");
        let [sent, by_curl] = server.take_requests().try_into().unwrap();
        assert_eq!(sent.json(), by_curl.json(), "{curl}");
        let incidental = ["user-agent", "content-length"];
        let headers = |request: &genauth::mock::RecordedRequest| {
            let mut headers = request.headers.clone();
            headers.retain(|(name, _)| !incidental.contains(&name.as_str()));
            headers.sort();
            headers
        };
        assert_eq!(headers(&sent), headers(&by_curl), "{curl}");
    }
}
