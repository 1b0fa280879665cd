//! From the host's name to an answer: DNS, TCP, TLS, HTTP, and the server's clock.

use super::certificate;
use super::finding::Report;
use crate::failure::Exit;
use crate::settings::Settings;
use crate::{clock, connect};
use genauth::{Client, UnixTimestamp};
use reqwest::{Response, Url};
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

const DNS: &str = "dns";
const TCP: &str = "tcp";
const TLS: &str = "tls";
const SERVER: &str = "server";
const CLOCK: &str = "clock";
pub(super) const CHECKS: &[&str] = &[DNS, TCP, TLS, SERVER, CLOCK];

/// How far a signature's date may be from the server's clock before it is refused.
const REFUSED_FROM: Duration = Duration::from_secs(15 * 60);
const WORTH_A_WORD: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Whether the clocks agree well enough for a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockIs {
    Right,
    Wrong,
}

/// Adds its findings to the report. An error names the check that the rest of them need.
pub(super) async fn check(report: &mut Report, settings: &Settings, client: &Client) -> Result<ClockIs, &'static str> {
    let found = connection(report, settings, client).await;
    if let Err(needed) = found {
        let at = CHECKS.iter().position(|check| *check == needed).map_or(CHECKS.len(), |at| at + 1);
        for check in &CHECKS[at..] {
            report.skip(check, format!("needs {needed}"));
        }
    }
    found
}

async fn connection(report: &mut Report, settings: &Settings, client: &Client) -> Result<ClockIs, &'static str> {
    // This does not fail: the client was built for this URL.
    let url = Url::parse(client.host()).map_err(|_| "configuration")?;
    let patience = connect::timeout(settings).unwrap_or(Duration::from_secs(10));
    if let Some(variable) = proxy(&url) {
        for check in [DNS, TCP] {
            report.skip(check, format!("left to the proxy of {variable}"));
        }
    } else {
        let addresses = resolve(report, &url, patience).await?;
        reach(report, &addresses, patience).await?;
    }
    let answer = ask(settings, &url, patience).await;
    secure(report, &url, &answer)?;
    let answer = match answer {
        Ok(answer) if answer.status().is_server_error() => {
            let status = answer.status().as_u16();
            let advice = "try again later; if it persists, tell the server's operators";
            report.fail(SERVER, Exit::Server, format!("answers HTTP {status}"), advice);
            return Err(SERVER);
        }
        Ok(answer) => answer,
        Err(error) => {
            let problem = if error.is_timeout() {
                format!("no answer within {patience:?}")
            } else {
                "closes the connection without an answer".to_owned()
            };
            report.fail(
                SERVER,
                Exit::Network,
                problem,
                "check that the port is the server's, and that it is not overloaded",
            );
            return Err(SERVER);
        }
    };
    report.ok(SERVER, "answers");
    Ok(compare_clocks(report, &answer))
}

/// The environment variable that sends requests to this host through a proxy, which then resolves the name and
/// connects.
fn proxy(url: &Url) -> Option<&'static str> {
    let names: &[&str] = match url.scheme() {
        "https" => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => &["http_proxy", "ALL_PROXY", "all_proxy"],
    };
    let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    names.iter().find(is_set).filter(|_| !is_this_machine(url)).copied()
}

fn is_this_machine(url: &Url) -> bool {
    name(url).parse::<IpAddr>().map_or(name(url) == "localhost", |address| address.to_canonical().is_loopback())
}

/// The host's name, without the brackets of an IPv6 address.
fn name(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

async fn resolve(report: &mut Report, url: &Url, patience: Duration) -> Result<Vec<SocketAddr>, &'static str> {
    let (name, port) = (name(url), url.port_or_known_default().unwrap_or(443));
    let found = timeout(patience, lookup_host((name, port))).await;
    let found: Vec<_> = found.into_iter().flatten().flatten().collect();
    if found.is_empty() {
        report.fail(
            DNS,
            Exit::Network,
            "the host's name is unknown",
            "check --host for a typing error, and this machine's DNS",
        );
        return Err(DNS);
    }
    if name.parse::<IpAddr>().is_ok() {
        report.ok(DNS, "an address, which needs no DNS");
    } else {
        let addresses: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
        report.ok(DNS, addresses.join(", "));
    }
    Ok(found)
}

async fn reach(report: &mut Report, addresses: &[SocketAddr], patience: Duration) -> Result<(), &'static str> {
    let mut problem = String::new();
    for address in addresses {
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                report.ok(TCP, format!("connects to port {}", address.port()));
                return Ok(());
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                problem = format!("port {} refuses", address.port());
            }
            Ok(Err(error)) => problem = format!("port {} cannot be reached: {}", address.port(), error.kind()),
            Err(_) => problem = format!("port {} does not answer within {patience:?}", address.port()),
        }
    }
    report.fail(
        TCP,
        Exit::Network,
        problem,
        "check the port of --host, that the server runs, and firewalls on the way",
    );
    Err(TCP)
}

/// Sends one request to the host itself, without credentials.
async fn ask(settings: &Settings, url: &Url, patience: Duration) -> reqwest::Result<Response> {
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(patience);
    if is_this_machine(url) {
        builder = builder.no_proxy();
    }
    builder = with_tls(builder, settings)?;
    builder.build()?.get(url.clone()).send().await
}

#[cfg(any(feature = "native-tls", feature = "__rustls"))]
fn with_tls(builder: reqwest::ClientBuilder, settings: &Settings) -> reqwest::Result<reqwest::ClientBuilder> {
    let pem = connect::root_certificates(settings).ok().flatten().unwrap_or_default();
    let builder = builder.tls_info(true).tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?);
    #[cfg(feature = "native-tls")]
    let builder = builder.tls_backend_native();
    #[cfg(not(feature = "native-tls"))]
    let builder = {
        #[cfg(feature = "rustls-aws-lc-rs")]
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        #[cfg(not(feature = "rustls-aws-lc-rs"))]
        let provider = rustls::crypto::ring::default_provider();
        // An error says that a provider is installed already, which is as good.
        let _ = provider.install_default();
        builder.tls_backend_rustls()
    };
    Ok(builder)
}

#[cfg(not(any(feature = "native-tls", feature = "__rustls")))]
fn with_tls(builder: reqwest::ClientBuilder, _: &Settings) -> reqwest::Result<reqwest::ClientBuilder> {
    Ok(builder)
}

#[cfg(any(feature = "native-tls", feature = "__rustls"))]
fn certificate_of(answer: &Response) -> Option<&[u8]> {
    answer.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()
}

#[cfg(not(any(feature = "native-tls", feature = "__rustls")))]
fn certificate_of(_: &Response) -> Option<&[u8]> {
    None
}

fn secure(report: &mut Report, url: &Url, answer: &reqwest::Result<Response>) -> Result<(), &'static str> {
    if url.scheme() != "https" {
        report.skip(TLS, "an http:// host has no TLS");
        return Ok(());
    }
    if let Err(error) = answer
        && error.is_connect()
    {
        let (problem, advice) = tls_problem(error);
        report.fail(TLS, Exit::Network, problem, advice);
        return Err(TLS);
    }
    match answer.as_ref().ok().and_then(certificate_of).and_then(certificate::expiry) {
        None => report.ok(TLS, "the certificate is valid"),
        Some(end) => {
            let message = format!("the certificate is valid until {}", UnixTimestamp::from(end));
            if end.duration_since(clock::now()).unwrap_or_default() < SOON {
                report.warn(TLS, message, "tell the server's operators to renew it");
            } else {
                report.ok(TLS, message);
            }
        }
    }
    Ok(())
}

/// What is wrong with the certificate. Each TLS library has words of its own for it.
fn tls_problem(error: &reqwest::Error) -> (&'static str, &'static str) {
    let mut words = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(&error.to_string().to_ascii_lowercase());
        source = error.source();
    }
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["expired", "not valid yet", "notvalidyet"]) {
        (
            "the certificate has expired, or is not valid yet",
            "check this machine's clock, then tell the server's operators",
        )
    } else if says(&["not valid for name", "notvalidforname", "hostname mismatch", "address mismatch", "host name"]) {
        ("the certificate is of another host", "check --host, and that DNS answers the right address")
    } else if says(&["unknownissuer", "unknown issuer", "self-signed", "self signed", "local issuer", "not trusted"]) {
        (
            "the certificate is of an authority that this machine does not know",
            "if it is your own, give its certificate with --root-certificates",
        )
    } else if says(&["certificate"]) {
        ("the certificate is not accepted", "tell the server's operators")
    } else {
        ("no TLS connection can be made", "check that the port of --host speaks TLS, and a proxy on the way")
    }
}

fn compare_clocks(report: &mut Report, answer: &Response) -> ClockIs {
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let Some(server) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        report.skip(CLOCK, "the server does not tell its time");
        return ClockIs::Right;
    };
    let apart = apart(server, clock::now());
    let words = format!("{} apart from the server's", humantime::format_duration(Duration::from_secs(apart.as_secs())));
    let advice = "set this machine's clock (NTP)";
    if apart >= REFUSED_FROM {
        report.fail(CLOCK, Exit::Configuration, format!("{words}: it refuses signatures with such a date"), advice);
        return ClockIs::Wrong;
    }
    if apart >= WORTH_A_WORD {
        report.warn(CLOCK, words, advice);
    } else {
        report.ok(CLOCK, "agrees with the server's");
    }
    ClockIs::Right
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}
