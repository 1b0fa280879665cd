//! Whole answers that are not tokens.

use crate::common::raw::SUCCESS;
use crate::row::{OTHER_SHAPE, Row, answers};
use genauth::ErrorKind::{Api, Http, NoData, Response};

pub fn bodies() -> Vec<Row> {
    let no_envelope =
        |what: &str| format!("the server sent {what}, not the API's envelope (*); check that the host is right");
    let data = |data: &str| format!(r#"{{"statusCode":200,"message":"","data":{data}}}"#);
    let token = |seconds: &str| data(&format!(r#"{{"accessToken":"61_t","expiresAt":{seconds}}}"#));
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let broken = no_envelope("broken JSON");
    let other = no_envelope("something else than JSON");
    vec![
        answers("204", 204, "").fails(Response, no_envelope("no body")),
        answers("200 with HTML", 200, "<!doctype html>").fails(Response, no_envelope("an HTML page")),
        answers("200 with nothing", 200, "").fails(Response, no_envelope("no body")),
        answers("200 with JSON of another kind", 200, r#"{"ok":true}"#).fails(Response, no_envelope("other JSON")),
        answers("200 with invalid UTF-8", 200, b"\xff\xfe{}".to_vec()).fails(Response, other.clone()),
        answers(
            "invalid UTF-8 in the token",
            200,
            data("*")
                .replace('*', "\u{1}")
                .into_bytes()
                .into_iter()
                .map(|byte| if byte == 1 { 0xff } else { byte })
                .collect::<Vec<_>>(),
        )
        .fails(Response, broken.clone()),
        answers("a byte order mark", 200, format!("\u{feff}{SUCCESS}")).fails(Response, other.clone()),
        answers("JSON cut off", 200, &SUCCESS[..40]).fails(Response, broken.clone()),
        answers("JSON and something behind it", 200, format!("{SUCCESS}x")).fails(Response, broken.clone()),
        answers("lists 100,000 deep", 200, nested.clone()).fails(Response, no_envelope("other JSON")),
        answers("lists 100,000 deep as data", 200, data(&nested)).fails(Response, OTHER_SHAPE),
        answers("lists 100,000 deep in a field nobody reads", 200, format!(r#"{{"x":{nested},{}"#, &SUCCESS[1..])),
        answers("lists 100,000 deep as message", 200, format!(r#"{{"statusCode":200,"message":{nested}}}"#))
            .fails(NoData, "the server said success (statusCode 200) but sent no data; ask its operators"),
        answers("`statusCode` twice", 200, format!(r#"{{"statusCode":400,{}"#, &SUCCESS[1..]))
            .fails(Response, no_envelope("other JSON")),
        answers("the token twice", 200, data(r#"{"accessToken":"a","accessToken":"b","expiresAt":1}"#))
            .fails(Response, OTHER_SHAPE),
        answers("a key twice that nobody reads", 200, format!(r#"{{"x":1,"x":2,{}"#, &SUCCESS[1..])),
        answers("a number beyond all machines", 200, token("1e999")).fails(Response, OTHER_SHAPE),
        answers("a number of 100,000 digits", 200, token(&"9".repeat(100_000))).fails(Response, OTHER_SHAPE),
        answers("`statusCode` beyond all machines", 200, r#"{"statusCode":1e999}"#)
            .fails(Response, no_envelope("other JSON")),
        answers("NaN", 200, token("NaN")).fails(Response, broken),
        answers("success without data", 200, r#"{"statusCode":200,"message":"","data":{}}"#)
            .fails(NoData, "the server said success (statusCode 200) but sent no data; ask its operators"),
    ]
}

/// What is said to a status, and whether it may pass by itself.
const STATUSES: [(u16, &str, &str); 9] = [
    (401, "Unauthorized", "; check the credentials"),
    (403, "Forbidden", "; these credentials may not do that; grant the permission in the console"),
    (
        404,
        "Not Found",
        "; this host does not know the path; the same is answered by `get_wechat_access_token` \
         (/api/v3/get-wechat-access-token), `get_wechat_mp_access_token` (/api/v3/get-wechat-mp-access-token), \
         `get_weixin_access_token` (/api/v3/get-weixin-access-token)",
    ),
    (413, "Payload Too Large", "; send less at once"),
    (429, "Too Many Requests", "; wait before the next request, and cache what this one answers"),
    (
        500,
        "Internal Server Error",
        "; try again later; if this persists, give the request id to the server's operators",
    ),
    (502, "Bad Gateway", "; try again later; if this persists, give the request id to the server's operators"),
    (503, "Service Unavailable", "; try again later; if this persists, give the request id to the server's operators"),
    (504, "Gateway Timeout", ""),
];

pub fn statuses() -> Vec<Row> {
    let mut rows = Vec::new();
    for (status, reason, advice) in STATUSES {
        let envelope = format!(r#"{{"statusCode":{status},"message":"no"}}"#);
        for (what, body) in [("an envelope", envelope.as_str()), ("HTML", "<h1>no</h1>"), ("nothing", "")] {
            let (kind, says) = match what {
                "an envelope" => (Api, format!("the server answered statusCode {status}, HTTP {status} (no){advice}")),
                "HTML" => (Http, format!("the server answered HTTP {status} {reason} with an HTML page{advice}")),
                _ => (Http, format!("the server answered HTTP {status} {reason} with no body{advice}")),
            };
            let row = answers(format!("{status} with {what}"), status, body);
            rows.push(if status < 429 { row.fails(kind, says) } else { row.passes(kind, says) });
        }
    }
    let patience = answers("503 that asks for more patience than a retry has", 503, "");
    let asks = "HTTP/1.1 503 Busy\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n";
    let says = format!("the server answered HTTP 503 Service Unavailable with no body{}", STATUSES[7].2);
    rows.push(patience.bytes(asks).passes(Http, says).once());
    rows
}
