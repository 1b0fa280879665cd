//! What holds for every operation of the document, whichever are added: no operation is named here.

use genauth::mock::{MockAnswer, MockGenAuth, RecordedRequest};
use genauth::{CallOptions, Client, Credential, ErrorKind, Operation, operations};
use serde_json::{Map, Value, json};

fn document() -> Value {
    serde_json::from_str(genauth::OPENAPI).unwrap()
}

fn described<'a>(document: &'a Value, operation: &Operation) -> &'a Value {
    &document["paths"][operation.path][operation.method.as_str().to_ascii_lowercase()]
}

/// The document's example request: the parameters and the body's fields side by side, as `invoke` takes them.
fn example_request(document: &Value, operation: &Operation) -> Map<String, Value> {
    let described = described(document, operation);
    let body = &described["requestBody"]["content"]["application/json"]["example"];
    let mut fields = body.as_object().cloned().unwrap_or_default();
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        fields.insert(parameter["name"].as_str().unwrap().to_owned(), parameter["example"].clone());
    }
    fields
}

fn example_answer<'a>(document: &'a Value, operation: &Operation) -> &'a Value {
    &described(document, operation)["responses"]["200"]["content"]["application/json"]["example"]
}

/// The texts that the example's query holds, each with its parameter's name. Where nested values put their brackets is
/// for another test.
fn example_query(document: &Value, operation: &Operation) -> Vec<(String, String)> {
    fn texts(value: &Value) -> Vec<String> {
        match value {
            Value::Array(items) => items.iter().flat_map(texts).collect(),
            Value::Object(fields) => fields.values().flat_map(texts).collect(),
            Value::String(text) => vec![text.clone()],
            other => vec![other.to_string()],
        }
    }
    let parameters = described(document, operation)["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    let pairs = in_query.flat_map(|parameter| {
        let name = parameter["name"].as_str().unwrap();
        texts(&parameter["example"]).into_iter().map(move |text| (name.to_owned(), text))
    });
    sorted(pairs)
}

fn sent_query(request: &RecordedRequest) -> Vec<(String, String)> {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let name = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    sorted(form_urlencoded::parse(query.as_bytes()).map(|(key, value)| (name(&key), value.into_owned())))
}

fn sorted(pairs: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort();
    pairs
}

/// A client that holds every kind of credential.
fn client(server: &MockGenAuth) -> Client {
    let builder = server.client_builder().user_access_token(MockGenAuth::USER_ACCESS_TOKEN);
    builder.access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET).build().unwrap()
}

#[test]
fn the_table_holds_every_operation_of_the_document_as_described_there() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(operations().len(), paths.values().map(|item| item.as_object().unwrap().len()).sum::<usize>());
    assert!(operations().is_sorted_by_key(|operation| operation.method_name));
    for operation in operations() {
        let described = described(&document, operation);
        assert_eq!(described["operationId"], operation.id);
        assert_eq!(described["summary"], operation.summary);
        assert_eq!(described["deprecated"] == true, operation.deprecated);
        assert_eq!(described["x-replaced-by"].as_str(), operation.replaced_by);
        assert_eq!(described["x-idempotent"] == true || operation.method != http::Method::POST, operation.idempotent);
        // OpenAPI cannot express the alternatives that send the app's secret in the body.
        let posts = |all: &&&[Credential]| all.contains(&Credential::ClientSecretPost);
        let posting = operation.credentials.iter().filter(posts).count();
        assert_eq!(described["security"].as_array().unwrap().len(), operation.credentials.len() - posting);
        assert_eq!(Operation::by_id(operation.id), Some(operation));
        assert_eq!(operation.replaced_by.is_some(), operation.deprecated);
        for other in operation.siblings.iter().chain(&operation.replaced_by) {
            assert!(Operation::by_id(other).is_some_and(|other| other.id != operation.id), "{other}");
        }
    }
}

/// Checks what generators for other languages rely on in the document.
#[test]
fn the_document_says_what_it_says_in_words_of_the_standard() {
    let document = document();
    for operation in operations() {
        let description = described(&document, operation)["description"].as_str().unwrap_or_default();
        assert!(!description.trim().is_empty(), "{}", operation.id);
    }
    for (name, scheme) in document["components"]["securitySchemes"].as_object().unwrap() {
        let known = scheme["type"] == "apiKey" || scheme["scheme"] == "basic" || scheme["scheme"] == "bearer";
        assert!(known, "{name}: {scheme}");
    }
    // Without a format, generators choose an integer of 32 bits, which overflows in 2038.
    let forms = document["components"]["schemas"]["UnixTimestamp"]["oneOf"].as_array().unwrap();
    assert_eq!(forms[0], json!({ "type": "integer", "format": "int64" }));
}

#[test]
fn what_takes_the_app_secret_in_the_header_takes_it_in_a_body_that_has_a_place_for_it() {
    let document = document();
    let post = |credential: &Credential| match credential {
        Credential::ClientSecretBasic => Credential::ClientSecretPost,
        other => *other,
    };
    for operation in operations() {
        let schema = &described(&document, operation)["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let name = schema.as_str().unwrap_or_default().trim_start_matches("#/components/schemas/");
        let properties = &document["components"]["schemas"][name]["properties"];
        let has_place = ["client_id", "client_secret"].iter().all(|field| properties.get(field).is_some());
        for all in operation.credentials.iter().filter(|all| all.contains(&Credential::ClientSecretBasic)) {
            let posted: Vec<Credential> = all.iter().map(post).collect();
            assert_eq!(operation.credentials.contains(&&posted[..]), has_place, "{}", operation.id);
        }
    }
}

#[tokio::test]
async fn the_example_request_passes_the_mock_servers_checks_and_reaches_the_wire_as_it_is() {
    let (document, server) = (document(), MockGenAuth::builder().strict_authorization().start().await.unwrap());
    let client = client(&server);
    for operation in operations() {
        let fields = example_request(&document, operation);
        let answer = client.invoke(operation.id, fields).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.status_code(), 200, "{}", operation.id);
        let [request] = &server.take_requests()[..] else { panic!("{}: not one request", operation.id) };
        assert_eq!(request.method, operation.method.as_str());
        let body = &described(&document, operation)["requestBody"]["content"]["application/json"]["example"];
        assert_eq!(&request.json().unwrap_or_default(), body, "{}", operation.id);
        assert_eq!(request.header("api-version"), None, "{}", operation.id);
        assert_eq!(sent_query(request), example_query(&document, operation), "{}", operation.id);
    }
}

#[tokio::test]
async fn the_example_answer_survives_the_way_through_the_generated_types() {
    let (document, server) = (document(), MockGenAuth::start().await.unwrap());
    let client = client(&server);
    for operation in operations() {
        let example = example_answer(&document, operation);
        server.answer_next(MockAnswer::envelope(example.clone()));
        let answer = client.invoke(operation.id, example_request(&document, operation)).await.unwrap();
        let mut serialized = serde_json::to_value(&answer).unwrap();
        if example.get("data").is_none() {
            serialized.as_object_mut().unwrap().remove("data");
        }
        assert_eq!(&serialized, example, "{}", operation.id);
    }
}

#[tokio::test]
async fn a_refusal_names_the_operation_and_keeps_the_codes() {
    let (document, server) = (document(), MockGenAuth::start().await.unwrap());
    let client = client(&server);
    for operation in operations() {
        let refusal = json!({ "statusCode": 499, "apiCode": 98_765, "message": "no", "requestId": "r-1", "data": {} });
        server.answer_next(MockAnswer::envelope(refusal));
        let error = client.invoke(operation.id, example_request(&document, operation)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api);
        assert_eq!((error.status_code(), error.api_code(), error.request_id()), (Some(499), Some(98_765), Some("r-1")));
        assert!(error.to_string().starts_with(&format!("{}: ", operation.id)), "{error}");
    }
}

#[tokio::test]
async fn a_payload_that_says_it_was_not_done_is_an_error_unless_it_is_to_be_an_answer() {
    let (document, server) = (document(), MockGenAuth::start().await.unwrap());
    let client = client(&server);
    let lenient = client.with_options(&CallOptions::new().allow_not_done()).unwrap();
    for operation in operations() {
        let mut envelope = example_answer(&document, operation).clone();
        let told = envelope.pointer_mut("/data/success");
        assert_eq!(told.as_deref().is_some_and(Value::is_boolean), operation.tells_success, "{}", operation.id);
        let Some(told) = told else { continue };
        *told = json!(false);
        (envelope["message"], envelope["requestId"]) = (json!("no such user"), json!("r-1"));
        server.on(operation.id).unwrap().answer_always(MockAnswer::envelope(envelope));
        let error = client.invoke(operation.id, example_request(&document, operation)).await.unwrap_err();
        let says = "the server answered statusCode 200, but `data.success: false`: it was not done (no such user)";
        assert!(error.to_string().starts_with(&format!("{}: {says}", operation.id)), "{error}");
        assert_eq!((error.kind(), error.status_code()), (ErrorKind::NotDone, Some(200)));
        assert_eq!((error.server_message(), error.request_id()), (Some("no such user"), Some("r-1")));
        assert_eq!((error.attempts(), error.is_retryable(), error.body().is_some()), (1, false, true));
        let answer = lenient.invoke(operation.id, example_request(&document, operation)).await.unwrap();
        assert_eq!(answer["success"], false);
    }
}

#[tokio::test]
async fn an_unknown_path_names_every_operation_that_can_stand_in() {
    let (document, server) = (document(), MockGenAuth::builder().path_prefix("/elsewhere").start().await.unwrap());
    let client = client(&server);
    for operation in operations() {
        let error = client.invoke(operation.id, example_request(&document, operation)).await.unwrap_err();
        assert_eq!(error.http_status(), Some(http::StatusCode::NOT_FOUND));
        for sibling in operation.siblings {
            let sibling = Operation::by_id(sibling).unwrap();
            assert!(error.to_string().contains(sibling.method_name), "{error}");
            assert!(error.to_string().contains(sibling.path), "{error}");
        }
    }
}

#[tokio::test]
async fn a_missing_required_field_and_an_unknown_one_are_refused_before_anything_is_sent() {
    let (document, server) = (document(), MockGenAuth::start().await.unwrap());
    let client = client(&server);
    for operation in operations() {
        let described = described(&document, operation);
        let schema = &described["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let name = schema.as_str().unwrap_or_default().trim_start_matches("#/components/schemas/");
        for field in document["components"]["schemas"][name]["required"].as_array().into_iter().flatten() {
            let mut fields = example_request(&document, operation);
            fields.remove(field.as_str().unwrap());
            let error = client.invoke(operation.id, fields).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Request, "{error}");
        }
        let mut fields = example_request(&document, operation);
        fields.insert("noSuchField".to_owned(), json!(1));
        let error = client.invoke(operation.id, fields).await.unwrap_err();
        assert!(error.to_string().contains("a field is unknown"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_operation_that_the_document_does_not_hold_is_a_clear_error() {
    let client = Client::builder("http://127.0.0.1:9").app_id("app").build().unwrap();
    let error = client.invoke("noSuchOperation", Map::new()).await.unwrap_err();
    let detail = "there is no such operation, or the feature of its group is off; `genauth::operations()` lists them";
    assert_eq!(error.to_string(), format!("noSuchOperation: {detail}"));
}

#[tokio::test]
async fn the_mock_server_refuses_a_body_that_does_not_fit_the_documents_schema() {
    let (document, server) = (document(), MockGenAuth::start().await.unwrap());
    let client = client(&server);
    let has_body = |operation: &&Operation| described(&document, operation).get("requestBody").is_some();
    for operation in operations().iter().filter(has_body) {
        let body = json!([1, 2, 3]);
        let answer = client.call::<_, Value>(operation.method.clone(), operation.path, &body).await;
        let error = answer.expect_err(operation.id);
        assert_eq!(error.status_code(), Some(400), "{error}");
    }
}
