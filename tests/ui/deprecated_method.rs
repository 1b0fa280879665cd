//! A caller of a deprecated operation is told what to use instead, by the compiler.
#![deny(deprecated)]

use genauth::types::GetWechatAccessTokenDto;

async fn token(client: &genauth::Client) {
    let app = GetWechatAccessTokenDto::builder().app_id("wx").app_secret("secret");
    let _ = client.get_wechat_mp_access_token().body(app).send().await;
}

fn main() {}
