//! Each kind of credential, in each dialect, sends exactly these headers, and the server, which checks them, accepts
//! them.

use genauth::mock::{MockAnswer, MockGenAuth, RecordedRequest};
use genauth::{
    AccessKeyUse, Client, ClientAuthentication, ClientBuilder, Credential, Dialect, ErrorKind, Method, SignatureDate,
    TenantHeader,
};
use serde_json::{Map, Value, json};

const SDK_VERSION: &str = concat!("genauth-rust:", env!("CARGO_PKG_VERSION"));

/// A kind of credential: its name, the builder that has it, the operation to call with it, and the headers that it
/// sends besides HTTP's own. `P-` stands for the dialect's prefix, `SCHEME` for its signature word, `*` for what
/// differs from call to call.
type Kind = (&'static str, fn(ClientBuilder) -> ClientBuilder, &'static str, &'static [(&'static str, &'static str)]);

const KINDS: &[Kind] = &[
    (
        "app id",
        |builder| builder.app_id(MockGenAuth::APP_ID),
        "getWechatMpAccessTokenInfo",
        &[("P-app-id", "mock-genauth-app"), ("P-request-from", "sdk")],
    ),
    (
        "app id and user access token",
        |builder| builder.app_id(MockGenAuth::APP_ID).user_access_token(MockGenAuth::USER_ACCESS_TOKEN),
        "getProfile",
        &[
            ("P-app-id", "mock-genauth-app"),
            ("P-request-from", "sdk"),
            ("authorization", "Bearer mock-user-access-token"),
        ],
    ),
    (
        "user access token",
        |builder| builder.user_access_token(MockGenAuth::USER_ACCESS_TOKEN),
        "getProfile",
        &[("authorization", "Bearer mock-user-access-token")],
    ),
    (
        "client_secret_basic",
        |builder| builder.app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET),
        "signInByCredentials",
        &[
            ("P-app-id", "mock-genauth-app"),
            ("P-request-from", "sdk"),
            ("authorization", "Basic bW9jay1nZW5hdXRoLWFwcDptb2NrLWdlbmF1dGgtYXBwLXNlY3JldA=="),
        ],
    ),
    (
        "client_secret_basic, where the operation does not take it",
        |builder| builder.app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET),
        "getWechatMpAccessTokenInfo",
        &[("P-app-id", "mock-genauth-app"), ("P-request-from", "sdk")],
    ),
    (
        "client_secret_post",
        |builder| {
            let builder = builder.app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET);
            builder.client_authentication(ClientAuthentication::Post)
        },
        "signInByCredentials",
        &[("P-app-id", "mock-genauth-app"), ("P-request-from", "sdk")],
    ),
    (
        "none",
        |builder| {
            let builder = builder.app(MockGenAuth::APP_ID, MockGenAuth::APP_SECRET);
            builder.client_authentication(ClientAuthentication::None)
        },
        "signInByCredentials",
        &[("P-app-id", "mock-genauth-app"), ("P-request-from", "sdk")],
    ),
    (
        "access key signature",
        |builder| builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET),
        "getWeixinAccessToken",
        &[
            ("P-signature-nonce", "*"),
            ("P-signature-method", "HMAC-SHA1"),
            ("P-signature-version", "1.0"),
            ("date", "*"),
            ("authorization", "SCHEME mock-access-key:*"),
        ],
    ),
    (
        "access key signature for a tenant, dated in milliseconds",
        |builder| {
            let builder = builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
            builder.tenant_id("tenant_1").signature_date(SignatureDate::UnixMilliseconds)
        },
        "getWeixinAccessToken",
        &[
            ("P-app-tenant-id", "tenant_1"),
            ("P-signature-nonce", "*"),
            ("P-signature-method", "HMAC-SHA1"),
            ("P-signature-version", "1.0"),
            ("date", "*"),
            ("authorization", "SCHEME mock-access-key:*"),
        ],
    ),
    (
        "management token for a tenant",
        |builder| {
            let builder = builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
            builder.access_key_use(AccessKeyUse::ManagementToken).tenant_id("tenant_1")
        },
        "getWeixinAccessToken",
        &[("P-app-tenant-id", "tenant_1"), ("P-userpool-id", MockGenAuth::USERPOOL_ID), ("authorization", "Bearer *")],
    ),
    (
        "access key signature for a tenant, as Java has it",
        |builder| {
            let builder = builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
            builder.tenant_id("tenant_1").tenant_header(TenantHeader::TenantId)
        },
        "getWeixinAccessToken",
        &[
            ("P-tenant-id", "tenant_1"),
            ("P-signature-nonce", "*"),
            ("P-signature-method", "HMAC-SHA1"),
            ("P-signature-version", "1.0"),
            ("date", "*"),
            ("authorization", "SCHEME mock-access-key:*"),
        ],
    ),
    (
        "management token for a tenant, as Node has it",
        |builder| {
            let builder = builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
            let builder = builder.access_key_use(AccessKeyUse::ManagementToken);
            builder.tenant_id("tenant_1").tenant_header(TenantHeader::AppId)
        },
        "getWeixinAccessToken",
        &[("P-app-id", "tenant_1"), ("P-userpool-id", MockGenAuth::USERPOOL_ID), ("authorization", "Bearer *")],
    ),
    ("none at all, for an operation that carries its own", |builder| builder, "getManagementToken", &[]),
];

fn described(operation_id: &str) -> Value {
    let document: Value = serde_json::from_str(genauth::OPENAPI).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    operations.into_iter().find(|operation| operation["operationId"] == operation_id).unwrap().clone()
}

fn example_fields(operation_id: &str) -> Map<String, Value> {
    let body = &described(operation_id)["requestBody"]["content"]["application/json"]["example"];
    body.as_object().cloned().unwrap_or_default()
}

/// Name and value of each header, sorted; what differs from call to call is `*`.
fn headers(request: &RecordedRequest) -> Vec<(String, String)> {
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let varies = ["host", "date", "content-length"].contains(&name.as_str()) || name.ends_with("-nonce");
            let value = match value.split_once(':') {
                _ if varies => "*".to_owned(),
                Some((key, _)) if name == "authorization" => format!("{key}:*"),
                _ if value.starts_with("Bearer ey") => "Bearer *".to_owned(),
                _ => value.clone(),
            };
            (name.clone(), value)
        })
        .collect();
    headers.sort();
    headers
}

#[tokio::test]
async fn each_kind_of_credential_sends_exactly_its_headers_in_each_dialect() {
    let server = MockGenAuth::start().await.unwrap();
    for (dialect, prefix, scheme) in
        [(Dialect::GenAuth, "x-genauth-", "GenAuth"), (Dialect::Authing, "x-authing-", "authing")]
    {
        for (kind, setup, operation, expected) in KINDS {
            let client = setup(Client::builder(server.url()).dialect(dialect)).build().unwrap();
            let answer = client.invoke(operation, example_fields(operation)).await;
            answer.unwrap_or_else(|error| panic!("{kind}, {dialect:?}: {error}"));
            let request = server.take_requests().pop().unwrap();
            let mut rows = vec![("accept", "application/json"), ("host", "*"), ("P-lang", "zh-CN")];
            rows.push(("P-sdk-version", SDK_VERSION));
            if !request.body.is_empty() {
                rows.extend([("content-type", "application/json"), ("content-length", "*")]);
            }
            rows.extend(*expected);
            let rows = rows.iter().map(|(name, value)| (name.replace("P-", prefix), value.replace("SCHEME", scheme)));
            let mut rows: Vec<_> = rows.collect();
            rows.sort();
            assert_eq!(headers(&request), rows, "{kind}, {dialect:?}");
        }
    }
}

/// The operations that take an application's secret.
const TAKE_SECRET: [&str; 3] = ["signInByCredentials", "signInByMobile", "exchangeTokenSetWithQrCodeTicket"];

#[tokio::test]
async fn the_app_secret_goes_into_the_header_or_the_body_or_nowhere() {
    let server = MockGenAuth::start().await.unwrap();
    for (operation, how) in TAKE_SECRET.iter().flat_map(|operation| {
        use ClientAuthentication::{Basic, None, Post};
        [Basic, Post, None].map(|how| (operation, how))
    }) {
        let fields = example_fields(operation);
        let client = server.client_builder().client_authentication(how).build().unwrap();
        client.invoke(operation, fields.clone()).await.unwrap();
        let request = server.take_requests().remove(0);
        let basic = request.header("authorization").is_some_and(|value| value.starts_with("Basic "));
        assert_eq!(basic, how == ClientAuthentication::Basic, "{operation}, {how:?}");
        let mut expected = fields;
        if how == ClientAuthentication::Post {
            expected.insert("client_id".to_owned(), MockGenAuth::APP_ID.into());
            expected.insert("client_secret".to_owned(), MockGenAuth::APP_SECRET.into());
        }
        assert_eq!(request.json(), Some(expected.into()), "{operation}, {how:?}");
    }
}

#[tokio::test]
async fn an_operation_refuses_credentials_that_the_document_does_not_list_before_anything_is_sent() {
    let server = MockGenAuth::start().await.unwrap();
    let refusal = |operation: &'static str, builder: ClientBuilder| {
        let client = builder.build().unwrap();
        async move {
            let error = client.invoke(operation, example_fields(operation)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            error.to_string()
        }
    };
    assert_eq!(
        refusal("getWeixinAccessToken", server.client_builder()).await,
        "getWeixinAccessToken: the client holds no credentials that this operation takes; build it with \
         `.access_key(..)`, or `.access_key(..)` as `AccessKeyUse::ManagementToken`"
    );
    assert_eq!(
        refusal("getProfile", server.client_builder()).await,
        "getProfile: the client holds no credentials that this operation takes; build it with `.app(..)` and \
         `.user_access_token(..)`, or `.user_access_token(..)`"
    );
    assert_eq!(
        refusal("signInByCredentials", Client::builder(server.url())).await,
        "signInByCredentials: the client holds no credentials that this operation takes; build it with `.app(..)`"
    );
    assert!(server.requests().is_empty());
}

/// A client with everything that it can hold at once.
fn holding_much(server: &MockGenAuth) -> ClientBuilder {
    let builder = server.client_builder().user_access_token(MockGenAuth::USER_ACCESS_TOKEN);
    builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET)
}

#[tokio::test]
async fn a_call_sends_the_credentials_that_it_asks_for_and_no_others() {
    use Credential::{
        AccessKeySignature, AppId, ClientSecretBasic, ClientSecretPost, ManagementToken, UserAccessToken,
    };
    const PATH: &str = "/api/v3/undescribed";
    const APP: &str = "x-genauth-app-id";
    let server = MockGenAuth::start().await.unwrap();
    let done = || MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": true }));
    server.route(Method::POST, PATH, move |_| done());
    let post = || holding_much(&server).client_authentication(ClientAuthentication::Post);
    let token = || holding_much(&server).access_key_use(AccessKeyUse::ManagementToken);
    for (builder, asked, app, authorization) in [
        (holding_much(&server), &[][..], false, None),
        (holding_much(&server), &[AppId], true, None),
        (holding_much(&server), &[UserAccessToken], false, Some("Bearer mock-user-access-token")),
        (holding_much(&server), &[AppId, UserAccessToken], true, Some("Bearer mock-user-access-token")),
        (holding_much(&server), &[AccessKeySignature], false, Some("GenAuth mock-access-key:")),
        (holding_much(&server), &[AppId, ClientSecretBasic], true, Some("Basic ")),
        (holding_much(&server), &[ClientSecretBasic], false, Some("Basic ")),
        (post(), &[ClientSecretPost], false, None),
        (token(), &[ManagementToken], false, Some("Bearer ")),
    ] {
        let client = builder.build().unwrap();
        client.call::<_, bool>(Method::POST, PATH, &json!({ "a": 1 })).credentials(asked).await.unwrap();
        let request = server.take_requests().pop().unwrap();
        assert_eq!(request.header(APP), app.then_some(MockGenAuth::APP_ID), "{asked:?}");
        let sent = request.header("authorization");
        assert_eq!(sent.is_some(), authorization.is_some(), "{asked:?}");
        assert!(sent.unwrap_or_default().starts_with(authorization.unwrap_or_default()), "{asked:?}: {sent:?}");
        let nonce = request.header("x-genauth-signature-nonce");
        assert_eq!(nonce.is_some(), asked.contains(&AccessKeySignature));
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        assert_eq!(body.contains(MockGenAuth::APP_SECRET), asked.contains(&ClientSecretPost), "{asked:?}");
    }
    // The same is true of a described operation.
    let client = holding_much(&server).build().unwrap();
    let app = json!({ "appId": server.wechat_app_id(), "appSecret": server.wechat_app_secret() });
    let described = "/api/v3/get-wechat-access-token-info";
    for (asked, authorized) in [(&[AppId][..], false), (&[AppId, UserAccessToken], true)] {
        client.call::<_, Value>(Method::POST, described, &app).credentials(asked).await.unwrap();
        assert_eq!(server.take_requests()[0].header("authorization").is_some(), authorized);
    }
}

#[tokio::test]
async fn credentials_that_are_not_held_or_do_not_go_together_are_refused_with_what_to_do() {
    use Credential::{
        AccessKeySignature, AppId, ClientSecretBasic, ClientSecretPost, ManagementToken, UserAccessToken,
    };
    let server = MockGenAuth::start().await.unwrap();
    let nothing = || Client::builder(server.url());
    let post = server.client_builder().client_authentication(ClientAuthentication::Post);
    let token = holding_much(&server).access_key_use(AccessKeyUse::ManagementToken);
    for (builder, asked, missing, setter) in [
        (nothing(), &[AppId][..], "AppId", "`.app(..)`"),
        (server.client_builder(), &[AppId, UserAccessToken], "UserAccessToken", "`.user_access_token(..)`"),
        (nothing(), &[AccessKeySignature], "AccessKeySignature", "`.access_key(..)` as `AccessKeyUse::Signature`"),
        (token, &[AccessKeySignature], "AccessKeySignature", "`.access_key(..)` as `AccessKeyUse::Signature`"),
        (
            holding_much(&server),
            &[ManagementToken],
            "ManagementToken",
            "`.access_key(..)` as `AccessKeyUse::ManagementToken`",
        ),
        (post, &[ClientSecretBasic], "ClientSecretBasic", "`.app(..)` as `ClientAuthentication::Basic`"),
        (holding_much(&server), &[ClientSecretPost], "ClientSecretPost", "`.app(..)` as `ClientAuthentication::Post`"),
    ] {
        let client = builder.build().unwrap();
        let error = client.call::<_, Value>(Method::DELETE, "/api/v3/x", &()).credentials(asked).await.unwrap_err();
        let expected = format!(
            "an undescribed DELETE: the client does not hold the `{missing}` that this call asks for; build it with {setter}"
        );
        assert_eq!((error.kind(), error.to_string(), error.attempts()), (ErrorKind::Credentials, expected, 0));
    }
    let client = holding_much(&server).build().unwrap();
    for two in [[UserAccessToken, AccessKeySignature], [ClientSecretBasic, UserAccessToken]] {
        let error = client.call::<_, Value>(Method::GET, "/api/v3/x", &()).credentials(&two).await.unwrap_err();
        let expected = "an undescribed GET: this call asks for several credentials that prove who calls; leave \
                        out all but one";
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Credentials, expected.to_owned()));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_undescribed_endpoint_is_not_called_with_credentials_chosen_by_chance() {
    let server = MockGenAuth::start().await.unwrap();
    let user = Client::builder(server.url()).user_access_token(MockGenAuth::USER_ACCESS_TOKEN);
    for one in [server.client_builder(), user] {
        let both = one.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET).build().unwrap();
        let error = both.call::<_, Value>(http::Method::POST, "/api/v3/list-public-accounts", &()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert!(error.to_string().contains("say which with `.credentials(..)`"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_undescribed_endpoint_never_gets_the_app_secret() {
    let server = MockGenAuth::start().await.unwrap();
    for how in [ClientAuthentication::Basic, ClientAuthentication::Post] {
        let client = server.client_builder().client_authentication(how).build().unwrap();
        let fields = serde_json::json!({ "a": 1 });
        client.call::<_, Value>(http::Method::POST, "/api/v3/list-public-accounts", &fields).await.unwrap_err();
        let request = server.take_requests().remove(0);
        assert_eq!((request.header("authorization"), request.json()), (None, Some(fields)), "{how:?}");
    }
}

#[test]
fn a_client_that_is_told_to_send_a_secret_has_one() {
    let client = |how| {
        let builder = Client::builder("https://example.genauth.ai").app_id("an app");
        builder.client_authentication(how).build()
    };
    for how in [ClientAuthentication::Basic, ClientAuthentication::Post] {
        let error = client(how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let told = "`.client_authentication(..)` needs an app secret to send; give it with `.app(..)`, or leave it out";
        assert!(error.to_string().ends_with(told), "{error}");
    }
    client(ClientAuthentication::None).unwrap();
    Client::builder("https://example.genauth.ai").app_id("an app").build().unwrap();
}
