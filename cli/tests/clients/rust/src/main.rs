//! COUNT callers of a library, each without a token of its own. Prints each token once, and fails if a caller gets none.

use std::collections::HashSet;
use std::env;
use wechat_mp_sdk::types::{AppId, AppSecret};
use wechat_mp_sdk::WechatMp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (base, app_id, secret) = (env::var("BASE")?, env::var("APPID")?, env::var("SECRET")?);
    let mut tokens = HashSet::new();
    for _ in 0..env::var("COUNT")?.parse::<usize>()? {
        let library = WechatMp::builder()
            .appid(AppId::new(&app_id)?)
            .secret(AppSecret::new(&secret)?)
            .base_url(&base) // the one address
            .build()?;
        tokens.insert(library.get_access_token().await?);
    }
    println!("{}", Vec::from_iter(tokens).join("\n"));
    Ok(())
}
