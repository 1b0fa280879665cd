//! What a row of the table says.

use genauth::ErrorKind;

/// A fault, and what the caller gets.
pub struct Row {
    pub name: String,
    pub how: How,
    pub gets: Gets,
    /// What the error's sources say, so that a row cannot pass because of another fault.
    pub because: &'static str,
    /// How many attempts a client makes with its default of two retries.
    pub attempts: u32,
    /// How many seconds a call takes because of the server; 0 if that is not worth telling.
    pub seconds: u64,
    /// Whether the connection is used for the next call.
    pub kept: bool,
    /// Whether the client speaks TLS.
    pub https: bool,
}

/// What kind of server it is.
#[derive(Clone)]
pub enum How {
    /// Nothing listens at the port.
    Refused,
    /// The name has no address.
    Nameless,
    /// Nobody accepts connections, and the system has no room for more.
    Blackhole,
    Tcp(Script),
    /// The caller brings an HTTP client that follows redirects.
    Followed(Script),
    Tls(Certificate),
}

#[derive(Clone, Copy)]
pub enum Certificate {
    Good,
    Expired,
    OtherHost,
    SelfSigned,
    UnknownAuthority,
}

/// What the server does with a connection.
#[derive(Clone)]
pub struct Script {
    /// Whether it reads a request first.
    pub reads: bool,
    pub writes: Vec<u8>,
    pub then: Then,
}

#[derive(Clone, Copy)]
pub enum Then {
    Close,
    /// The connection is reset, so that the client sees an error rather than an end.
    Reset,
    /// Nothing more comes until the client goes.
    Wait,
    /// The same as `Wait`, but the clock runs ahead to whatever the client waits for.
    Hang,
    /// The same as `Hang`, but these bytes come each second.
    Trickle(&'static [u8]),
    /// These bytes come without end, as fast as possible.
    Endless(&'static [u8]),
    /// The next request on the connection is answered in the same way.
    Again,
}

pub enum Gets {
    Token,
    Error { kind: ErrorKind, retryable: bool, says: String },
}

pub const CONNECT: &str = "the server cannot be reached; check the host, the network, a proxy and the certificate";
pub const TRANSPORT: &str = "the connection broke before the answer was complete; try again";
pub const TIMEOUT: &str = "no complete answer within the time allowed; try again, or allow more with `.timeout(..)`";
pub const TOO_LARGE: &str =
    "the answer is larger than 1048576 bytes; check that the host is right, or allow more with `.largest_answer(..)`";
pub const OTHER_SHAPE: &str = "`data` has another shape than documented (at its *); this crate may be too old";

/// A server that reads a request, writes, and closes the connection.
pub fn writes(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Row {
    let script = Script { reads: true, writes: bytes.into(), then: Then::Close };
    Row::new(name, How::Tcp(script))
}

/// A whole answer, with its length.
pub fn answers(name: impl Into<String>, status: u16, body: impl Into<Vec<u8>>) -> Row {
    let body = body.into();
    let mut answer = format!("HTTP/1.1 {status} As Planned\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend(body);
    writes(name, answer).then(Then::Again)
}

impl Row {
    pub fn new(name: impl Into<String>, how: How) -> Self {
        Self {
            name: name.into(),
            how,
            gets: Gets::Token,
            because: "",
            attempts: 1,
            seconds: 0,
            kept: false,
            https: false,
        }
    }

    pub fn then(mut self, then: Then) -> Self {
        if let How::Tcp(script) | How::Followed(script) = &mut self.how {
            script.then = then;
        }
        self.kept = matches!(then, Then::Again);
        self
    }

    /// Says that the connection is not used for another call.
    pub fn closed(mut self) -> Self {
        self.kept = false;
        self
    }

    pub fn unread(mut self) -> Self {
        if let How::Tcp(script) = &mut self.how {
            script.reads = false;
        }
        self
    }

    /// Says that the call fails, and is not retried.
    pub fn fails(mut self, kind: ErrorKind, says: impl Into<String>) -> Self {
        self.gets = Gets::Error { kind, retryable: false, says: says.into() };
        self
    }

    /// Says that the fault may pass by itself, so that the call is attempted three times.
    pub fn passes(mut self, kind: ErrorKind, says: impl Into<String>) -> Self {
        self.gets = Gets::Error { kind, retryable: true, says: says.into() };
        self.attempts = 3;
        self
    }

    /// Says that the fault takes all the time of a call, so that none is left for another attempt.
    pub fn times_out(mut self) -> Self {
        self = self.passes(ErrorKind::Timeout, TIMEOUT);
        (self.attempts, self.seconds) = (1, 10);
        self
    }

    pub fn once(mut self) -> Self {
        self.attempts = 1;
        self
    }

    pub fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    pub fn over_tls(mut self) -> Self {
        self.https = true;
        self
    }

    pub fn followed(mut self) -> Self {
        if let How::Tcp(script) = self.how {
            self.how = How::Followed(script);
        }
        self
    }

    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let How::Tcp(script) = &mut self.how {
            script.writes = bytes.into();
        }
        self
    }

    pub fn because(mut self, cause: &'static str) -> Self {
        self.because = cause;
        self
    }
}
