//! How many instructions a call takes, over the same call on bare `reqwest`, and how many a token from the cache takes.
//! Unlike time, they are the same whatever else the machine does.
//!
//!     cargo bench -p genauth-benches --bench instructions
//!
//! valgrind counts them; without it this says so and does nothing. Only the client's side is counted, by the difference
//! between many calls and few. The run fails if a count is above what is promised here.

use common::{Server, Sides, app, runtime};
use genauth::wechat::TokenCache;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The most instructions that a call may take, over those on bare reqwest.
const RATIO: f64 = 1.03;
/// The most instructions that a token from the cache may take.
const GET: f64 = 300.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [serve] if serve == "serve" => {
            println!("{}", Server::start(Duration::ZERO).url);
            // The server runs until the process that started it is gone.
            let _ = std::io::stdin().lines().count();
        }
        [what, calls] => run(what, calls.parse().expect("a number of calls")),
        _ => return report(),
    }
    ExitCode::SUCCESS
}

/// Runs under valgrind. The server is a process of its own, so that it is not counted.
fn run(what: &str, calls: usize) {
    let executable = std::env::current_exe().expect("this program");
    let mut server =
        Command::new(executable).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a server");
    let mut url = String::new();
    BufReader::new(server.stdout.take().expect("its output")).read_line(&mut url).expect("its URL");
    let sides = Sides::of(url.trim());
    runtime().block_on(async {
        let tokens = TokenCache::new(sides.client.clone()).app(&app());
        for _ in 0..calls {
            match what {
                "ours" => sides.ours().await,
                "bare" => sides.bare().await,
                _ => tokens.get().await.expect("a token").expose_secret().len(),
            };
        }
    });
    drop(server.stdin.take());
    let _ = server.wait();
}

fn report() -> ExitCode {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("SKIPPED: instructions are counted by valgrind, which is not installed");
        return if std::env::var_os("GENAUTH_CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let [bare, ours, get] = ["bare", "ours", "get"].map(each);
    let ratio = ours / bare;
    println!("instructions a call  {ratio:.3} of bare reqwest; {ours:.0}, bare: {bare:.0}");
    println!("instructions a token {get:.0} from the cache");
    let kept = ratio <= RATIO && get <= GET;
    println!("promised             {RATIO} and {GET}: {}", if kept { "kept" } else { "broken" });
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many instructions one call takes.
fn each(what: &str) -> f64 {
    const FEW: usize = 200;
    const MANY: usize = 1200;
    (counted(what, MANY) - counted(what, FEW)) / (MANY - FEW) as f64
}

fn counted(what: &str, calls: usize) -> f64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let run = valgrind.arg(std::env::current_exe().expect("this program")).args([what, &calls.to_string()]);
    let run = run.output().expect("valgrind");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    let count = said.lines().find_map(|line| line.split_once("Collected :")).expect("a count").1;
    count.trim().parse().expect("a number")
}
