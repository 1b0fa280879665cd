//! Fetches a WeChat access token through the generated client: with the operation that was asked for by name, which is
//! deprecated, and with its replacement.
//!
//!     cargo run --example wechat_token
//!
//! It talks to a mock server inside the process. With `GENAUTH_HOST` and the other variables of `Client::from_env()`
//! set, and the WeChat app's `WECHAT_APP_ID` and `WECHAT_APP_SECRET`, it talks to the real one.
//! `-- --show-token` prints the token in full.

use genauth::mock::MockGenAuth;
use genauth::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use genauth::{Client, Response};
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let show_token = std::env::args().any(|argument| argument == "--show-token");
    // The mock is kept until the end, since it stops when it is dropped.
    let mut mock = None;
    let (client, app_id, app_secret) = if std::env::var_os("GENAUTH_HOST").is_some() {
        let client = Client::from_env()?;
        println!("Asking the server of GENAUTH_HOST.");
        (client, variable("WECHAT_APP_ID")?, variable("WECHAT_APP_SECRET")?)
    } else {
        let server = mock.insert(MockGenAuth::start().await?);
        println!("Asking a mock server at {} (set GENAUTH_HOST for a real one).", server.url());
        let client = server.client_builder().build()?;
        (client, server.wechat_app_id().to_owned(), server.wechat_app_secret().to_owned())
    };
    let app = GetWechatAccessTokenDto::builder().app_id(app_id).app_secret(app_secret);

    println!("\nget_wechat_mp_access_token (POST /api/v3/get-wechat-mp-access-token), deprecated:");
    #[allow(deprecated, reason = "this is the endpoint asked for by name; the compiler names its replacement")]
    let requested = client.get_wechat_mp_access_token().body(app.clone()).send().await;
    match &requested {
        Ok(token) => print(token, show_token)?,
        // A real host may no longer have this operation; the error names the operations to try instead.
        Err(error) => println!("  {error}"),
    }

    println!("\nget_wechat_mp_access_token_info (POST /api/v3/get-wechat-access-token-info), its replacement:");
    let token = client.get_wechat_mp_access_token_info().body(app).send().await?;
    print(&token, show_token)?;

    if let Ok(requested) = requested {
        let same = requested.access_token.expose_secret() == token.access_token.expose_secret();
        println!(
            "\nBoth returned {} token, which the server keeps until it expires.",
            if same { "the same" } else { "a" }
        );
    }
    Ok(())
}

/// Prints the envelope as the server sent it, with the token shortened unless `show_token` is set.
fn print(token: &Response<GetWechatAccessTokenDataDto>, show_token: bool) -> Result<(), Failure> {
    let mut envelope = serde_json::to_value(token)?;
    if !show_token {
        let shortened: String = token.access_token.expose_secret().chars().take(6).collect();
        envelope["data"]["accessToken"] = format!("{shortened}…").into();
    }
    println!("  {envelope}");
    println!("  a token that expires at {}", token.expires_at);
    Ok(())
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("GENAUTH_HOST is set but {name} is not; set it too").into())
}
