//! Calling a deprecated operation: what the compiler says, one warning, a hook, and the server's own headers.

mod common;

use common::Log;
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::GetWechatAccessTokenDto;
use genauth::{Client, DeprecationSource, ErrorKind, OnDeprecation, UnixTimestamp};
use std::sync::{Arc, Mutex};
use syn::{Attribute, ImplItem, Item, ReturnType, Type};

#[allow(deprecated, reason = "these tests are about calling it")]
async fn call_deprecated(client: &Client, server: &MockGenAuth) -> Result<(), genauth::Error> {
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    client.get_wechat_mp_access_token().body(app).send().await.map(drop)
}

async fn call_current(client: &Client, server: &MockGenAuth) -> Result<(), genauth::Error> {
    let app = GetWechatAccessTokenDto::builder().app_id(server.wechat_app_id()).app_secret(server.wechat_app_secret());
    client.get_wechat_mp_access_token_info().body(app).send().await.map(drop)
}

#[tokio::test]
async fn a_deprecated_operation_warns_once_per_client_and_names_the_replacement() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let (log, _guard) = Log::start(tracing::Level::WARN);
    for _ in 0..3 {
        call_deprecated(&client, &server).await.unwrap();
        call_deprecated(&client.clone(), &server).await.unwrap();
        call_current(&client, &server).await.unwrap();
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for part in [
        "WARN",
        "`getWechatMpAccessToken` is deprecated; use `get_wechat_mp_access_token_info` (/api/v3/get-wechat-access-token-info)",
    ] {
        assert!(lines[0].contains(part), "{}", lines[0]);
    }
    let other = server.client_builder().build().unwrap();
    call_deprecated(&other, &server).await.unwrap();
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test]
async fn the_hook_counts_every_call_and_may_refuse_before_anything_is_sent() {
    let server = MockGenAuth::start().await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let client = server
        .client_builder()
        .on_deprecation(move |notice| {
            let mut seen = log.lock().unwrap();
            seen.push((
                notice.operation.to_owned(),
                notice.replacement.map(|replacement| replacement.id),
                notice.source,
            ));
            if seen.len() > 2 { OnDeprecation::Refuse } else { OnDeprecation::Proceed }
        })
        .build()
        .unwrap();
    call_current(&client, &server).await.unwrap();
    call_deprecated(&client, &server).await.unwrap();
    call_deprecated(&client, &server).await.unwrap();
    let error = call_deprecated(&client, &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deprecated);
    assert_eq!(
        error.to_string(),
        "getWechatMpAccessToken: refused by on_deprecation: `getWechatMpAccessToken` is deprecated; use \
         `get_wechat_mp_access_token_info` (/api/v3/get-wechat-access-token-info)"
    );
    let notice = ("getWechatMpAccessToken".to_owned(), Some("getWechatMpAccessTokenInfo"), DeprecationSource::Document);
    assert_eq!(*seen.lock().unwrap(), [notice.clone(), notice.clone(), notice]);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn the_servers_deprecation_and_sunset_headers_raise_the_same_notice() {
    let server = MockGenAuth::start().await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notices = Arc::clone(&seen);
    let client = server
        .client_builder()
        .on_deprecation(move |notice| {
            let moments = (notice.deprecated_at, notice.sunset_at);
            notices.lock().unwrap().push((notice.operation.to_owned(), notice.source, moments));
            OnDeprecation::Proceed
        })
        .build()
        .unwrap();
    let (log, _guard) = Log::start(tracing::Level::WARN);
    let answer =
        MockAnswer::proceed().header("deprecation", "@1688169599").header("sunset", "Sun, 30 Jun 2030 23:59:59 GMT");
    server.answer_next(answer.times(2));
    call_current(&client, &server).await.unwrap();
    call_current(&client, &server).await.unwrap();
    server.answer_next(MockAnswer::proceed().header("deprecation", "true"));
    call_current(&client, &server).await.unwrap();

    let operation = "getWechatMpAccessTokenInfo".to_owned();
    let sunset = UnixTimestamp::from_secs(1_909_094_399);
    let full =
        (operation.clone(), DeprecationSource::Server, (Some(UnixTimestamp::from_secs(1_688_169_599)), Some(sunset)));
    let bare = (operation, DeprecationSource::Server, (None, None));
    assert_eq!(*seen.lock().unwrap(), [full.clone(), full, bare]);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let said = "`getWechatMpAccessTokenInfo` is deprecated, says the server, as of 2023-06-30T23:59:59Z, gone after 2030-06-30T23:59:59Z";
    assert!(lines[0].contains(said), "{}", lines[0]);
}

#[tokio::test]
async fn refusing_the_servers_notice_fails_the_call_after_it_was_carried_out() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().on_deprecation(|_| OnDeprecation::Refuse).build().unwrap();
    server.answer_next(MockAnswer::proceed().header("sunset", "Sun, 30 Jun 2030 23:59:59 GMT"));
    let error = call_current(&client, &server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deprecated);
    assert_eq!(server.requests().len(), 1);
    call_current(&client, &server).await.unwrap();
}

/// An expectation that is not met does not compile.
#[test]
#[deny(unfulfilled_lint_expectations, deprecated)]
fn the_compiler_warns_of_what_is_deprecated_and_of_nothing_else() {
    #[expect(deprecated, reason = "it is")]
    let _ = Client::get_wechat_mp_access_token;
    #[expect(deprecated, reason = "so is what it returns")]
    let _ = size_of::<genauth::builder::GetWechatMpAccessToken<'_>>();
    #[expect(deprecated, reason = "nothing else uses it")]
    let _ = size_of::<genauth::types::GetWechatAccessTokenRespDto>();

    let _ = Client::get_wechat_mp_access_token_info;
    let _ = size_of::<genauth::builder::GetWechatMpAccessTokenInfo<'_>>();
    let _ = size_of::<GetWechatAccessTokenDto>();
}

/// The note of `#[deprecated]`, which the compiler prints.
fn note(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("deprecated"))?;
    let mut note = None;
    let read = attribute.parse_nested_meta(|meta| {
        note = Some(meta.value()?.parse::<syn::LitStr>()?.value());
        Ok(())
    });
    read.expect("a note");
    note
}

#[test]
fn the_compilers_warning_of_every_deprecated_operation_and_its_builder_names_the_replacement() {
    let (mut methods, mut builders) = (Vec::new(), Vec::new());
    for part in std::fs::read_dir("generated/groups").unwrap() {
        let part = std::fs::read_to_string(part.unwrap().path()).unwrap();
        for item in syn::parse_file(&part).unwrap().items {
            match item {
                Item::Mod(item) if item.ident == "builder" => builders.extend(item.content.unwrap().1),
                Item::Impl(item) => methods.extend(item.items),
                _ => {}
            }
        }
    }
    let mut deprecated = 0;
    for operation in genauth::operations() {
        let method = methods.iter().find_map(|item| match item {
            ImplItem::Fn(method) if method.sig.ident == operation.method_name => Some(method),
            _ => None,
        });
        let method = method.expect(operation.id);
        let ReturnType::Type(_, returned) = &method.sig.output else { panic!("{} returns nothing", operation.id) };
        let Type::Path(returned) = &**returned else { panic!("{} returns no builder", operation.id) };
        let name = &returned.path.segments.last().unwrap().ident;
        let builder = builders.iter().find_map(|item| match item {
            Item::Struct(item) if item.ident == *name => Some(item),
            _ => None,
        });
        for note in [note(&method.attrs), note(&builder.expect(operation.id).attrs)] {
            assert_eq!(note.is_some(), operation.deprecated, "{}: {note:?}", operation.id);
            if let Some(replacement) = operation.replaced_by.and_then(genauth::Operation::by_id) {
                let says = format!("use `{}` instead (`{}`)", replacement.method_name, replacement.path);
                assert_eq!(note, Some(says), "{}", operation.id);
                deprecated += 1;
            }
        }
    }
    assert!(deprecated > 0, "no operation is replaced by another");
}
