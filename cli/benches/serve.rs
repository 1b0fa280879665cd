//! How fast `genauth serve` hands out a token at hand, beside a bare hyper server that answers the same bytes: in turns,
//! each a process of its own with two threads, under the same load. Also how much memory it takes while tokens of three
//! seconds are renewed. Times never make the benchmark fail.
//!
//!     cargo bench -p genauth-cli --bench serve [-- --rounds N --connections N --requests N --renewals N]

use bytes::Bytes;
use genauth::mock::MockGenAuth;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

const APP: &str = "wx0123456789abcdef";
const ANSWER: &str = r#"{"access_token":"61_mock_wx0123456789abcdef_1","expires_in":7199}"#;

struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What one server did under load.
struct Run {
    a_second: f64,
    p50: Duration,
    p99: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, usual: usize| {
        let value = arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
        value.and_then(|value| value.parse().ok()).unwrap_or(usual)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if arguments.iter().any(|argument| argument == "--bare") {
        return runtime.block_on(bare());
    }
    let (rounds, connections) = (number("--rounds", 9), number("--connections", 16));
    let (requests, renewals) = (number("--requests", 100_000), number("--renewals", 30));
    runtime.block_on(async {
        let mock = MockGenAuth::start().await.unwrap();
        let (ours, bare) = (ours(&mock), start(Command::new(std::env::current_exe().unwrap()).arg("--bare")));
        let (mut ratios, mut ours_p99, mut bare_p99, mut a_second) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        println!(
            "| round | a second | of bare hyper | p50 | p99 | bare p50 | bare p99 |\n|---|---|---|---|---|---|---|"
        );
        for round in 0..=rounds {
            let (one, other) = if round % 2 == 0 {
                let one = load(&ours.1, connections, requests).await;
                (one, load(&bare.1, connections, requests).await)
            } else {
                let other = load(&bare.1, connections, requests).await;
                (load(&ours.1, connections, requests).await, other)
            };
            let ratio = one.a_second / other.a_second;
            let line = [one.p50, one.p99, other.p50, other.p99].map(|time| format!("{time:.0?}")).join(" | ");
            println!("| {round} | {:.0} | {ratio:.2} | {line} |", one.a_second);
            // The first one warms up.
            if round > 0 {
                ratios.push(ratio);
                a_second.push(one.a_second);
                ours_p99.push(one.p99.as_secs_f64() * 1e6);
                bare_p99.push(other.p99.as_secs_f64() * 1e6);
            }
        }
        println!(
            "\n{connections} connections, {requests} requests a round; the median of {rounds} rounds (least to most):"
        );
        println!(
            "of bare hyper {}, p99 {} us, bare p99 {} us",
            spread(&mut ratios, 2),
            spread(&mut ours_p99, 0),
            spread(&mut bare_p99, 0)
        );
        println!("requests to the GenAuth server: {}", mock.requests().len());
        drop((ours, bare));
        memory(renewals, connections).await;
    });
}

fn spread(values: &mut [f64], digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (first, last) = (values[0], values[values.len() - 1]);
    format!("{:.digits$} ({first:.digits$} to {last:.digits$})", values[values.len() / 2])
}

/// An hour, compressed: each lifetime of two hours takes three seconds, with as many requests as two connections make.
async fn memory(renewals: usize, connections: usize) {
    let mock = MockGenAuth::builder().token_lifetime(Duration::from_secs(3)).token_margin(Duration::from_secs(1));
    let mock = mock.record_nothing().start().await.unwrap();
    let server = ours(&mock);
    let (begin, mut sizes, mut requests) = (Instant::now(), Vec::new(), 0);
    println!("\n| renewals of about | requests | resident, KiB |\n|---|---|---|");
    while sizes.len() < 6 {
        let until = begin + Duration::from_secs(2) * (renewals * (sizes.len() + 1) / 6) as u32;
        while Instant::now() < until {
            load(&server.1, connections, 20_000).await;
            requests += 20_000;
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.0.id())).unwrap_or_default();
        let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("?").trim().to_owned();
        println!("| {} | {requests} | {} |", begin.elapsed().as_secs() / 2, size.trim_end_matches(" kB"));
        sizes.push(size);
    }
}

fn ours(mock: &MockGenAuth) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_genauth"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("GENAUTH_HOST", mock.url());
    command.env("GENAUTH_APP_ID", MockGenAuth::APP_ID).env("GENAUTH_APP_SECRET", MockGenAuth::APP_SECRET);
    start(command.env("WECHAT_APP_ID", APP).env("WECHAT_APP_SECRET", mock.wechat_app_secret()))
}

/// A process that says on stderr where it listens.
fn start(command: &mut Command) -> Server {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    lines.read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
    let address = address.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    // The process must not end because nobody reads its output.
    std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
    Server(child, address)
}

/// The floor: hyper, as ours is set up, with an answer that is always the same.
async fn bare() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("http://{}", listener.local_addr().unwrap());
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        let service = service_fn(|_: Request<hyper::body::Incoming>| async {
            let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
            let headers = response.headers_mut();
            headers.insert("content-type", "application/json; charset=utf-8".parse().unwrap());
            headers.insert("cache-control", "no-store".parse().unwrap());
            Ok::<_, Infallible>(response)
        });
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

/// Sends these many requests on these many connections, each of which waits for its answer.
async fn load(address: &str, connections: usize, requests: usize) -> Run {
    let begin = Instant::now();
    let path = format!("/cgi-bin/token?grant_type=client_credential&appid={APP}&secret=x");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\n\r\n");
    let running: Vec<_> = (0..connections)
        .map(|_| {
            let (address, request) = (address.to_owned(), request.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(&address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut times, mut buffer) = (Vec::with_capacity(requests / connections), [0; 4096]);
                for _ in 0..requests / connections {
                    let begin = Instant::now();
                    stream.write_all(request.as_bytes()).await.unwrap();
                    // The answer usually comes in one piece; its last byte is the JSON's.
                    let mut length = 0;
                    while length == 0 || buffer[length - 1] != b'}' {
                        let read = stream.read(&mut buffer[length..]).await.unwrap();
                        assert!(read > 0, "the server hung up");
                        length += read;
                    }
                    assert!(buffer[..length].windows(12).any(|part| part == b"access_token"));
                    times.push(begin.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for one in running {
        times.extend(one.await.unwrap());
    }
    let a_second = times.len() as f64 / begin.elapsed().as_secs_f64();
    times.sort();
    Run { a_second, p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}
