//! The reference page of `genauth mock`, in a browser.

use crate::program::{Folder, Served, has};
use serde_json::Value;
use std::process::Command;

#[test]
fn the_page_shows_every_operation_and_asks_nobody_but_the_mock() {
    if !has("chromium") {
        return;
    }
    let served = Served::with(&["--fault", "hang-up"]);
    let folder = Folder::new();
    let log = folder.path("net.json");
    let show = |group: &str| {
        let output = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg("--disable-dev-shm-usage")
            // Requests to other machines, of the page or the browser itself, go to a port that refuses them.
            .arg("--proxy-server=http://127.0.0.1:1")
            .arg(format!("--user-data-dir={}", folder.path("profile")))
            .arg(format!("--log-net-log={log}"))
            .args(["--virtual-time-budget=20000", "--dump-dom"])
            .arg(format!("{}/#/{group}", served.url()))
            .output()
            .unwrap();
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(page.contains("GenAuth V3 API"), "{page}\n{}", String::from_utf8_lossy(&output.stderr));
        page
    };
    let document: Value = serde_json::from_str(genauth::OPENAPI).unwrap();
    let groups = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap());
    // The chosen group is unfolded, and the others show their descriptions.
    let pages: String = groups.map(show).collect();
    let shown = pages.replace("<wbr>", "").replace('\u{200b}', "");
    for operation in genauth::operations() {
        assert!(pages.contains(&format!("-{}\"", operation.id)), "{} is not on the page", operation.id);
        assert!(shown.contains(operation.path), "{} is not on the page", operation.path);
    }
    assert!(pages.contains("opblock-deprecated"), "a deprecated operation does not look like one");

    let loaded: Vec<String> = of_pages(&std::fs::read_to_string(log).unwrap());
    let files = ["swagger-ui.css", "swagger-ui-bundle.js", "start.js", "openapi.json"];
    assert_eq!(loaded, files.map(|file| format!("{}/{file}", served.url())));
    // The page does not use up answers that are meant for the API, and is not in the mock's log.
    assert_eq!(served.stop(), "");
}

/// What pages have asked for, by the log of the browser, which also sends many requests of its own.
fn of_pages(log: &str) -> Vec<String> {
    let log: Value = serde_json::from_str(log).unwrap();
    let start = &log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"];
    let started = log["events"].as_array().unwrap().iter().filter(|event| event["type"] == *start);
    let by_page = started.filter(|event| event["params"]["initiator"].as_str().is_some_and(|by| by != "not an origin"));
    by_page.map(|event| event["params"]["url"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_page_may_load_from_the_mock_alone_and_tries_out_the_mock() {
    let served = Served::with(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(crate::tls::no_tls()).build().unwrap();
    let get = |path: &str| {
        let answer = client.get(format!("{}{path}", served.url())).send();
        runtime.block_on(async { answer.await.unwrap() })
    };
    let page = get("/");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let page = runtime.block_on(page.text()).unwrap();
    assert!(!page.contains("://"), "the page names another server: {page}");
    let document: Value = runtime.block_on(async { get_json(&client, served.url()).await });
    assert_eq!(document["servers"][0]["url"], "/");
    let paths = document["paths"].as_object().unwrap().values();
    assert_eq!(paths.map(|path| path.as_object().unwrap().len()).sum::<usize>(), genauth::operations().len());
    for path in ["/swagger-ui-bundle.js", "/swagger-ui.css"] {
        assert_eq!(get(path).headers()["content-encoding"], "gzip", "{path}");
    }
}

async fn get_json(client: &reqwest::Client, host: &str) -> Value {
    client.get(format!("{host}/openapi.json")).send().await.unwrap().json().await.unwrap()
}
