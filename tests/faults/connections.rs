//! Faults of the network, of TLS and of HTTP.

use crate::common::raw::{SUCCESS, answer};
use crate::row::{CONNECT, Certificate, How, Row, Script, TOO_LARGE, TRANSPORT, Then, answers, writes};
use genauth::ErrorKind::{Connect, Redirect, Response, TooLarge, Transport};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub fn network() -> Vec<Row> {
    vec![
        Row::new("connection refused", How::Refused).passes(Connect, CONNECT).because("ConnectionRefused"),
        Row::new("host name not found", How::Nameless).passes(Connect, CONNECT).because("no such host"),
        Row::new("packets vanish", How::Blackhole).times_out(),
        writes("closed before the request is read", "").unread().passes(Transport, TRANSPORT),
        writes("reset before the request is read", "")
            .unread()
            .then(Then::Reset)
            .passes(Transport, TRANSPORT)
            .because("ConnectionReset"),
        writes("closed without an answer", "").passes(Transport, TRANSPORT).because("IncompleteMessage"),
        writes("reset before the headers", "")
            .then(Then::Reset)
            .passes(Transport, TRANSPORT)
            .because("ConnectionReset"),
        writes("reset inside the headers", "HTTP/1.1 200 OK\r\ncontent-le")
            .then(Then::Reset)
            .passes(Transport, TRANSPORT)
            .because("ConnectionReset"),
        writes("closed inside the headers", "HTTP/1.1 200 OK\r\ncontent-le")
            .passes(Transport, TRANSPORT)
            .because("IncompleteMessage"),
        writes("reset after the headers", format!("{HEAD}content-length: 75\r\n\r\n"))
            .then(Then::Reset)
            .passes(Transport, TRANSPORT)
            .because("ConnectionReset"),
        writes("closed inside the body", format!("{HEAD}content-length: 75\r\n\r\n{{\"statusCode\""))
            .passes(Transport, TRANSPORT)
            .because("IncompleteBody"),
        writes("no answer at all", "").then(Then::Hang).times_out(),
        writes("headers that stop", "HTTP/1.1 200 OK\r\nx-a: b").then(Then::Hang).times_out(),
        writes("headers, a byte a second", "HTTP/1.1 200 OK\r\nx-a: b").then(Then::Trickle(b"b")).times_out(),
        writes("a body that stops", format!("{HEAD}content-length: 75\r\n\r\n{{")).then(Then::Hang).times_out(),
        writes("a body, a byte a second", format!("{HEAD}content-length: 75\r\n\r\n{{"))
            .then(Then::Trickle(b" "))
            .times_out(),
        writes("a chunked body, a byte a second", CHUNKED).then(Then::Trickle(b"1\r\n \r\n")).times_out(),
    ]
}

pub fn tls() -> Vec<Row> {
    let tls = |name: &str, certificate| Row::new(name, How::Tls(certificate)).over_tls();
    // A ServerHello of TLS 1.1, with a cipher that both could agree on.
    let mut hello = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02".to_vec();
    hello.extend([7; 32]);
    hello.extend(b"\x00\x00\x2f\x00");
    let over_tcp = |name: &str, bytes: &[u8]| {
        Row::new(name, How::Tcp(Script { reads: false, writes: bytes.to_vec(), then: Then::Wait })).over_tls()
    };
    vec![
        tls("TLS, as it should be", Certificate::Good).kept(),
        tls("certificate expired", Certificate::Expired).passes(Connect, CONNECT).because("Expired"),
        tls("certificate of another host", Certificate::OtherHost).passes(Connect, CONNECT).because("NotValidForName"),
        tls("certificate signed by itself", Certificate::SelfSigned).passes(Connect, CONNECT).because("UnknownIssuer"),
        tls("certificate of an unknown authority", Certificate::UnknownAuthority)
            .passes(Connect, CONNECT)
            .because("UnknownIssuer"),
        over_tcp("TLS 1.1 only", &hello).passes(Connect, CONNECT).because("ServerDoesNotSupportTls12Or13"),
        over_tcp("TLS refused by an alert", b"\x15\x03\x02\x00\x02\x02\x46")
            .passes(Connect, CONNECT)
            .because("AlertReceived(ProtocolVersion)"),
        over_tcp("plain HTTP where TLS is asked for", answer(SUCCESS).as_bytes())
            .passes(Connect, CONNECT)
            .because("InvalidMessage"),
        over_tcp("a TLS handshake that stops", b"").then(Then::Hang).times_out(),
    ]
}

pub fn http() -> Vec<Row> {
    let length = SUCCESS.len();
    let with = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n{SUCCESS}");
    let many = "x-a: b\r\n".repeat(101);
    let mut rows = vec![
        writes("`Content-Length` a byte too long", with(&format!("content-length: {}\r\n", length + 1)))
            .passes(Transport, TRANSPORT)
            .because("IncompleteBody"),
        writes("`Content-Length` a byte too short", with(&format!("content-length: {}\r\n", length - 1)))
            .fails(Response, "the server sent broken JSON, not the API's envelope (*); check that the host is right"),
        writes("`Content-Length` that is not a number", with("content-length: many\r\n"))
            .passes(Transport, TRANSPORT)
            .because("Parse(Header(ContentLengthInvalid))"),
        writes("`Content-Length` twice, and not the same", with("content-length: 7\r\ncontent-length: 75\r\n"))
            .passes(Transport, TRANSPORT)
            .because("Parse(Header(ContentLengthInvalid))"),
        writes("chunks of invalid size", format!("{CHUNKED}zz\r\n{SUCCESS}\r\n0\r\n\r\n"))
            .passes(Transport, TRANSPORT)
            .because("Invalid chunk size"),
        writes("chunks without an end", format!("{CHUNKED}{length:x}\r\n{SUCCESS}\r\n"))
            .passes(Transport, TRANSPORT)
            .because("UnexpectedEof"),
        writes("a chunk too large for any machine", format!("{CHUNKED}fffffffffffffffff\r\n{SUCCESS}"))
            .passes(Transport, TRANSPORT)
            .because("chunk size"),
        writes(
            "chunks and a `Content-Length`",
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{SUCCESS}\r\n0\r\n\r\n"
            ),
        ),
        writes("HTTP/1.0, the body up to the end", format!("HTTP/1.0 200 OK\r\n\r\n{SUCCESS}")),
        writes("HTTP/1.0, the body cut off", format!("HTTP/1.0 200 OK\r\n\r\n{}", &SUCCESS[..40]))
            .fails(Response, "the server sent broken JSON, not the API's envelope (*); check that the host is right"),
        writes("not HTTP", "SSH-2.0-OpenSSH_9.6\r\n").passes(Transport, TRANSPORT).because("Parse("),
        writes("HTTP/2 unasked", "HTTP/2 200\r\n\r\n").passes(Transport, TRANSPORT).because("Parse("),
        writes("an interim answer first", format!("HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n{}", answer(SUCCESS)))
            .then(Then::Again),
        writes("rubbish behind the answer", format!("{}rubbish", answer(SUCCESS))).then(Then::Again).closed(),
        writes("a second answer that nobody asked for", answer(SUCCESS).repeat(2)).then(Then::Again).closed(),
        writes("101 headers", format!("HTTP/1.1 200 OK\r\n{many}\r\n"))
            .passes(Transport, TRANSPORT)
            .because("Parse(TooLarge)"),
        writes("headers without end", "HTTP/1.1 200 OK\r\nx-a: ")
            .then(Then::Endless(&[b'x'; 1 << 16]))
            .passes(Transport, TRANSPORT)
            .because("Parse(TooLarge)"),
        writes("a body without end", "HTTP/1.1 200 OK\r\n\r\n")
            .then(Then::Endless(&[b' '; 1 << 16]))
            .fails(TooLarge, TOO_LARGE),
        writes("a body announced too large", "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")
            .then(Then::Endless(&[b' '; 1 << 16]))
            .fails(TooLarge, TOO_LARGE),
        {
            // The token and 4 MiB of spaces: it would be too large, or be read, if anything inflated it.
            let bomb = include_bytes!("bomb.gz");
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
            writes("a gzip bomb", [head.as_bytes(), bomb].concat()).then(Then::Again).fails(
                Response,
                "the server sent gzip, which nobody asked for, not the API's envelope (*); check that the host is right",
            )
        },
    ];
    let elsewhere = |status: u16| {
        format!("HTTP/1.1 {status} Moved\r\nlocation: https://other.example/x?y\r\ncontent-length: 0\r\n\r\n")
    };
    for status in [301, 302, 303, 307, 308] {
        let says = format!(
            "the server redirects (HTTP {status}) to https://other.example, and requests do not follow; if that host is \
             right, build the client for it"
        );
        rows.push(
            writes(format!("HTTP {status} to another host"), elsewhere(status)).then(Then::Again).fails(Redirect, says),
        );
    }
    let again = "HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n";
    let round = |name: &str| writes(name, again).then(Then::Again);
    rows.push(round("redirects in a circle").fails(
        Redirect,
        "the server redirects (HTTP 302) to http://*, and requests do not follow; if that host is right, build the client \
         for it",
    ));
    rows.push(
        round("the same, for a caller's HTTP client that follows").followed().fails(
            Redirect,
            "the server redirects, and your HTTP client gave up; build this client for the right host",
        ),
    );
    rows.push(
        answers("HTTP 304", 304, "")
            .fails(genauth::ErrorKind::Http, "the server answered HTTP 304 Not Modified with no body"),
    );
    rows.push(
        answers("HTTP 101", 101, "")
            .closed()
            .fails(genauth::ErrorKind::Http, "the server answered HTTP 101 Switching Protocols with no body"),
    );
    rows
}
