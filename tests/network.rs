//! What can go wrong between this machine and the server, and what a builder refuses before anything is sent.

mod common;

use common::raw::{self, SUCCESS, answer, deaf, request, serve};
use common::reqwest_client_builder;
use genauth::types::{GetWechatAccessTokenDataDto, GetWechatAccessTokenDto};
use genauth::{Client, ClientBuilder, Error, ErrorKind, Response};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

const CONNECT: &str = "getWechatMpAccessTokenInfo: the server cannot be reached; check the host, the network, a proxy \
                       and the certificate";
const TRANSPORT: &str = "getWechatMpAccessTokenInfo: the connection broke before the answer was complete; try again";
const TIMEOUT: &str = "getWechatMpAccessTokenInfo: no complete answer within the time allowed; try again, or allow \
                       more with `.timeout(..)`";
const TOO_LARGE: &str = "getWechatMpAccessTokenInfo: the answer is larger than 1048576 bytes; check that the host is right, or allow more with \
     `.largest_answer(..)`";

/// Reads a request and answers it, until the client closes the connection.
async fn answer_all(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    while !request(&mut stream).await.is_empty() {
        stream.write_all(answer(SUCCESS).as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
}

async fn token(builder: ClientBuilder) -> Result<Response<GetWechatAccessTokenDataDto>, Error> {
    call(&builder.app_id("app").retries(0).build().unwrap()).await
}

async fn call(client: &Client) -> Result<Response<GetWechatAccessTokenDataDto>, Error> {
    let app = GetWechatAccessTokenDto::builder().app_id("wx").app_secret("wechat-app-secret-5b1c");
    client.get_wechat_mp_access_token_info().body(app).send().await
}

/// Everything that an error shows, including its sources.
fn shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        shown.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    shown
}

#[track_caller]
fn assert_failed(answer: Result<Response<GetWechatAccessTokenDataDto>, Error>, kind: ErrorKind, text: &str) -> Error {
    let error = answer.map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text), "{error:?}");
    assert_eq!(error.is_timeout(), kind == ErrorKind::Timeout);
    assert_eq!(error.is_retryable(), kind != ErrorKind::TooLarge);
    assert!(error.body().is_none());
    assert!(!shown(&error).contains("wechat-app-secret-5b1c"), "{error:?}");
    error
}

#[tokio::test]
async fn a_refused_connection_is_a_connect_error_that_does_not_show_the_address() {
    let deaf = deaf();
    let address = deaf.local_addr().unwrap();
    let host = format!("http://{address}/secret-path-77aa");
    let error = assert_failed(token(Client::builder(host)).await, ErrorKind::Connect, CONNECT);
    assert_eq!(error.http_status(), None);
    assert!(!shown(&error).contains("secret-path-77aa"), "{}", shown(&error));
}

#[tokio::test]
async fn a_host_name_that_does_not_resolve_is_a_connect_error() {
    struct Nowhere;

    impl reqwest::dns::Resolve for Nowhere {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            Box::pin(std::future::ready(Err("no such host".into())))
        }
    }

    let http_client = reqwest_client_builder().dns_resolver(Nowhere).build().unwrap();
    let builder = Client::builder("https://genauth.invalid").http_client(http_client);
    assert_failed(token(builder).await, ErrorKind::Connect, CONNECT);
}

#[tokio::test]
async fn a_connection_that_breaks_anywhere_is_a_transport_error() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let rows = [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-le".to_owned(),
        "no HTTP at all\r\n\r\n".to_owned(),
        format!("{head}content-length: 100\r\n\r\n"),
        format!("{head}content-length: 100\r\n\r\n{{\"statusCode\":"),
        // A body that is longer than announced is cut off; a shorter one is a broken answer, even if its JSON is whole.
        format!("{head}content-length: {}\r\n\r\n{SUCCESS}", SUCCESS.len() + 1),
        format!("{head}content-length: many\r\n\r\n{SUCCESS}"),
        format!("{head}transfer-encoding: chunked\r\n\r\n5\r\n{{\"sta"),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{SUCCESS}\r\n", SUCCESS.len()),
        format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{SUCCESS}\r\n0\r\n\r\n"),
    ];
    for written in rows {
        let copy = written.clone();
        let url = serve(move |mut stream| {
            let written = copy.clone();
            async move {
                request(&mut stream).await;
                stream.write_all(written.as_bytes()).await.unwrap();
            }
        })
        .await;
        let error = assert_failed(token(Client::builder(url)).await, ErrorKind::Transport, TRANSPORT);
        // The status is known if the whole head came.
        let headed = written.contains("\r\n\r\n") && written.starts_with("HTTP") && !written.contains("many");
        assert_eq!(error.http_status().map(|status| status.as_u16()), headed.then_some(200), "{written}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_before_the_request_is_read_is_a_transport_error() {
    let url = serve(|stream| async move { drop(stream) }).await;
    assert_failed(token(Client::builder(url)).await, ErrorKind::Transport, TRANSPORT);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_a_timeout_after_the_time_allowed_and_ten_seconds_by_default() {
    let url = serve(|mut stream| async move {
        request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let rows = [
        (Client::builder(&url).timeout(Duration::from_secs(3)), 3),
        (Client::builder(&url), 10),
        (
            Client::builder(&url)
                .timeout(Duration::from_secs(3))
                .http_client(reqwest_client_builder().build().unwrap()),
            3,
        ),
    ];
    for (builder, seconds) in rows {
        let start = tokio::time::Instant::now();
        assert_failed(token(builder).await, ErrorKind::Timeout, TIMEOUT);
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_a_timeout_although_something_always_comes() {
    let url = serve(|mut stream| async move {
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while stream.write_all(b" ").await.is_ok() {
            ticks.tick().await;
        }
    })
    .await;
    let start = tokio::time::Instant::now();
    let error =
        assert_failed(token(Client::builder(url).timeout(Duration::from_secs(2))).await, ErrorKind::Timeout, TIMEOUT);
    assert_eq!((start.elapsed().as_secs(), error.is_retryable()), (2, true));
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_never_ends_is_a_timeout_after_the_time_for_connecting() {
    let url = serve(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let builder = Client::builder(url.replace("http:", "https:")).connect_timeout(Duration::from_secs(2));
    let start = tokio::time::Instant::now();
    assert_failed(token(builder).await, ErrorKind::Timeout, TIMEOUT);
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn an_answer_of_one_mebibyte_is_read_and_a_byte_more_is_not() {
    for (length, read) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        for chunked in [false, true] {
            let url = serve(move |mut stream| async move {
                request(&mut stream).await;
                let body = format!("{SUCCESS}{}", " ".repeat(length - SUCCESS.len()));
                let answer = if chunked {
                    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                    format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n")
                } else {
                    answer(&body)
                };
                // A client that has read enough closes the connection.
                let _ = stream.write_all(answer.as_bytes()).await;
            })
            .await;
            let answer = token(Client::builder(url)).await;
            if read {
                assert_eq!(answer.unwrap().expires_at.as_secs(), 1);
            } else {
                let error = assert_failed(answer, ErrorKind::TooLarge, TOO_LARGE);
                assert_eq!(error.http_status(), Some(http::StatusCode::OK));
            }
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_too_large_and_its_connection_is_closed() {
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let announced = "HTTP/1.1 500 Oops\r\ncontent-length: 1000000000000\r\n\r\n";
    for head in [endless, announced] {
        let (closed, is_closed) = oneshot::channel();
        let closed = Mutex::new(Some(closed));
        let url = serve(move |mut stream| {
            let closed = closed.lock().unwrap().take().unwrap();
            async move {
                request(&mut stream).await;
                stream.write_all(head.as_bytes()).await.unwrap();
                let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                closed.send(()).unwrap();
            }
        })
        .await;
        assert_failed(token(Client::builder(url)).await, ErrorKind::TooLarge, TOO_LARGE);
        is_closed.await.unwrap();
    }
}

#[tokio::test]
async fn calls_one_after_the_other_use_one_connection_after_a_failure_of_the_api_too() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let url = serve(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let refusal = r#"{"statusCode":429,"message":"slow down"}"#;
            for body in [SUCCESS, refusal, SUCCESS] {
                request(&mut stream).await;
                stream.write_all(answer(body).as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let client = Client::builder(url).app_id("app").retries(0).build().unwrap();
    call(&client).await.unwrap();
    assert_eq!(call(&client).await.unwrap_err().status_code(), Some(429));
    call(&client.clone()).await.unwrap();
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_retries_a_failed_call_is_sent_once() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let url = serve(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            if !request(&mut stream).await.is_empty() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await;
    assert_failed(token(Client::builder(url)).await, ErrorKind::Transport, TRANSPORT);
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

/// Starts a server that speaks TLS. Returns its URL and the PEM text of the authority that vouches for it.
async fn serve_tls(vouched_for_by: &str) -> (String, String) {
    let authority = raw::authority(vouched_for_by);
    let key = rcgen::KeyPair::generate().unwrap();
    let acceptor = raw::tls(raw::certificate().signed_by(&key, &authority).unwrap(), key);
    let url = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust the certificate ends the handshake.
            if let Ok(stream) = acceptor.accept(stream).await {
                answer_all(stream).await;
            }
        }
    })
    .await;
    (url.replace("http:", "https:"), authority.pem())
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_connect_error_until_its_authority_is_trusted() {
    let (url, authority) = serve_tls("the test's authority").await;
    let (_, stranger) = serve_tls("a stranger").await;
    assert_failed(token(Client::builder(&url)).await, ErrorKind::Connect, CONNECT);
    let builder = Client::builder(&url).root_certificates(stranger.as_str());
    assert_failed(token(builder.clone()).await, ErrorKind::Connect, CONNECT);
    assert_eq!(token(builder.root_certificates(authority.as_str())).await.unwrap().expires_at.as_secs(), 1);
    let bundle = format!("Any text\n{stranger}\n{authority}");
    token(Client::builder(&url).root_certificates(bundle)).await.unwrap();
    token(Client::builder(url.replace("127.0.0.1", "localhost")).root_certificates(authority)).await.unwrap();
}

/// With the feature `__http2` reqwest could speak HTTP/2.
#[tokio::test]
async fn requests_go_out_by_http_1_1_to_a_server_that_would_rather_speak_http_2() {
    let (authority, key) = (raw::authority("the test's authority"), rcgen::KeyPair::generate().unwrap());
    let acceptor = raw::tls(raw::certificate().signed_by(&key, &authority).unwrap(), key);
    let mut config = rustls::ServerConfig::clone(acceptor.config());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let agreed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&agreed);
    let url = serve(move |stream| {
        let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            seen.lock().unwrap().extend(stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec));
            answer_all(stream).await;
        }
    })
    .await;
    let url = url.replace("http:", "https:");
    let answer = token(Client::builder(url).root_certificates(authority.pem())).await;
    assert_eq!(*agreed.lock().unwrap(), [b"http/1.1"]);
    assert_eq!(answer.unwrap().expires_at.as_secs(), 1);
}

#[tokio::test]
async fn tls_to_a_plain_server_is_a_connect_error_and_plain_http_to_a_tls_server_a_transport_error() {
    let plain = serve(|mut stream| async move {
        stream.write_all(answer(SUCCESS).as_bytes()).await.unwrap();
        request(&mut stream).await;
    });
    let plain = plain.await.replace("http:", "https:");
    assert_failed(token(Client::builder(plain)).await, ErrorKind::Connect, CONNECT);
    let (url, _) = serve_tls("the test's authority").await;
    let answer = token(Client::builder(url.replace("https:", "http:"))).await;
    assert_failed(answer, ErrorKind::Transport, TRANSPORT);
}

#[tokio::test]
async fn a_builder_refuses_what_cannot_work_with_a_sentence_that_does_not_repeat_it() {
    const HOST: &str = "https://example.genauth.ai";
    let app_id = "the app id is empty or holds a character that cannot be in an HTTP header; check it for line breaks";
    let token =
        "the access token is empty or holds a character that cannot be in an HTTP header; check it for line breaks";
    let key_id =
        "the access key id is empty or holds a character that cannot be in an HTTP header; check it for line breaks";
    let app_secret = "the app secret is empty; set it, or use `.app_id(..)` without one";
    let key_secret = "the access key's secret is empty; set it";
    let root = "a root certificate is not PEM, or holds no certificate; give the text of a .pem file";
    let own = "with your own HTTP client, set certificates, proxy and connect timeout on that one";
    let user_info = "the host holds a user name or password; leave it out and use `.app(..)`";
    let query = "the host holds a query or a fragment; leave out what starts with `?` or `#`";
    let builder = || Client::builder(HOST);
    let http_client = || reqwest_client_builder().build().unwrap();
    let proxy = || reqwest::Proxy::all("http://user:canary@127.0.0.1:1").unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\ncanary!\n-----END CERTIFICATE-----\n";
    let rows = [
        (builder().app("", "secret"), app_id),
        (builder().app("canary\n", "secret"), app_id),
        (builder().app("canary-é", "secret"), app_id),
        (builder().app_id(""), app_id),
        (builder().app_id("canary\r\nx-injected: 1"), app_id),
        (builder().app("app", ""), app_secret),
        (builder().user_access_token(""), token),
        (builder().user_access_token("canary\nx-injected: 1"), token),
        (builder().user_access_token("canary\0"), token),
        (builder().access_key("", "secret"), key_id),
        (builder().access_key("canary\n", "secret"), key_id),
        (builder().access_key("key", ""), key_secret),
        (builder().timeout(Duration::ZERO), "a timeout of zero leaves no time for any call; allow some"),
        (builder().connect_timeout(Duration::ZERO), "a timeout of zero leaves no time for any call; allow some"),
        (builder().root_certificates(""), root),
        (builder().root_certificates("canary"), root),
        (builder().root_certificates(broken), root),
        (builder().root_certificates(b"\xff\xfe".to_vec()), root),
        (builder().http_client(http_client()).proxy(proxy()), own),
        (builder().proxy(proxy()).http_client(http_client()), own),
        (builder().http_client(http_client()).root_certificates("canary"), own),
        (builder().http_client(http_client()).connect_timeout(Duration::from_secs(1)), own),
        (Client::builder("https://user:canary@example.genauth.ai"), user_info),
        (Client::builder("https://canary@example.genauth.ai"), user_info),
        (Client::builder("https://example.genauth.ai/?token=canary"), query),
        (Client::builder("https://example.genauth.ai/#canary"), query),
        (Client::builder("canary"), "the host is not a URL; write it as https://example.genauth.ai"),
        (Client::builder(""), "the host is not a URL; write it as https://example.genauth.ai"),
        (
            Client::builder("canary://example.genauth.ai"),
            "the host's URL does not start with https://; write it as https://example.genauth.ai",
        ),
        (
            Client::builder("http://canary.example"),
            "the host is not this machine, and http:// would show every secret on the way; write https://, or say \
             `.dangerously_allow_plain_http()`",
        ),
    ];
    for (builder, sentence) in rows {
        assert!(!format!("{builder:?} {builder:#?}").contains("canary"), "{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.to_string(), format!("the client's configuration: {sentence}"));
        assert!(!error.is_retryable());
        assert!(!shown(&error).contains("canary"), "{}", shown(&error));
    }
}

#[tokio::test]
async fn the_later_of_two_setters_counts() {
    let url = serve(answer_all).await;
    token(Client::builder(&url).app("\n", "").app("app", "secret")).await.unwrap();
    token(Client::builder(&url).user_access_token("\n").user_access_token("user")).await.unwrap();
}

/// Starts a proxy that answers every request itself. Returns its URL and what it was asked for.
async fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let url = serve(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let request = request(&mut stream).await;
            let connect = request.starts_with("CONNECT ");
            seen.lock().unwrap().push(request);
            let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n".to_owned();
            let answer = if connect { refusal } else { answer(SUCCESS) };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    (url, requests)
}

const PROXY_PASSWORD: &str = "proxy-password-3fd0";

#[tokio::test]
async fn a_proxy_is_asked_with_the_whole_url_and_its_password_stays_out_of_sight() {
    let (proxy, requests) = proxy().await;
    let with_password = proxy.replace("http://", &format!("http://user:{PROXY_PASSWORD}@"));
    let builder = Client::builder("http://127.0.0.1:1/base").proxy(reqwest::Proxy::http(&with_password).unwrap());
    let error = builder.clone().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "a proxy is not this machine");
    let builder = builder.dangerously_allow_plain_http();
    let client = builder.clone().app_id("app").build().unwrap();
    for shown in [format!("{builder:?} {builder:#?}"), format!("{client:?} {client:#?}")] {
        assert!(!shown.contains(PROXY_PASSWORD), "{shown}");
    }
    call(&client).await.unwrap();
    let request = requests.lock().unwrap().remove(0);
    let line = "POST http://127.0.0.1:1/base/api/v3/get-wechat-access-token-info HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{}", request.lines().next().unwrap_or_default());
    // This is the Base64 of `user:proxy-password-3fd0`, in lower case.
    assert!(request.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwcm94es1wyxnzd29yzc0zzmqw\r\n"));
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_not_there_is_a_connect_error_without_its_password() {
    let deaf = deaf();
    let gone = format!("http://user:{PROXY_PASSWORD}@{}", deaf.local_addr().unwrap());
    let (proxy, requests) = proxy().await;
    let refusing = proxy.replace("http://", &format!("http://user:{PROXY_PASSWORD}@"));
    for (host, proxy) in
        [("http://127.0.0.1:1", &gone), ("https://127.0.0.1:1", &gone), ("https://127.0.0.1:1", &refusing)]
    {
        let builder = Client::builder(host).proxy(reqwest::Proxy::all(proxy).unwrap()).dangerously_allow_plain_http();
        let error = assert_failed(token(builder).await, ErrorKind::Connect, CONNECT);
        assert!(!shown(&error).contains(PROXY_PASSWORD), "{}", shown(&error));
        assert!(!shown(&error).contains("dXNlcjpwcm94eS1wYXNzd29yZC0zZmQw"), "{}", shown(&error));
    }
    assert!(requests.lock().unwrap()[0].starts_with("CONNECT 127.0.0.1:1 HTTP/1.1\r\n"));
}
