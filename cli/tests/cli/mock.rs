//! `genauth mock`.

use crate::program::{Served, genauth};

#[test]
fn a_client_in_another_process_gets_a_token_and_the_log_tells_it() {
    let served = Served::with(&[]);
    let token = served.call(&["token", "-f", "value"]).run().ok();
    assert!(token.starts_with("61_mock_"), "{token}");
    served.call(&["token"]).env("WECHAT_APP_SECRET", "wrong").run().fails(6);
    let call = || served.call(&["call", "GET", "/api/v3/x?secret=canary"]);
    assert!(call().run().fails(3).contains("it is not known which of them this endpoint takes; leave one out"));
    call().env("GENAUTH_ACCESS_KEY_ID", "").env("GENAUTH_ACCESS_KEY_SECRET", "").run().fails(6);
    let log = served.stop();
    let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        lines,
        [
            "POST /api/v3/get-wechat-access-token-info: HTTP 200, statusCode 200",
            "POST /api/v3/get-wechat-access-token-info: HTTP 200, statusCode 602: invalid appsecret",
            "GET /api/v3/x: HTTP 404, statusCode 404: Cannot GET /api/v3/x",
        ]
    );
}

#[test]
fn every_fault_makes_the_failure_that_it_is_called_after() {
    for (fault, code) in [
        ("http-500=1", 6),
        ("http-503=1", 5),
        ("html=1", 5),
        ("broken-json=1", 5),
        ("empty-data=1", 5),
        ("rate-limit=1", 6),
        ("refused=1", 6),
        ("redirect=1", 5),
        ("hang-up=1", 4),
        ("slow=1", 4),
    ] {
        let served = Served::with(&["--fault", fault, "--quiet"]);
        served.call(&["token", "--timeout", "0.3", "--retries", "0"]).run().fails(code);
        served.call(&["token"]).run().ok();
        assert_eq!(served.stop(), "");
    }
    let served = Served::with(&["--fault", "html=1", "--fault", "refused"]);
    for code in [5, 6, 6] {
        served.call(&["token"]).run().fails(code);
    }
    let elsewhere =
        Served::with(&["--fault", "http-500@getProfile", "--fault", "html@/api/v3/get-wechat-access-token-info=1"]);
    for code in [5, 0] {
        assert_eq!(elsewhere.call(&["token"]).run().code, code);
        let profile = elsewhere.call(&["api", "get-profile", "--access-token-file", "-"]);
        profile.stdin("mock-user-access-token").run().fails(6);
    }
    let missing = Served::with(&[
        "--fault",
        "missing=getWechatMpAccessTokenInfo",
        "--fault",
        "text-expiry",
        "--fault",
        "short-lived=90",
    ]);
    missing.call(&["token"]).run().fails(6);
    let run = missing.call(&["token", "--operation", "getWechatAccessToken"]).run();
    assert!(run.stdout.contains("in 2 min") || run.stdout.contains("in 1 min"), "{run:?}");
}

/// How much of a process is in memory, in KiB.
#[cfg(target_os = "linux")]
fn resident(served: &Served) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_what_was_asked_stays_in_memory() {
    use std::io::{Read as _, Write as _};
    let served = Served::with(&["--quiet"]);
    let ask = || {
        let mut stream = std::net::TcpStream::connect(served.url().strip_prefix("http://").unwrap()).unwrap();
        let head = "POST / HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: 1048576\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b'x'; 1 << 20]).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    };
    ask();
    let before = resident(&served);
    (0..32).for_each(|_| ask());
    let more = resident(&served).saturating_sub(before);
    assert!(more < 8 << 10, "{more} KiB more after 32 MiB");
}

#[test]
fn faults_that_there_are_not_are_refused() {
    for (fault, named) in [
        ("earthquake", "there is no such kind; the kinds are http-500, "),
        ("html=often", "not a whole number"),
        ("missing", "not the id of an operation"),
        ("html@nothing=1", "neither the id of an operation nor a path"),
        ("html@getProfile=often", "not a whole number"),
        ("missing@getProfile", "there is no such kind"),
        ("missing=nothing", "not the id of an operation"),
        ("clock-skew=much", "not a number of seconds"),
    ] {
        let said = genauth(&["mock", "--port", "0", "--fault", fault]).run().fails(2);
        assert!(said.contains(named), "{said}");
    }
    assert_eq!(genauth(&["mock", "--port", "65536"]).run().code, 2);
}

#[test]
fn a_port_that_is_taken_is_refused_and_one_that_is_free_is_used() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = genauth(&["mock", "--port", &port]).run().fails(1);
    assert!(said.contains("choose another with --port"), "{said}");
}
