//! Signs a user in, and fetches a WeChat access token as that user: the flow of the server's own documentation.
//!
//!     cargo run --example sign_in_then_token
//!
//! It talks to a mock server inside the process. With `GENAUTH_HOST` and the other variables of `Client::from_env()`
//! set, `GENAUTH_ACCOUNT` and `GENAUTH_PASSWORD` for the user, and the WeChat app's `WECHAT_APP_ID` and
//! `WECHAT_APP_SECRET`, it talks to the real one.

use genauth::mock::MockGenAuth;
use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, SignIn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = if std::env::var_os("GENAUTH_HOST").is_none() { Some(MockGenAuth::start().await?) } else { None };
    let client = match &mock {
        Some(server) => server.client_builder().build()?,
        None => Client::from_env()?,
    };
    // A setting is the mock's own, or comes from the environment.
    let setting = |name: &str, of_mock: fn(&MockGenAuth) -> &str| match &mock {
        Some(server) => Ok(of_mock(server).to_owned()),
        None => std::env::var(name).map_err(|_| format!("GENAUTH_HOST is set but {name} is not; set it too")),
    };
    let account = setting("GENAUTH_ACCOUNT", |_| MockGenAuth::USER_ACCOUNT)?;
    let password = setting("GENAUTH_PASSWORD", |_| MockGenAuth::USER_PASSWORD)?;
    let app = GetWechatAccessTokenDto::builder()
        .app_id(setting("WECHAT_APP_ID", MockGenAuth::wechat_app_id)?)
        .app_secret(setting("WECHAT_APP_SECRET", MockGenAuth::wechat_app_secret)?);

    let user = match client.sign_in_by_password(account.as_str(), password).await? {
        SignIn::SignedIn(user) => user,
        SignIn::NextStep(step) => return Err(format!("first: {} (code {})", step.message(), step.code()).into()),
        _ => return Err("the sign-in went another way than this example knows".into()),
    };
    println!("{account} is signed in, for {} seconds.", user.tokens.expire_in);

    let token = user.client.get_wechat_mp_access_token_info().body(app).send().await?;
    println!("As that user: a WeChat access token that expires at {}.", token.expires_at);
    Ok(())
}
