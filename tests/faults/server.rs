//! Servers that fail as a row says, and what they see of the client.

use crate::common::raw::{self, request, serve};
use crate::common::reqwest_client_builder;
use crate::row::{Certificate, How, Row, Script, Then};
use genauth::{Client, ClientBuilder};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// What the server has seen.
#[derive(Default)]
pub struct Seen {
    pub connections: AtomicUsize,
    pub open: AtomicUsize,
    pub requests: AtomicUsize,
    /// Whether the clock is paused, and runs ahead to whatever is waited for.
    pub paused: AtomicBool,
}

/// A client of a server that fails, and what has to live as long as the server.
pub struct Stage {
    pub client: ClientBuilder,
    pub seen: Arc<Seen>,
    pub held: Box<dyn std::any::Any>,
}

impl Stage {
    pub async fn set(row: &Row) -> Self {
        let seen = Arc::new(Seen::default());
        let (client, held): (_, Box<dyn std::any::Any>) = match row.how.clone() {
            How::Refused => {
                let deaf = raw::deaf();
                (Client::builder(format!("http://{}", deaf.local_addr().unwrap())), Box::new(deaf))
            }
            How::Nameless => {
                let http_client = reqwest_client_builder().dns_resolver(Nowhere).build().unwrap();
                (Client::builder("https://genauth.invalid").http_client(http_client), Box::new(()))
            }
            How::Blackhole => {
                let (address, hole) = blackhole();
                seen.pause();
                (Client::builder(format!("http://{address}")), hole)
            }
            How::Tcp(script) => {
                let url = tcp(script, Arc::clone(&seen)).await;
                let url = if row.https { url.replace("http:", "https:") } else { url };
                (Client::builder(url), Box::new(()))
            }
            How::Followed(script) => {
                let http_client = reqwest_client_builder().build().unwrap();
                (Client::builder(tcp(script, Arc::clone(&seen)).await).http_client(http_client), Box::new(()))
            }
            How::Tls(certificate) => (tls(certificate, Arc::clone(&seen)).await, Box::new(())),
        };
        Self { client: client.app_id("app"), seen, held }
    }
}

impl Seen {
    /// Pauses the clock, which then runs ahead to the next timer whenever there is nothing else to do.
    fn pause(&self) {
        if !self.paused.swap(true, SeqCst) {
            tokio::time::pause();
        }
    }
}

struct Nowhere;

impl reqwest::dns::Resolve for Nowhere {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(std::future::ready(Err("no such host".into())))
    }
}

/// An address where the system drops packets: nobody accepts connections, and their queue is full.
fn blackhole() -> (SocketAddr, Box<dyn std::any::Any>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // A connection that takes longer than a tenth of a second shows that the queue is full.
    loop {
        match StdStream::connect_timeout(&address, Duration::from_millis(100)) {
            Ok(stream) => waiting.push(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => return (address, Box::new((listener, waiting))),
            Err(error) => panic!("no queue of connections that fills up: {error}"),
        }
    }
}

async fn tcp(script: Script, seen: Arc<Seen>) -> String {
    serve(move |mut stream: TcpStream| {
        let (script, seen) = (script.clone(), Arc::clone(&seen));
        async move {
            seen.connections.fetch_add(1, SeqCst);
            seen.open.fetch_add(1, SeqCst);
            play(&mut stream, &script, &seen).await;
            if matches!(script.then, Then::Reset) {
                stream.set_zero_linger().unwrap();
            }
            drop(stream);
            seen.open.fetch_sub(1, SeqCst);
        }
    })
    .await
}

async fn tls(certificate: Certificate, seen: Arc<Seen>) -> ClientBuilder {
    let (trusted, stranger) = (raw::authority("the table's authority"), raw::authority("a stranger"));
    let key = rcgen::KeyPair::generate().unwrap();
    let mut shown = raw::certificate();
    let shown = match certificate {
        Certificate::Good => shown.signed_by(&key, &trusted),
        Certificate::Expired => {
            shown.not_before = rcgen::date_time_ymd(2019, 1, 1);
            shown.not_after = rcgen::date_time_ymd(2020, 1, 1);
            shown.signed_by(&key, &trusted)
        }
        Certificate::OtherHost => {
            let other = rcgen::CertificateParams::new(["other.example".to_owned()]).unwrap();
            other.signed_by(&key, &trusted)
        }
        Certificate::SelfSigned => shown.self_signed(&key),
        Certificate::UnknownAuthority => shown.signed_by(&key, &stranger),
    };
    let acceptor = raw::tls(shown.unwrap(), key);
    let url = serve(move |stream| {
        let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
        async move {
            seen.connections.fetch_add(1, SeqCst);
            seen.open.fetch_add(1, SeqCst);
            // A client that does not trust the certificate ends the handshake.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let writes = raw::answer(raw::SUCCESS).into_bytes();
                play(&mut stream, &Script { reads: true, writes, then: Then::Again }, &seen).await;
            }
            seen.open.fetch_sub(1, SeqCst);
        }
    })
    .await;
    Client::builder(url.replace("http:", "https:")).root_certificates(trusted.pem())
}

/// Does what the script says; where it says so, until the client goes.
async fn play(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), script: &Script, seen: &Seen) {
    loop {
        if script.reads {
            if request(stream).await.is_empty() {
                return;
            }
            seen.requests.fetch_add(1, SeqCst);
        }
        // The client may have read enough and be gone.
        let _ = stream.write_all(&script.writes).await;
        let _ = stream.flush().await;
        match script.then {
            Then::Again => {}
            Then::Close | Then::Reset => return,
            Then::Wait => return gone(stream).await,
            Then::Hang => {
                seen.pause();
                return gone(stream).await;
            }
            Then::Trickle(drop) => {
                seen.pause();
                let mut seconds = tokio::time::interval(Duration::from_secs(1));
                let mut byte = [0];
                loop {
                    tokio::select! {
                        read = stream.read(&mut byte) => if read.unwrap_or_default() == 0 { return },
                        _ = seconds.tick() => if stream.write_all(drop).await.is_err() { return },
                    }
                }
            }
            Then::Endless(block) => while stream.write_all(block).await.is_ok() {},
        }
        if matches!(script.then, Then::Endless(_)) {
            return;
        }
    }
}

/// Reads until the client has closed the connection.
async fn gone(stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.unwrap_or_default() > 0 {}
}
