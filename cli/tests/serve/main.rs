//! `genauth serve` and `genauth token --watch`, run as processes against the mock; and WeChat libraries of other languages,
//! as they are, against the token server.
#![cfg(unix)]

mod clients;
mod protocol;
mod redis;
mod server;
mod sink;
mod trouble;
