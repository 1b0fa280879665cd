#![doc = include_str!("../README.md")]
#![deny(missing_docs, unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod client;
mod credentials;
mod deprecation;
mod encoding;
mod error;
mod exchange;
#[cfg(feature = "__fuzz")]
#[doc(hidden)]
pub mod fuzzing;
mod integer;
mod json;
#[cfg(feature = "mock")]
pub mod mock;
mod operation;
mod query;
mod response;
mod retry;
#[cfg(feature = "schemars")]
pub mod schema;
mod secret;
mod session;
mod timestamp;
pub mod wechat;

pub use api::{Client, builder, types};
pub use client::{CallOptions, ClientBuilder};
/// For the program, which names the credentials otherwise. No part of the API: it changes without notice.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use credentials::ways;
pub use credentials::{AccessKeyUse, ClientAuthentication, Credential, Dialect, Language, SignatureDate, TenantHeader};
pub use deprecation::{DeprecationNotice, DeprecationSource, OnDeprecation};
pub use error::{Error, ErrorKind};
pub use exchange::{UndescribedCall, encode_path_segment};
/// Of the crate `http`: what [`Client::call`] and [`Operation`] name it by.
pub use http::Method;
pub use operation::{Operation, operations};
pub use response::Response;
pub use secret::SecretString;
pub use session::{NextStep, NextStepKind, SignIn, SignedIn};
pub use timestamp::UnixTimestamp;

/// The whole OpenAPI document that this client was generated from, as JSON.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
