//! Lists as streams, against a server that has a list while others write to it.

use futures_util::{StreamExt as _, TryStreamExt as _};
use genauth::mock::{MockAnswer, MockGenAuth, RecordedRequest};
use genauth::types::{ListUsersOptionsDto, ListUsersRequestDto, PaginationDto, UserDto};
use genauth::{Client, Error, ErrorKind, Items};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server lists.
type Rows = Arc<Mutex<Vec<u64>>>;

/// A server with a list of that many groups, to which `write` does something before each answer.
async fn server(rows: u64, write: impl Fn(&mut Vec<u64>, usize) + Send + Sync + 'static) -> (MockGenAuth, Client) {
    let server = MockGenAuth::start().await.unwrap();
    let rows: Rows = Arc::new(Mutex::new((0..rows).collect()));
    let asked = Mutex::new(0);
    server.route(Method::GET, "/api/v3/list-groups", move |request| {
        let mut rows = rows.lock().unwrap();
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        write(&mut rows, *asked);
        let [page, limit] = ["page", "limit"].map(|name| number(request, name));
        assert!((1..=50).contains(&limit), "{limit}");
        MockAnswer::envelope(success(rows.iter().skip((page - 1) * limit).take(limit), rows.len()))
    });
    let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = client.retries(0).build().unwrap();
    (server, client)
}

fn success<'a>(codes: impl Iterator<Item = &'a u64>, total: usize) -> Value {
    let group = |code: &u64| {
        let (code, none) = (code.to_string(), json!([]));
        json!({ "id": code, "code": code, "name": "", "description": "", "type": "static", "metadataSource": none,
            "members": none })
    };
    let list: Vec<Value> = codes.map(group).collect();
    json!({ "statusCode": 200, "message": "", "data": { "totalCount": total, "list": list } })
}

fn number(request: &RecordedRequest, name: &str) -> usize {
    let query = request.path.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).unwrap().1.parse().unwrap()
}

async fn codes(items: Items<genauth::types::GroupPagingDto>) -> Result<Vec<u64>, Error> {
    items.map_ok(|group| group.code.parse::<u64>().unwrap()).try_collect().await
}

fn windows(server: &MockGenAuth) -> usize {
    server.requests().iter().filter(|request| request.path.starts_with("/api/v3/list-groups")).count()
}

#[tokio::test]
async fn a_hundred_thousand_rows_come_while_others_write() {
    const ROWS: u64 = 100_000;
    // Each time a row that was read is deleted and another is added: the total stays, but each window would miss a row.
    let (server, client) = server(ROWS, |rows, asked| {
        if asked % 7 == 0 {
            rows.remove(asked * 3 % 40);
            rows.push(ROWS + asked as u64);
        }
    })
    .await;
    let given = codes(client.list_groups().items()).await.unwrap();
    let all: BTreeSet<u64> = given.iter().copied().collect();
    assert_eq!(all.len(), given.len(), "none comes twice");
    // The rows that were deleted had been read before.
    assert!((0..ROWS).all(|row| all.contains(&row)));
    let windows = windows(&server);
    println!("{ROWS} rows in {windows} windows");
    assert!(windows < 5000);
}

#[tokio::test]
async fn a_list_at_rest_costs_few_requests_and_its_pages_say_how_many_there_are() {
    let (server, client) = server(1000, |_, _| {}).await;
    let pages: Vec<_> = client.list_groups().pages().try_collect().await.unwrap();
    assert!(pages.iter().all(|page| page.total_count == 1000 && page.status_code() == 200 && !page.list.is_empty()));
    assert_eq!(pages.iter().map(|page| page.list.len()).sum::<usize>(), 1000);
    assert!(windows(&server) <= 25, "{}", windows(&server));
    let pages: Vec<_> = client.list_groups().page(49).limit(20).pages().try_collect().await.unwrap();
    let codes: Vec<&str> = pages.iter().flat_map(|page| &page.list).map(|group| group.code.as_str()).collect();
    assert_eq!((codes.len(), codes[0]), (40, "960"));
}

#[tokio::test]
async fn an_empty_list_is_one_page_and_no_row() {
    let (server, client) = server(0, |_, _| {}).await;
    assert!(codes(client.list_groups().items()).await.unwrap().is_empty());
    let mut pages = client.list_groups().pages();
    assert_eq!(pages.next().await.unwrap().unwrap().total_count, 0);
    assert!(pages.next().await.is_none() && pages.next().await.is_none());
    assert_eq!(windows(&server), 2);
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_polled_and_one_page_is_fetched_ahead() {
    let (server, client) = server(1000, |_, _| {}).await;
    let mut items = client.list_groups().items();
    tokio::task::yield_now().await;
    assert_eq!(windows(&server), 0);
    assert_eq!(items.next().await.unwrap().unwrap().code, "0");
    while windows(&server) < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(windows(&server), 2);
    // Reading what was fetched ahead asks for nothing more, and neither does dropping the stream.
    for _ in 1..50 {
        items.next().await.unwrap().unwrap();
    }
    assert_eq!(windows(&server), 2);
    drop(items);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(windows(&server), 2);
}

#[tokio::test]
async fn a_body_stays_as_it_is_but_for_its_page() {
    let server = MockGenAuth::start().await.unwrap();
    let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET);
    let client = client.build().unwrap();
    let options =
        ListUsersOptionsDto::builder().pagination(PaginationDto::builder().page(2).limit(20)).with_custom_data(true);
    let _: Vec<UserDto> = client
        .list_users()
        .body(ListUsersRequestDto::builder().keywords("zhang").options(options))
        .items()
        .try_collect()
        .await
        .unwrap();
    let _: Vec<UserDto> = client.list_users().body(ListUsersRequestDto::builder()).items().try_collect().await.unwrap();
    let bodies: Vec<Value> = server.requests().iter().map(|request| request.json().unwrap()).collect();
    let pagination = |page, limit| json!({ "page": page, "limit": limit });
    let first = json!({ "keywords": "zhang", "options": { "pagination": pagination(2, 20), "withCustomData": true } });
    assert_eq!(bodies, [first, json!({ "options": { "pagination": pagination(1, 50) } })]);
}

#[tokio::test]
async fn an_error_ends_it_and_says_what_is_wrong() {
    let (server, client) = server(1000, |_, _| {}).await;
    let mut items = client.list_groups().items();
    for _ in 0..60 {
        items.next().await.unwrap().unwrap();
    }
    server.on("listGroups").unwrap().answer_always(MockAnswer::error(403, 1576, "no"));
    let rest: Vec<Result<_, Error>> = items.collect().await;
    let (last, before) = rest.split_last().unwrap();
    assert_eq!(last.as_ref().unwrap_err().status_code(), Some(403));
    assert!(before.iter().all(Result::is_ok) && before.len() < 100);
    server.on("listGroups").unwrap().answer_as_usual();

    let asked = windows(&server);
    for (error, says) in [
        (codes(client.list_groups().page(0).items()).await, "`page` counts from 1"),
        (codes(client.list_groups().limit(-5).items()).await, "`limit` counts from 1"),
    ] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().contains(says), "{error}");
    }
    let missing = client.list_group_members().items().next().await.unwrap().unwrap_err();
    assert!(missing.to_string().contains("`code` is not set; set it"), "{missing}");
    assert_eq!(windows(&server), asked);

    let few: Vec<u64> = (0..20).collect();
    server.on("listGroups").unwrap().answer_always(MockAnswer::envelope(success(few.iter(), 100)));
    let error = codes(client.list_groups().items()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
    assert!(error.to_string().contains("asked for 50 rows of 100, the server sent 20"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let (server, client) = server(500, |_, _| {}).await;
    let begin = tokio::time::Instant::now();
    codes(client.list_groups().items().at_most(4)).await.unwrap();
    let asked = windows(&server) as u32;
    let least = Duration::from_millis(250) * (asked - 1);
    assert!(begin.elapsed() >= least && begin.elapsed() < least + Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn a_runtime_that_ends_is_an_error_and_no_end_of_the_list() {
    let one = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (server, mut items) = one.block_on(async {
        let (server, client) = server(500, |_, _| {}).await;
        let mut items = client.list_groups().items();
        items.next().await.unwrap().unwrap();
        (server, items)
    });
    drop(server);
    one.shutdown_background();
    let error = other.block_on(async {
        loop {
            match items.next().await.expect("an error comes before the end") {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    });
    assert!(matches!(error.kind(), ErrorKind::Transport | ErrorKind::Connect), "{error}");
}
