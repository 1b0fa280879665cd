//! The recorded requests of the official SDKs are sent again by this client, and are the same except for what is listed
//! here. They are also sent as they were recorded to the mock, which is a server for those SDKs as well.

mod common;

use common::{raw, reqwest_client_builder};
use genauth::mock::{MockAnswer, MockGenAuth, RecordedRequest};
use genauth::types::GetManagementAccessTokenDto;
use genauth::{
    AccessKeyUse, Client, ClientAuthentication, Dialect, Error, ErrorKind, SecretString, TenantHeader, operations,
};
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Whole requests, as they went over the wire.
const REQUESTS: &str = include_str!("vectors/requests.json");

/// Requests that this client would not send: SDK, case, path, and why.
const EXCLUDED: [(&str, &str, &str, &str); 4] = [
    ("python-5.1.0", "auth_host_with_path", "/base//api/v3/get-wechat-access-token", "a slash too many after the host"),
    ("python-5.1.0", "auth_basic_signin_with_accessToken", "/api/v3/signin", "a sign-in takes no user's token"),
    ("go-3.0.15", "auth_accessToken_set", "/api/v3/check-app-id-secret", "this check takes no user's token"),
    ("python-5.1.0", "auth_real_ip", "/api/v3/get-wechat-access-token", "nothing sets the header x-real-ip here"),
];

/// Headers in which each SDK names itself, or whose value is used once.
const INCOMPARABLE: [&str; 2] = ["x-authing-sdk-version", "x-authing-signature-nonce"];

/// Headers that this client always sends and some of the SDKs never do.
const ADDED: [&str; 3] = ["x-authing-sdk-version", "x-authing-request-from", "x-authing-lang"];

const FETCH: &str = "/api/v3/get-management-token";

/// The credentials that the SDKs were recorded with: application, access key and signed-in user.
const APP: (&str, &str) = ("app_64a0000000000000000000aa", "app-secret-0123456789abcdef");
const ACCESS_KEY: (&str, &str) = ("ak_64b0000000000000000000bb", "sk-0123456789abcdef0123456789abcdef");
const USER_ACCESS_TOKEN: &str = "user-access-token";

/// A path, the place in the envelope by which its answer is checked, and the check.
type Answered = (&'static str, &'static str, fn(&Value) -> bool);

/// What the API answers, at the paths whose recorded requests are sent through the typed operations. Other paths may be
/// described as well, but their fields are not checked here.
const ANSWERS: [Answered; 7] = [
    ("/api/v3/get-wechat-access-token", "/data/accessToken", Value::is_string),
    ("/api/v3/get-wechat-access-token-info", "/data/accessToken", Value::is_string),
    ("/api/v3/get-weixin-access-token", "/data/accessToken", Value::is_string),
    ("/api/v3/signin", "/data/access_token", Value::is_string),
    ("/api/v3/get-profile", "/data/userId", Value::is_string),
    ("/api/v3/check-app-id-secret", "/data/valid", |valid| valid == true),
    (FETCH, "/data/expires_in", Value::is_u64),
];

struct Recorded<'a>(&'a Value);

impl<'a> Recorded<'a> {
    fn text(&self, key: &str) -> &'a str {
        self.0[key].as_str().unwrap()
    }

    fn case(&self) -> (&'a str, &'a str) {
        (self.text("sdk"), self.text("case"))
    }

    fn is_managed(&self) -> bool {
        self.text("case").starts_with("mgmt_")
    }

    fn is_signed(&self) -> bool {
        self.is_managed() && self.text("sdk").starts_with("node")
    }

    fn method(&self) -> &'a str {
        self.text("request").split(' ').next().unwrap()
    }

    /// Path and query, with booleans as all SDKs but Python's write them.
    fn target(&self) -> (&'a str, Vec<(String, String)>) {
        let target = self.text("request").split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (path, pairs(&query.replace("=True", "=true")))
    }

    /// The base path of the host, and what follows it.
    fn path(&self) -> (&'a str, &'a str) {
        let path = self.target().0;
        path.split_at(path.find("/api/v3/").unwrap())
    }

    fn body(&self) -> Value {
        serde_json::from_str(self.text("body")).unwrap_or_default()
    }

    /// Names in lower case.
    fn headers(&self) -> Vec<(String, &'a str)> {
        let lines = self.0["headers"].as_array().unwrap().iter();
        lines
            .map(|line| line.as_str().unwrap().split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect()
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers().into_iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value)
    }
}

/// A query, sorted: its order means nothing.
fn pairs(query: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.sort();
    pairs
}

/// A client that is configured as the SDK was.
fn client(server: &MockGenAuth, recorded: &Recorded<'_>) -> Client {
    let (sdk, case) = recorded.case();
    let mut builder = Client::builder(format!("{}{}", server.url(), recorded.path().0)).dialect(Dialect::Authing);
    if let Some(language) = recorded.header("x-authing-lang") {
        builder = builder.language(language.parse().unwrap());
    }
    if recorded.is_managed() {
        builder = builder.access_key(ACCESS_KEY.0, ACCESS_KEY.1);
        if !recorded.is_signed() {
            builder = builder.access_key_use(AccessKeyUse::ManagementToken);
        }
        if case == "mgmt_tenant" {
            let header = if sdk.starts_with("node") { TenantHeader::AppId } else { TenantHeader::AppTenantId };
            builder = builder.tenant_id("tenant_1").tenant_header(header);
        }
        return builder.build().unwrap();
    }
    if case.contains("no_secret") {
        return builder.app_id(APP.0).build().unwrap();
    }
    // Python and Go mean to send Basic on a sign-in but do not: they send what `None` and `Post` send.
    let how = match recorded.body().get("client_secret") {
        Some(_) => ClientAuthentication::Post,
        None if case.contains("none") || sdk.starts_with("python") => ClientAuthentication::None,
        None => ClientAuthentication::Basic,
    };
    builder = builder.app(APP.0, APP.1).client_authentication(how);
    if case.contains("accessToken") { builder.user_access_token(USER_ACCESS_TOKEN) } else { builder }.build().unwrap()
}

/// Has the client call the same endpoint with the same fields. What the mock server answers does not matter.
async fn send(client: &Client, recorded: &Recorded<'_>) {
    let (_, path) = recorded.path();
    let (_, query) = recorded.target();
    let mut body = recorded.body();
    if let Some(fields) = body.as_object_mut() {
        // The client adds these by itself.
        fields.remove("client_id");
        fields.remove("client_secret");
    }
    let typed = operations().iter().find(|operation| operation.path == path);
    let Some(operation) = typed.filter(|_| ANSWERS.iter().any(|(known, ..)| *known == path)) else {
        let method = Method::from_bytes(recorded.method().as_bytes()).unwrap();
        let answer = match method {
            Method::GET => client.call::<_, Value>(method, path, &query).await,
            _ => client.call::<_, Value>(method, path, &body).await,
        };
        return was_sent(recorded, answer.err());
    };
    let query = query.into_iter().map(|(name, value)| (name, serde_json::from_str(&value).unwrap_or(json!(value))));
    let fields: Map<_, _> = body.as_object().cloned().unwrap_or_default().into_iter().chain(query).collect();
    was_sent(recorded, client.invoke(operation.id, fields).await.err());
}

/// Checks that a request was sent; how this crate reads the recorded answer does not matter.
fn was_sent(recorded: &Recorded<'_>, error: Option<Error>) {
    use ErrorKind::{Configuration, Credentials, Deprecated, Request};
    let refused = error.filter(|error| matches!(error.kind(), Configuration | Credentials | Deprecated | Request));
    assert!(refused.is_none(), "{:?} is not sent: {}", recorded.case(), refused.unwrap());
}

fn compare(sent: &RecordedRequest, recorded: &Recorded<'_>) {
    let (sdk, case) = recorded.case();
    let place = format!("{sdk}, {case}: {}", recorded.text("request"));
    let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
    assert_eq!((sent.method.as_str(), (path, pairs(query))), (recorded.method(), recorded.target()), "{place}");
    assert_eq!(sent.json().unwrap_or_default(), recorded.body(), "{place}");
    if sdk.starts_with("node") && path.ends_with("-access-token") {
        // Both write the two fields in alphabetical order and without spaces, so the bytes are the same.
        assert_eq!(sent.body, recorded.text("body"), "{place}");
    }
    if !sent.body.is_empty() {
        let media_type = recorded.header("content-type").and_then(|value| value.split(';').next());
        assert_eq!(sent.header("content-type"), media_type, "{place}");
    }

    let authorization = recorded.header("authorization").map(|value| match value.split_once(' ') {
        // A signature depends on date and nonce; the tests in `src/credentials/` recompute the recorded ones.
        Some(("authing", key)) => format!("authing {}", key.split(':').next().unwrap()),
        Some(_) => value.to_owned(),
        // Node, Python and Go send a user's token bare; Java and C# send it as this crate does.
        None => format!("Bearer {value}"),
    });
    let ours = sent.header("authorization");
    let ours = ours.map(|value| if recorded.is_signed() { value.split(':').next().unwrap() } else { value });
    assert_eq!(ours, authorization.as_deref(), "{place}");

    // Go asks for a tenant's token; here the tenant is named where the token is used.
    let fetch = path == FETCH;
    let prefixed: Vec<_> = recorded.headers().into_iter().filter(|(name, _)| name.starts_with("x-")).collect();
    for (name, value) in &prefixed {
        let skipped =
            value.is_empty() || INCOMPARABLE.contains(&name.as_str()) || fetch && name == "x-authing-app-tenant-id";
        if !skipped {
            assert_eq!(sent.header(name), Some(*value), "{place}: {name}");
        }
    }
    let known: BTreeSet<&str> = prefixed.iter().map(|(name, _)| name.as_str()).chain(ADDED).collect();
    for (name, _) in sent.headers.iter().filter(|(name, _)| name.starts_with("x-")) {
        assert!(known.contains(name.as_str()), "{place}: {name} is sent here alone");
    }
}

#[tokio::test]
async fn every_recorded_request_of_the_official_sdks_is_sent_alike_or_left_out_for_a_reason() {
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    let requests: Vec<Recorded<'_>> = requests.iter().map(Recorded).collect();
    let server = MockGenAuth::start().await.unwrap();
    let (mut compared, mut excluded) = (0, BTreeSet::new());
    for case in requests.chunk_by(|one, next| one.case() == next.case()) {
        let last = case.last().unwrap();
        let managed = client(&server, last);
        for recorded in case {
            if recorded.path().1 == FETCH {
                // The client sends this by itself, before the first request that needs the token.
                let token = last.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
                let data = json!({ "access_token": token, "expires_in": 7200 });
                server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
            } else if recorded.is_managed() && !recorded.is_signed() {
                send(&managed, recorded).await;
            } else {
                send(&client(&server, recorded), recorded).await;
            }
        }
        let sent = server.take_requests();
        assert_eq!(sent.len(), case.len(), "{:?}", last.case());
        for (sent, recorded) in sent.iter().zip(case) {
            let (sdk, case) = recorded.case();
            let row = (sdk, case, recorded.target().0);
            if EXCLUDED.iter().any(|(sdk, case, path, _)| row == (*sdk, *case, *path)) {
                excluded.insert(row);
            } else {
                compare(sent, recorded);
                compared += 1;
            }
        }
    }
    assert_eq!(excluded.len(), EXCLUDED.len(), "a reason to leave a request out that is not there");
    assert_eq!(compared + excluded.len(), 80);
}

/// A mock that stands in for the server the SDK spoke to: it knows who calls and what the body names, and its clock
/// shows the time of the recording.
async fn server(recorded: &Recorded<'_>) -> MockGenAuth {
    let body = recorded.body();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut builder = MockGenAuth::builder()
        .app(APP.0, APP.1)
        .access_key(ACCESS_KEY.0, ACCESS_KEY.1)
        .user_access_token(USER_ACCESS_TOKEN)
        .user(text("/passwordPayload/account"), text("/passwordPayload/password"))
        .wechat_app(text("/appId"), text("/appSecret"))
        .path_prefix(recorded.path().0);
    if let Some(date) = recorded.header("date") {
        let date = httpdate::parse_http_date(date).unwrap();
        builder = builder.clock(move || date);
    }
    builder.start().await.unwrap()
}

async fn management_token(server: &MockGenAuth, recorded: &Recorded<'_>) -> SecretString {
    let key = GetManagementAccessTokenDto::builder().access_key_id(ACCESS_KEY.0).access_key_secret(ACCESS_KEY.1);
    let client = Client::builder(format!("{}{}", server.url(), recorded.path().0)).build().unwrap();
    client.get_management_token().body(key).send().await.unwrap().into_payload().access_token
}

/// Creates the user whom the SDK asked for.
async fn create_user(server: &MockGenAuth, recorded: &Recorded<'_>, username: &str) {
    let token = management_token(server, recorded).await;
    let client = reqwest_client_builder().build().unwrap();
    let request = client
        .post(format!("{}{}/api/v3/create-user", server.url(), recorded.path().0))
        .bearer_auth(token.expose_secret())
        .header("x-authing-userpool-id", MockGenAuth::USERPOOL_ID)
        .json(&json!({ "username": username }));
    assert!(request.send().await.unwrap().text().await.unwrap().contains("\"statusCode\":200"));
}

/// The recorded management token came from another server, for another user pool: one of this server's takes its place.
async fn with_token_of(server: &MockGenAuth, recorded: &Recorded<'_>, headers: &str) -> String {
    let issued = management_token(server, recorded).await;
    let pool = recorded.header("x-authing-userpool-id").filter(|pool| !pool.is_empty()).unwrap_or("no pool");
    headers
        .replace(recorded.header("authorization").unwrap(), &format!("Bearer {}", issued.expose_secret()))
        .replace(pool, MockGenAuth::USERPOOL_ID)
}

#[tokio::test]
async fn every_recorded_request_of_the_official_sdks_is_answered_by_the_mock_as_the_contract_says() {
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    let (mut wrong, mut unknown) = (Vec::new(), 0);
    for recorded in requests.iter().map(Recorded) {
        let server = server(&recorded).await;
        if let Some((_, user)) = recorded.target().1.into_iter().find(|(name, _)| name == "userId") {
            create_user(&server, &recorded, &user).await;
        }
        let headers: Vec<&str> = recorded.0["headers"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
        let mut headers = headers.join("\r\n");
        if recorded.is_managed() && !recorded.is_signed() && recorded.path().1 != FETCH {
            headers = with_token_of(&server, &recorded, &headers).await;
        }
        let sent = format!("{}\r\n{headers}\r\n\r\n{}", recorded.text("request"), recorded.text("body"));
        let mut stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        // An answer ends in the same way as a request.
        let answer = raw::request(&mut stream).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let is_right = match ANSWERS.iter().find(|(path, ..)| *path == recorded.path().1) {
            Some((_, pointer, fits)) if !recorded.path().0.ends_with('/') => {
                head.starts_with("HTTP/1.1 200 ")
                    && body["statusCode"] == 200
                    && body.pointer(pointer).is_some_and(fits)
            }
            None if operations().iter().any(|operation| operation.path == recorded.target().0) => {
                head.starts_with("HTTP/1.1 200 ") && body["statusCode"] == 200
            }
            _ => {
                unknown += 1;
                head.starts_with("HTTP/1.1 404 ") && body["statusCode"] == 404
            }
        };
        if !is_right {
            wrong.push(format!("{:?}: {}: {body}", recorded.case(), recorded.text("request")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are not answered as the contract says. A field that an official SDK leaves out is not `required`:\n{}",
        wrong.len(),
        requests.len(),
        wrong.join("\n")
    );
    assert_eq!(requests.len(), 80);
    // The number falls with each path that gets described.
    assert!(unknown <= 18, "{unknown} are not known");
}
