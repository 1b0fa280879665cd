//! The values of `shapes.yaml` in Rust and over the wire; `.ci/run` puts this test beside the others of that build.

use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::types::{AnswerDto, AnswerDtoLevel, MakeShapeReqDto, MakeShapeReqDtoCornersItem, StateEnum};
use genauth::{Client, ErrorKind};
use serde_json::{Value, json};

async fn mock() -> (MockGenAuth, Client) {
    let server = MockGenAuth::start().await.unwrap();
    let builder = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = builder.build().unwrap();
    (server, client)
}

#[tokio::test]
async fn an_answers_enum_keeps_what_this_version_does_not_know() {
    let (server, client) = mock().await;
    let data = json!({ "state": "glowing", "states": ["lit", "dark"], "level": "low", "anything": null });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
    let body = AnswerDto::builder().state("lit").anything(7);
    let answer = client.put_answer().shape_id("a").body(body).send().await.unwrap();
    assert_eq!(answer.state, StateEnum::Unlisted("glowing".to_owned()));
    assert_eq!(answer.states, Some(vec![StateEnum::Lit, StateEnum::Dark]));
    assert_eq!((answer.state.to_string(), answer.level.as_ref().unwrap().as_ref()), ("glowing".to_owned(), "low"));
    assert_eq!("high".parse::<AnswerDtoLevel>(), Ok(AnswerDtoLevel::High));
    assert_eq!(serde_json::to_value(&answer.state).unwrap(), "glowing");
    assert_eq!(server.take_requests()[0].json().unwrap(), json!({ "state": "lit", "anything": 7 }));
}

#[tokio::test]
async fn an_empty_list_or_map_is_sent_and_an_absent_one_is_not() {
    let (server, client) = mock().await;
    let body = AnswerDto::builder().state(StateEnum::Dark).anything(Value::Null);
    let empty = body.clone().tags([]).labels([]).free(serde_json::Map::new());
    for (body, sent) in [
        (empty, json!({ "state": "dark", "anything": null, "tags": [], "labels": {}, "free": {} })),
        (body.tags(None::<Vec<String>>), json!({ "state": "dark", "anything": null })),
    ] {
        client.put_answer().shape_id("a").body(body).send().await.unwrap();
        assert_eq!(server.take_requests()[0].json().unwrap(), sent);
    }
}

#[tokio::test]
async fn what_stands_inline_comes_page_by_page_and_a_parameter_keeps_its_setter() {
    let (server, client) = mock().await;
    let ids = ["a".to_owned()];
    let mut shapes = client.find_shapes().ids(ids).items("some").pages().items();
    let mut kinds = Vec::new();
    while let Some(shape) = shapes.next().await {
        kinds.push(serde_json::to_value(shape.unwrap()).unwrap()["kind"].clone());
    }
    assert_eq!(kinds, ["round", "oval"]);
    let path = server.take_requests().remove(0).path;
    assert!(path.ends_with("items=some&page=1&limit=50"), "{path}");
}

#[tokio::test]
async fn lists_and_nested_values_stand_in_a_query_as_the_official_sdk_writes_them() {
    let (server, client) = mock().await;
    let call = client.find_shapes().ids(["a b".to_owned(), "c&d".to_owned()]).weight(10.0);
    call.filter(json!({ "a": 1, "b": [true, null] })).send().await.unwrap();
    let path = server.take_requests().remove(0).path;
    let (path, query) = path.split_once('?').unwrap();
    assert_eq!(path, "/api/v3/find-shapes");
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    assert_eq!(
        pairs,
        ["filter%5Ba%5D=1", "filter%5Bb%5D%5B0%5D=true", "ids%5B%5D=a+b", "ids%5B%5D=c%26d", "weight=10"]
    );
}

#[tokio::test]
async fn an_inline_answer_is_read_as_a_named_one_is() {
    let (server, client) = mock().await;
    let list = json!([{ "kind": "oval", "size": "7", "token": "example-secret" }, null]);
    let data = json!({ "totalCount": "2", "list": list });
    server.answer_next(MockAnswer::envelope(json!({ "statusCode": 200, "message": "", "data": data })));
    let found = client.find_shapes().ids(["a".to_owned()]).send().await.unwrap();
    assert_eq!((found.total_count, found.list.len(), found.list[1].is_none()), (2, 2, true));
    assert_eq!(found.list[0].as_ref().unwrap().size, Some(7));
    assert!(!format!("{found:?}").contains("example-secret"));
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_told_by_its_place_and_never_shown() {
    let (server, client) = mock().await;
    let corner = MakeShapeReqDtoCornersItem::builder().x(1).try_into();
    let corners: Vec<MakeShapeReqDtoCornersItem> = vec![corner.unwrap()];
    client.make_shape().body(MakeShapeReqDto::builder().name("n").corners(corners)).send().await.unwrap();
    assert_eq!(server.take_requests()[0].json().unwrap(), json!({ "name": "n", "corners": [{ "x": 1 }] }));

    let error = client.post_shape().body(genauth::types::ShapeDto::builder().kind("hunter2")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().starts_with("postShape: the request does not fit: `kind` is not one of `a`"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));

    let error = client.find_shapes().send().await.unwrap_err();
    assert_eq!(error.to_string(), "findShapes: the request is incomplete: `ids` is not set; set it");
    assert!(server.requests().is_empty());
}
