//! Calls the operations of the extension against the mock, in the same way as those of the crate.

use extending::posts::types::PostDto;
use extending::posts::{EXTENSION, Operations as _};
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
    let page = client.list_posts().page(1).limit(10).send().await.unwrap();
    assert_eq!((page.total_count, page.list[0].code.as_str()), (1, "developer"));
    assert_eq!(server.requests()[0].path, "/api/v3/list-post?limit=10&page=1");
}

#[tokio::test]
async fn all_pages_are_a_stream() {
    let (server, client) = mock().await;
    let mut posts = client.list_posts().items();
    assert_eq!(posts.next().await.unwrap().unwrap().code, "developer");
    assert!(posts.next().await.is_none());
    assert_eq!(server.requests()[0].path, "/api/v3/list-post?page=1&limit=50");
}

#[tokio::test]
async fn a_body_is_built_and_checked_by_the_mock() {
    let (_server, client) = mock().await;
    let post = PostDto::builder().code("developer").name("Developer").description("Who writes the programs.");
    assert_eq!(client.create_post().body(post).send().await.unwrap().name, "Developer");
    let error = client.create_post().body(PostDto::builder().code("developer")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().starts_with("createPost: "), "{error}");
}

#[tokio::test]
async fn a_failure_is_an_error_of_the_crate() {
    let (server, client) = mock().await;
    server.on("listPosts").unwrap().answer_next(MockAnswer::error(403, 1400, "no permission"));
    let error = client.list_posts().send().await.unwrap_err();
    assert_eq!((error.kind(), error.api_code()), (ErrorKind::Api, Some(1400)));
}

#[tokio::test]
async fn invoke_finds_it_by_its_id() {
    let (_server, client) = mock().await;
    let fields = json!({ "page": 1 }).as_object().unwrap().clone();
    let page = EXTENSION.invoke(&client, "listPosts", fields).await.unwrap();
    assert_eq!(page["list"][0]["name"], "Developer");
    let error = EXTENSION.invoke(&client, "deletePost", Default::default()).await.unwrap_err();
    assert!(error.to_string().contains("there is no such operation"), "{error}");
}

#[test]
fn it_says_what_it_holds() {
    assert!(["createPost", "listPosts"].iter().all(|id| EXTENSION.operations().iter().any(|one| one.id == *id)));
    let schema = EXTENSION.schema("PostDto").unwrap();
    assert_eq!(schema.as_value()["properties"]["code"]["type"], "string");
    assert!(EXTENSION.schema_names().any(|name| name == "ListPostsRespDto"));
    let document: serde_json::Value = serde_json::from_str(EXTENSION.openapi()).unwrap();
    assert!(document["paths"]["/api/v3/list-post"].is_object());
    assert!(document["components"]["schemas"]["Envelope"].is_object());
}
