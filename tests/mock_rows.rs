//! What is created at the mock can be got, changed and listed.

use genauth::mock::MockGenAuth;
use genauth::{Client, Error};
use serde_json::{Value, json};

async fn start() -> (MockGenAuth, Client) {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = client.build().unwrap();
    (server, client)
}

async fn data(client: &Client, operation: &str, fields: Value) -> Result<Value, Error> {
    let fields = fields.as_object().cloned().unwrap_or_default();
    Ok(client.invoke(operation, fields).await?.into_payload())
}

#[tokio::test]
async fn a_user_who_is_created_is_found_changed_listed_and_deleted() {
    let (_server, client) = start().await;
    let before = data(&client, "listUsers", json!({})).await.unwrap();
    let created =
        data(&client, "createUser", json!({ "username": "zhang", "email": "zhang@example.com" })).await.unwrap();
    let id = created["userId"].as_str().unwrap().to_owned();
    assert_eq!((&created["username"], created.get("phone")), (&json!("zhang"), None), "nothing that was not given");
    assert_eq!(data(&client, "getUser", json!({ "userId": id })).await.unwrap(), created);
    let by_email = json!({ "userId": "zhang@example.com", "userIdType": "email" });
    assert_eq!(data(&client, "getUser", by_email).await.unwrap(), created);

    let updated =
        data(&client, "updateUser", json!({ "userId": id, "nickname": "Z", "username": "zhang2" })).await.unwrap();
    assert_eq!(
        (&updated["nickname"], &updated["username"], &updated["email"]),
        (&json!("Z"), &json!("zhang2"), &created["email"])
    );
    assert_eq!(data(&client, "getUser", json!({ "userId": id })).await.unwrap(), updated);
    let unknown = data(&client, "updateUser", json!({ "userId": "nobody", "nickname": "Z" })).await.unwrap_err();
    assert_eq!(unknown.status_code(), Some(404));

    let list = data(&client, "listUsers", json!({})).await.unwrap();
    assert_eq!(list["totalCount"].as_i64(), before["totalCount"].as_i64().map(|total| total + 1));
    assert_eq!(list["list"].as_array().unwrap().last().unwrap(), &updated);
    let both = json!({ "userIds": [id, "nobody"] });
    assert_eq!(data(&client, "getUserBatch", both).await.unwrap(), json!([updated]));

    data(&client, "deleteUsersBatch", json!({ "userIds": [id] })).await.unwrap();
    let gone = data(&client, "getUser", json!({ "userId": id })).await.unwrap_err();
    assert_eq!(gone.status_code(), Some(404));
    assert!(gone.to_string().contains("no such User"), "{gone}");
    assert_eq!(data(&client, "listUsers", json!({})).await.unwrap(), before);
}

#[tokio::test]
async fn many_that_are_created_come_page_by_page() {
    let (_server, client) = start().await;
    for ten in 0..7 {
        let users: Vec<Value> = (0..10).map(|one| json!({ "username": format!("user-{ten}{one}") })).collect();
        let created = data(&client, "createUsersBatch", json!({ "list": users })).await.unwrap();
        assert_eq!(created.as_array().unwrap().len(), 10);
    }
    let page = |page, limit| json!({ "options": { "pagination": { "page": page, "limit": limit } } });
    let second = data(&client, "listUsers", page(2, 50)).await.unwrap();
    let (total, list) = (second["totalCount"].as_u64().unwrap(), second["list"].as_array().unwrap());
    assert_eq!(list.len() as u64, total - 50);
    assert_eq!(data(&client, "listUsers", page(9, 50)).await.unwrap()["list"], json!([]));
    assert_eq!(data(&client, "listUsers", json!({})).await.unwrap()["list"].as_array().unwrap().len(), 10);
    let mut names = Vec::new();
    let mut items = client.list_users().body(genauth::types::ListUsersRequestDto::builder()).items();
    while let Some(user) = items.next().await {
        names.extend(user.unwrap().username);
    }
    assert!(names.iter().any(|name| name == "user-00") && names.iter().any(|name| name == "user-69"));
    assert_eq!(names.iter().filter(|name| name.starts_with("user-")).count(), 70);
}

/// Creating a row, and listing some, costs no more than the rows that are asked for.
#[tokio::test]
async fn ten_thousand_are_no_trouble() {
    const USERS: usize = 10_000;
    let (server, client) = start().await;
    for some in 0..USERS / 50 {
        let users: Vec<Value> = (0..50).map(|one| json!({ "username": format!("user-{some}-{one}") })).collect();
        data(&client, "createUsersBatch", json!({ "list": users })).await.unwrap();
    }
    server.take_requests();
    let mut names = std::collections::HashSet::new();
    let mut items = client.list_users().body(genauth::types::ListUsersRequestDto::builder()).items();
    while let Some(user) = items.next().await {
        let user = user.unwrap();
        // Somebody deletes rows that were read already.
        if names.len() % 100 == 7 {
            data(&client, "deleteUsersBatch", json!({ "userIds": [user.user_id] })).await.unwrap();
        }
        names.extend(user.username);
    }
    assert!((0..USERS).all(|user| names.contains(&format!("user-{}-{}", user / 50, user % 50))));
}

#[tokio::test]
async fn groups_and_roles_go_by_their_codes() {
    let (_server, client) = start().await;
    let group = json!({ "code": "readers", "name": "Readers", "description": "They read.", "type": "static" });
    let created = data(&client, "createGroup", group).await.unwrap();
    assert_eq!((&created["code"], &created["name"]), (&json!("readers"), &json!("Readers")));
    assert_eq!(data(&client, "getGroup", json!({ "code": "readers" })).await.unwrap(), created);
    let listed = data(&client, "listGroups", json!({ "page": 1, "limit": 50 })).await.unwrap();
    let mut listed = listed["list"].as_array().unwrap().iter();
    assert_eq!(listed.find(|group| group["code"] == "readers").unwrap()["members"], json!([]), "nobody is in it yet");
    let renamed = json!({ "code": "readers", "description": "They read much.", "newCode": "great-readers" });
    assert_eq!(data(&client, "updateGroup", renamed).await.unwrap()["code"], "great-readers");
    assert!(data(&client, "getGroup", json!({ "code": "readers" })).await.is_err());
    assert_eq!(
        data(&client, "getGroup", json!({ "code": "great-readers" })).await.unwrap()["description"],
        "They read much."
    );
    data(&client, "deleteGroupsBatch", json!({ "codeList": ["great-readers"] })).await.unwrap();
    assert!(data(&client, "getGroup", json!({ "code": "great-readers" })).await.is_err());

    let role = |namespace: &str| json!({ "code": "editor", "namespace": namespace });
    for (namespace, description) in [("blog", "Edits the blog."), ("shop", "Edits the shop.")] {
        let role = json!({ "code": "editor", "namespace": namespace, "description": description });
        data(&client, "createRole", role).await.unwrap();
    }
    assert_eq!(data(&client, "getRole", role("shop")).await.unwrap()["description"], "Edits the shop.");
    let update = json!({ "code": "editor", "namespace": "blog", "newCode": "author", "name": "Author" });
    data(&client, "updateRole", update).await.unwrap();
    assert_eq!(
        data(&client, "getRole", json!({ "code": "author", "namespace": "blog" })).await.unwrap()["name"],
        "Author"
    );
    assert!(data(&client, "getRole", role("blog")).await.is_err());
    data(&client, "deleteRolesBatch", json!({ "codeList": ["editor"], "namespace": "blog" })).await.unwrap();
    assert!(data(&client, "getRole", role("shop")).await.is_ok());
    data(&client, "createRolesBatch", json!({ "list": [{ "code": "one" }, { "code": "two" }] })).await.unwrap();
    for code in ["one", "two"] {
        assert_eq!(data(&client, "getRole", json!({ "code": code })).await.unwrap()["code"], code);
    }
}

#[tokio::test]
async fn two_mocks_share_nothing_and_the_examples_stay() {
    let ((_one, client), (_other, stranger)) = (start().await, start().await);
    let example: Value = serde_json::from_str(genauth::OPENAPI).unwrap();
    let example = &example["paths"]["/api/v3/get-user"]["get"];
    let id =
        example["parameters"].as_array().unwrap().iter().find(|it| it["name"] == "userId").unwrap()["example"].clone();
    let answer = &example["responses"]["200"]["content"]["application/json"]["example"]["data"];
    data(&client, "deleteUsersBatch", json!({ "userIds": [id] })).await.unwrap();
    assert_eq!(&data(&client, "getUser", json!({ "userId": id })).await.unwrap(), answer);
    let created = data(&client, "createUser", json!({ "username": "zhang" })).await.unwrap();
    assert!(data(&stranger, "getUser", json!({ "userId": created["userId"] })).await.is_err());
}
