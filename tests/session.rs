//! A user signs in, and the client carries the token.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::{SignInByPassCodePayloadDto, SigninByCredentialsDto, SigninByCredentialsDtoConnection};
use genauth::{Client, ErrorKind, NextStepKind, SignIn};
use serde_json::json;

fn bearer(server: &MockGenAuth) -> Option<String> {
    server.take_requests().pop().unwrap().header("authorization").map(str::to_owned)
}

#[tokio::test]
async fn signing_in_answers_a_client_that_carries_the_users_token_and_leaves_the_other_as_it_was() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let signed_in = client.sign_in_by_password(MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD).await.unwrap();
    let SignIn::SignedIn(user) = signed_in else { panic!("{signed_in:?}") };
    let token = user.tokens.access_token.as_ref().unwrap().expose_secret().to_owned();
    server.take_requests();
    user.client.get_profile().send().await.unwrap();
    assert_eq!(bearer(&server), Some(format!("Bearer {token}")));
    assert_eq!(client.get_profile().send().await.unwrap_err().kind(), ErrorKind::Credentials);
    assert!(!format!("{user:?}").contains(&token));
}

#[tokio::test]
async fn a_wrong_password_is_an_error_with_the_apis_own_code() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let error = client.sign_in_by_password(MockGenAuth::USER_ACCOUNT, "wrong").await.unwrap_err();
    assert_eq!((error.kind(), error.api_code()), (ErrorKind::Api, Some(2333)));
    assert!(error.to_string().contains("check the account and the password"), "{error}");
    assert!(error.next_step().is_none());
}

#[tokio::test]
async fn a_step_that_is_still_to_be_done_is_an_outcome_to_match_on() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for (status_code, api_code, code, kind) in [
        (1636, None, 1636, NextStepKind::SecondFactor),
        (400, Some(1639), 1639, NextStepKind::NewPassword),
        (1635, Some(7), 1635, NextStepKind::UserSecondFactor),
        (1642, None, 1642, NextStepKind::CompleteProfile),
        (403, Some(2058), 2058, NextStepKind::ChangePassword),
        (2058, None, 2058, NextStepKind::ChangePassword),
        (1637, None, 1637, NextStepKind::Other),
        (400, Some(1698), 1698, NextStepKind::Other),
    ] {
        let mut envelope =
            json!({ "statusCode": status_code, "message": "a second factor", "data": { "mfaToken": "mfa-secret" } });
        if let Some(api_code) = api_code {
            envelope["apiCode"] = json!(api_code);
        }
        server.answer_next(MockAnswer::envelope(envelope));
        let outcome = client.sign_in_by_password("a", "b").await.unwrap();
        let SignIn::NextStep(step) = outcome else { panic!("{outcome:?}") };
        assert_eq!((step.kind(), step.code(), step.message()), (kind, code, "a second factor"));
        assert_eq!(step.data(), Some(json!({ "mfaToken": "mfa-secret" })));
        assert!(!format!("{step:?}").contains("mfa-secret"));
        let error = step.into_error();
        assert_eq!(error.kind(), ErrorKind::Api);
        assert!(!format!("{error} {error:?}").contains("mfa-secret"));
    }
}

#[tokio::test]
async fn a_sign_in_that_was_ended_early_is_a_failure_that_says_so_and_no_step() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for envelope in [json!({ "statusCode": 400, "apiCode": 1699 }), json!({ "statusCode": 1699 })] {
        server.answer_next(MockAnswer::envelope(envelope));
        let error = client.sign_in_by_password("a", "b").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api);
        assert!(error.to_string().contains("the sign-in was ended early"), "{error}");
        assert!(error.next_step().is_none());
    }
}

#[tokio::test]
async fn a_step_of_any_operation_is_told_by_its_code_and_an_unknown_one_at_a_sign_in_alone() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().user_access_token(MockGenAuth::USER_ACCESS_TOKEN).build().unwrap();
    for (code, kind) in [(1636, Some(NextStepKind::SecondFactor)), (1637, None), (1600, None), (1700, None)] {
        server.answer_next(MockAnswer::envelope(json!({ "statusCode": 403, "apiCode": code })));
        let error = client.get_profile().send().await.unwrap_err();
        assert_eq!(error.next_step().map(|step| step.kind()), kind, "{code}");
    }
}

#[tokio::test]
async fn a_sign_in_whose_flow_is_complete_is_one_if_there_are_tokens() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for (status_code, api_code) in [(1600, None), (400, Some(1600))] {
        let envelope = |data: serde_json::Value| {
            let mut envelope = json!({ "statusCode": status_code, "message": "", "data": data });
            envelope.as_object_mut().unwrap().extend(api_code.map(|code| ("apiCode".to_owned(), json!(code))));
            envelope
        };
        let tokens = json!({ "access_token": "after-the-flow", "token_type": "Bearer", "expire_in": 60 });
        server.answer_next(MockAnswer::envelope(envelope(tokens)).header("x-from", "the server"));
        let signed_in = client.sign_in_by_password("a", "b").await.unwrap();
        let SignIn::SignedIn(user) = signed_in else { panic!("{signed_in:?}") };
        assert_eq!((user.tokens.status_code(), user.tokens.api_code()), (status_code, api_code));
        assert_eq!(user.tokens.headers()["x-from"], "the server");
        let _ = user.client.get_profile().send().await;
        assert_eq!(bearer(&server), Some("Bearer after-the-flow".to_owned()));

        for data in [json!(null), json!({}), json!({ "access_token": null }), json!({ "session": true }), json!([1, 2])]
        {
            server.answer_next(MockAnswer::envelope(envelope(data.clone())));
            let error = client.sign_in_by_password("a", "b").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoData, "{data}");
            assert_eq!((error.status_code(), error.api_code()), (Some(status_code), api_code));
            assert!(error.to_string().contains("the sign-in is complete, but there are no tokens"), "{error}");
            assert!(error.next_step().is_none());
        }
    }
}

#[tokio::test]
async fn any_way_of_signing_in_has_the_same_outcomes() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let payload = SignInByPassCodePayloadDto::builder().email("a@example.com".to_owned()).pass_code("123456");
    let body = SigninByCredentialsDto::builder()
        .connection(SigninByCredentialsDtoConnection::Passcode)
        .pass_code_payload(SignInByPassCodePayloadDto::try_from(payload).unwrap());
    let data = json!({ "access_token": "by-code", "token_type": "Bearer", "expire_in": "60" });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 1636, "message": "" })));
    let SignIn::SignedIn(user) = client.sign_in(body.clone()).await.unwrap() else { panic!("a step") };
    assert_eq!(user.tokens.expire_in, 60);
    assert!(matches!(client.sign_in(body.clone()).await.unwrap(), SignIn::NextStep(_)));
    let sent = server.take_requests().remove(0).json().unwrap();
    let payload = json!({ "email": "a@example.com", "passCode": "123456" });
    assert_eq!(sent, json!({ "connection": "PASSCODE", "passCodePayload": payload }));
    let nothing = client.sign_in(SigninByCredentialsDto::builder()).await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Request);

    // The mock knows no verification codes, so it refuses the sign-in.
    let refused = client.sign_in(body).await.unwrap_err();
    assert_eq!(refused.status_code(), Some(400));
}

#[tokio::test]
async fn a_sign_in_without_an_access_token_is_not_taken_for_one() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let data = json!({ "id_token": "t", "token_type": "Bearer", "expire_in": 1 });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
    let error = client.sign_in_by_password("a", "b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoData);
}

#[tokio::test]
async fn a_token_set_on_one_clone_is_sent_by_the_others_until_it_is_removed() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    let clone = client.clone();
    let other = client.with_user_access_token("other-token").unwrap();
    client.set_user_access_token(Some(MockGenAuth::USER_ACCESS_TOKEN.into())).unwrap();
    tokio::spawn(async move { clone.get_profile().send().await.map(drop) }).await.unwrap().unwrap();
    assert_eq!(bearer(&server), Some(format!("Bearer {}", MockGenAuth::USER_ACCESS_TOKEN)));
    let _ = other.get_profile().send().await;
    assert_eq!(bearer(&server), Some("Bearer other-token".to_owned()));
    client.set_user_access_token(None).unwrap();
    assert_eq!(client.get_profile().send().await.unwrap_err().kind(), ErrorKind::Credentials);
    for bad in ["", "a\nb"] {
        let error = client.set_user_access_token(Some(bad.into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(client.with_user_access_token(bad).is_err());
    }
}

#[tokio::test]
async fn an_applications_own_credentials_can_be_checked() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().build().unwrap();
    for (secret, valid) in [(MockGenAuth::APP_SECRET, true), ("wrong", false)] {
        let body = genauth::types::CheckAppIdSecretDto::builder().app_id(MockGenAuth::APP_ID).app_secret(secret);
        assert_eq!(client.check_app_id_secret().body(body).send().await.unwrap().valid, valid);
    }
}

#[tokio::test]
async fn a_wrong_app_secret_is_refused_at_the_sign_in() {
    let server = MockGenAuth::start().await.unwrap();
    let client = Client::builder(server.url()).app(MockGenAuth::APP_ID, "wrong").build().unwrap();
    let error = client.sign_in_by_password(MockGenAuth::USER_ACCOUNT, MockGenAuth::USER_PASSWORD).await.unwrap_err();
    assert_eq!(error.status_code(), Some(401));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_replaced_while_a_request_is_under_way_is_still_struck_out() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().user_access_token("the-first-token").build().unwrap();
    let refusal = json!({ "statusCode": 401, "message": "the-first-token is dead", "requestId": "the-first-token" });
    server.answer_next(MockAnswer::envelope(refusal).delay(std::time::Duration::from_secs(1)));
    let (answer, ()) = tokio::join!(client.get_profile().send(), async {
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        client.set_user_access_token(None).unwrap();
    });
    let error = answer.unwrap_err();
    assert_eq!(error.server_message(), Some("[REDACTED] is dead"));
    assert!(!format!("{error} {error:?}").contains("the-first-token"));
}

#[tokio::test]
async fn a_profile_may_say_null_where_it_has_nothing() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().user_access_token(MockGenAuth::USER_ACCESS_TOKEN).build().unwrap();
    let mut data = serde_json::to_value(&*client.get_profile().send().await.unwrap()).unwrap();
    for field in ["customData", "metadataSource", "identities", "departmentIds", "email", "loginsCount"] {
        data[field] = serde_json::Value::Null;
    }
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
    assert!(client.get_profile().send().await.unwrap().custom_data.is_none());
}
