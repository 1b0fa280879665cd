#![doc = include_str!("../README.md")]
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `codegen` | yes | generates the client at build time; without it the build takes what was generated before and checked in, and compiles no generator |
//! | `rustls-ring` | yes | TLS by rustls with `ring` and the platform's certificate verifier |
//! | `rustls-aws-lc-rs` | | the same with `aws-lc-rs`, which compiles C for a while |
//! | `native-tls` | | the platform's own TLS |
//! | `blocking` | | `genauth::blocking`: calls from code that is not async |
//! | `schemars` | | `JsonSchema` on every type, and `genauth::schema` |
//! | `invoke` | | `Client::invoke`: any operation by its id, JSON in and out |
//! | `redis` | | `genauth::wechat::RedisStore`: a token cache for a fleet |
//! | `mock` | | `genauth::mock`: a server of the described API for tests |
//! | `opentelemetry` | | `http.client.request.duration`, gauges of tokens, and `traceparent` |
//! | `users`, `organizations`, `groups`, `roles`, `permissions`, `applications`, `webhooks`, `audit`, `profile`, `mfa`, `sign-up`, `system` | | the operations of that group; what hands out tokens and signs in is always there |
//! | `all-groups` | | all of them, as the program `genauth` has them |
//! | `oidc` | | `genauth::oidc`: OpenID Connect, and JWTs that are verified without a request |
//! | `password-encryption` | | `genauth::PasswordEncryptor`: passwords encrypted by RSA or SM2 with the server's keys |
//!
//! Choose one TLS feature, with `default-features = false` if it is not the default one; where several are on, `native-tls`
//! wins over `rustls-aws-lc-rs`, and that over `rustls-ring`. A program that does not change `openapi/` need not compile a
//! code generator: `default-features = false, features = ["rustls-ring"]`.
//!
//! The crate does not build for `wasm32-unknown-unknown`: a browser decides over redirects, certificates, time limits and
//! several headers itself, so what is promised here of secrets and of errors could not be kept there.
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
/// The type of the crate `http` by which [`Client::call`] and [`Operation`] name a method.
pub use http::Method;
pub use operation::{Operation, operations};
pub use pages::{Items, Pages, Paging};
#[cfg(feature = "password-encryption")]
pub use password::PasswordEncryptor;
pub use response::Response;
pub use secret::{Exposed, SecretString};
pub use session::{NextStep, NextStepKind, SignIn, SignedIn};
pub use timestamp::UnixTimestamp;

/// The whole OpenAPI document that this client was generated from, as JSON.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
