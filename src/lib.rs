#![doc = include_str!("../README.md")]
#![deny(missing_docs, unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod client;
mod credentials;
mod deprecation;
mod encoding;
mod envelope;
mod error;
#[cfg(feature = "__fuzz")]
#[doc(hidden)]
pub mod fuzzing;
mod hooks;
mod integer;
#[cfg(feature = "invoke")]
mod invoke;
mod json;
#[cfg(feature = "mock")]
pub mod mock;
mod operation;
mod redaction;
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
pub use credentials::{AccessKeyUse, ClientAuthentication, Credential, Dialect, Language, SignatureDate, TenantHeader};
pub use deprecation::{DeprecationNotice, DeprecationSource, OnDeprecation};
pub use error::{Error, ErrorKind};
pub use operation::{Operation, operations};
/// What `send_envelope` answers: the generator's own type, an envelope with its HTTP status and headers.
pub use progenitor_client::ResponseValue;
pub use response::Response;
pub use secret::SecretString;
pub use session::{NextStep, NextStepKind, SignIn, SignedIn};
pub use timestamp::UnixTimestamp;

/// The whole OpenAPI document that this client was generated from, as JSON.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
