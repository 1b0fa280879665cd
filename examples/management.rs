//! Fetches a WeChat access token from the management side, both ways that an access key works: signing each request,
//! and by a management token that the client fetches, keeps and renews.
//!
//!     cargo run --example management
//!
//! It talks to a mock server inside the process, and prints what went over the wire.

use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::{AccessKeyUse, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockGenAuth::start().await?;
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    for what_for in [AccessKeyUse::Signature, AccessKeyUse::ManagementToken] {
        let client = Client::builder(server.url())
            .access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET)
            .access_key_use(what_for)
            .build()?;
        for _ in 0..2 {
            client.get_weixin_access_token().body(app.clone()).send().await?;
        }
        println!("{what_for:?}:");
        for request in server.take_requests() {
            // Only the scheme is shown: what follows it is secret.
            let scheme = request.header("authorization").and_then(|value| value.split(' ').next());
            println!("  {} {} ({})", request.method, request.path, scheme.unwrap_or("no authorization"));
        }
    }
    Ok(())
}
