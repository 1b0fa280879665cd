//! The operations of the extension, called as those of the crate are, against the mock.

use extending::groups::types::GroupDto;
use extending::groups::{EXTENSION, Operations as _};
use genauth::mock::{MockAnswer, MockGenAuth};
use genauth::{Client, ErrorKind};
use serde_json::json;

async fn mock() -> (MockGenAuth, Client) {
    let server = MockGenAuth::builder().extension(&EXTENSION).start().await.unwrap();
    let client =
        server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn a_page_is_asked_for_and_signed() {
    let (server, client) = mock().await;
    let page = client.list_groups().page(1).limit(10).send().await.unwrap();
    assert_eq!((page.total_count, page.list[0].code.as_str()), (1, "developers"));
    assert_eq!(server.requests()[0].path, "/api/v3/list-groups?limit=10&page=1");
}

#[tokio::test]
async fn a_body_is_built_and_checked_by_the_mock() {
    let (_server, client) = mock().await;
    let group = GroupDto::builder().code("developers").name("Developers").description("Who writes the programs.");
    assert_eq!(client.create_group().body(group).send().await.unwrap().name, "Developers");
    let error = client.create_group().body(GroupDto::builder().code("developers")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().starts_with("createGroup: "), "{error}");
}

#[tokio::test]
async fn a_failure_is_an_error_of_the_crate() {
    let (server, client) = mock().await;
    server.on("listGroups").unwrap().answer_next(MockAnswer::error(403, 1400, "no permission"));
    let error = client.list_groups().send().await.unwrap_err();
    assert_eq!((error.kind(), error.api_code()), (ErrorKind::Api, Some(1400)));
}

#[tokio::test]
async fn invoke_finds_it_by_its_id() {
    let (_server, client) = mock().await;
    let fields = json!({ "page": 1 }).as_object().unwrap().clone();
    let page = EXTENSION.invoke(&client, "listGroups", fields).await.unwrap();
    assert_eq!(page["list"][0]["name"], "Developers");
    let error = EXTENSION.invoke(&client, "deleteGroup", Default::default()).await.unwrap_err();
    assert!(error.to_string().contains("there is no such operation"), "{error}");
}

#[test]
fn it_says_what_it_holds() {
    assert!(["createGroup", "listGroups"].iter().all(|id| EXTENSION.operations().iter().any(|one| one.id == *id)));
    let schema = EXTENSION.schema("GroupDto").unwrap();
    assert_eq!(schema.as_value()["properties"]["code"]["type"], "string");
    assert!(EXTENSION.schema_names().any(|name| name == "ListGroupsRespDto"));
    let document: serde_json::Value = serde_json::from_str(EXTENSION.openapi()).unwrap();
    assert!(document["paths"]["/api/v3/list-groups"].is_object());
    assert!(document["components"]["schemas"]["Envelope"].is_object());
}
