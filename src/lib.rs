#![doc = include_str!("../README.md")]
#![deny(missing_docs, unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
mod credentials;
mod deprecation;
mod encoding;
mod error;
mod exchange;
mod extension;
#[cfg(feature = "__fuzz")]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod generated;
mod integer;
mod json;
mod keeper;
#[cfg(feature = "mock")]
pub mod mock;
#[cfg(feature = "oidc")]
pub mod oidc;
mod operation;
mod pages;
#[cfg(feature = "password-encryption")]
mod password;
mod query;
mod response;
mod retry;
#[cfg(feature = "schemars")]
pub mod schema;
mod secret;
mod session;
pub mod setter;
mod timestamp;
pub mod wechat;

pub use api::{Client, builder, types};
pub use client::{CallOptions, ClientBuilder};
pub use credentials::{AccessKeyUse, ClientAuthentication, Credential, Dialect, Language, SignatureDate, TenantHeader};
pub use deprecation::{DeprecationNotice, DeprecationSource, OnDeprecation};
pub use error::{Error, ErrorKind};
pub use exchange::path::encode_path_segment;
pub use exchange::undescribed::UndescribedCall;
pub use extension::Extension;
/// Of the crate `http`: what [`Client::call`] and [`Operation`] name it by.
pub use http::Method;
pub use operation::{Operation, operations};
pub use pages::{Items, Pages};
#[cfg(feature = "password-encryption")]
pub use password::PasswordEncryptor;
pub use response::Response;
pub use secret::{Exposed, SecretString};
pub use session::{NextStep, NextStepKind, SignIn, SignedIn};
pub use timestamp::UnixTimestamp;

/// The whole OpenAPI document that this client was generated from, as JSON.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
