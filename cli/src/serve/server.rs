//! The token server, as HTTP.

use super::address::{Listener, is_own_name};
use super::apps::Apps;
use super::metrics::Metrics;
use super::wechat::{Asked, Said};
use crate::ending::told_to_end;
use genauth::SecretString;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long requests that are under way may take to end: as long as a caller waits for a token.
const FAREWELL: Duration = Duration::from_secs(15);
/// How long the head of a request may take, and its body.
const PATIENCE: Duration = Duration::from_secs(30);
/// No request of WeChat's is longer than this.
const LONGEST_BODY: usize = 16 << 10;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What a caller has to show.
pub(super) struct Needs {
    pub(super) caller_secret: Option<SecretString>,
    /// Whether web pages in somebody's browser can send requests here.
    pub(super) browsers_get_here: bool,
}

pub(super) struct Server {
    apps: Apps,
    needs: Needs,
    metrics: Option<Metrics>,
    start: Instant,
    /// The second, counted from the start, in which a refusal was last logged: one per second, so that no caller fills
    /// a disk.
    told: AtomicU64,
}

impl Server {
    pub(super) fn new(apps: Apps, needs: Needs) -> Self {
        let metrics = Metrics::new(&apps).inspect_err(|error| tracing::error!(%error, "there are no metrics")).ok();
        Self { apps, needs, metrics, start: Instant::now(), told: AtomicU64::new(u64::MAX) }
    }

    /// Serves until the process is told to end, and then finishes what is under way.
    pub(super) async fn run(self, listener: Listener) {
        // The server is leaked because it lives as long as the process: with a reference count, all cores would write
        // to it on each request.
        let server: &'static Self = Box::leak(Box::new(self));
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
        let (ending, ended) = (CancellationToken::new(), TaskTracker::new());
        tracing::info!(address = listener.name(), "listening");
        let mut end = pin!(told_to_end());
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut end => break,
            };
            match accepted {
                Ok(connection) => {
                    let service =
                        service_fn(move |request| async move { Ok::<_, Infallible>(server.answer(request).await) });
                    let connection = http.serve_connection(TokioIo::new(connection), service);
                    let ending = ending.clone();
                    ended.spawn(async move {
                        let mut connection = pin!(connection);
                        tokio::select! {
                            biased;
                            // A caller that hangs up is not an error.
                            _ = &mut connection => return,
                            () = ending.cancelled() => connection.as_mut().graceful_shutdown(),
                        }
                        let _ = connection.await;
                    });
                }
                Err(error) => {
                    // As a rule, the process has too many files open; there is room again when some are closed.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        tracing::info!("ending; requests that are under way are finished");
        drop(listener);
        ending.cancel();
        ended.close();
        if tokio::time::timeout(FAREWELL, ended.wait()).await.is_err() {
            tracing::warn!("some requests were not finished in time");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if self.needs.caller_secret.is_none() && self.needs.browsers_get_here && is_of_a_page(request.headers()) {
            let refusal = "this is for programs on this machine, not for web pages: call it by its address, or set a caller secret";
            return response(StatusCode::FORBIDDEN, JSON, Said::refused(-1, refusal).json);
        }
        // A base address with a slash at its end makes two slashes here.
        let path = request.uri().path();
        match (request.method(), path.strip_prefix('/').filter(|path| path.starts_with('/')).unwrap_or(path)) {
            (&Method::GET | &Method::POST, "/cgi-bin/token") => self.token(request, false).await,
            (&Method::POST, "/cgi-bin/stable_token") => self.token(request, true).await,
            (_, "/cgi-bin/stable_token") => {
                response(StatusCode::OK, JSON, Said::refused(43002, "require POST method").json)
            }
            (&Method::GET | &Method::HEAD, "/healthz") => response(StatusCode::OK, TEXT, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") => {
                let without = self.apps.without_token().await;
                let status = if without.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                let body = json!({ "ready": without.is_empty(), "without_token": without });
                response(status, JSON, body.to_string())
            }
            (&Method::GET | &Method::HEAD, "/metrics") => match &self.metrics {
                Some(metrics) => response(StatusCode::OK, TEXT, metrics.text(&self.apps)),
                None => response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "there are no metrics; see the log\n"),
            },
            _ => {
                let refusal = "invalid url: this server hands out tokens at /cgi-bin/token and /cgi-bin/stable_token; leave the \
                               address of other calls at https://api.weixin.qq.com";
                response(StatusCode::NOT_FOUND, JSON, Said::refused(40066, refusal).json)
            }
        }
    }

    async fn token(&self, request: Request<Incoming>, is_stable: bool) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let asked = Asked::of_form(head.uri.query().unwrap_or_default().as_bytes());
        if head.method == Method::GET {
            return self.say(&asked).await;
        }
        // The future is boxed to keep that of the usual case small.
        let collected = Box::pin(tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST_BODY).collect())).await;
        let Ok(Ok(body)) = collected else {
            let refusal = "data format error: the body is longer than 16 KiB, or takes too long";
            return response(StatusCode::OK, JSON, Said::refused(47001, refusal).json);
        };
        let body = body.to_bytes();
        match Asked::of_json(&body) {
            Some(of_body) => Box::pin(self.say(&of_body.or(asked))).await,
            None if is_stable => {
                let refusal = "data format error: the body is not a JSON object";
                response(StatusCode::OK, JSON, Said::refused(47001, refusal).json)
            }
            None => Box::pin(self.say(&Asked::of_form(&body).or(asked))).await,
        }
    }

    async fn say(&self, asked: &Asked<'_>) -> Response<Full<Bytes>> {
        let Needs { caller_secret, .. } = &self.needs;
        let mut answer = pin!(self.apps.answer(asked, caller_secret.as_ref(), caller_secret.is_none()));
        let at_once = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        let said = match at_once {
            Poll::Ready(said) => said,
            Poll::Pending => {
                let begin = Instant::now();
                let said = answer.await;
                self.metrics.iter().for_each(|metrics| metrics.waited(begin.elapsed()));
                said
            }
        };
        let app_id = self.apps.known(asked.app_id.as_deref().unwrap_or_default()).unwrap_or_default();
        if let Some(metrics) = &self.metrics {
            metrics.answered(app_id, said.errcode);
        }
        if let Some(errmsg) = &said.errmsg {
            let second = self.start.elapsed().as_secs();
            if self.told.swap(second, Ordering::Relaxed) != second {
                tracing::warn!(app_id, errcode = said.errcode, errmsg, "a caller got no token");
            }
        }
        response(StatusCode::OK, JSON, said.json)
    }
}

/// Whether a browser sent the request for a web page. A page may have a name that its owner has pointed to this
/// machine, or send requests whose answers it cannot read; browsers mark these.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    !is_own_name(host) || headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site")
}

fn response(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}
