//! The builder and the types that only deprecated operations use say so as well.
#![deny(deprecated)]

fn name_them(_: genauth::builder::GetWechatMpAccessToken<'_>, _: genauth::types::GetWechatAccessTokenRespDto) {}

fn main() {}
