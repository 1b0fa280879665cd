//! The faults that the mock can have.

use crate::clock;
use crate::failure::Failure;
use genauth::Operation;
use genauth::mock::{ExpiresAt, MockAnswer, MockGenAuth, MockGenAuthBuilder};
use serde_json::json;
use std::time::Duration;

/// This is longer than a client waits by default.
const SLOW: Duration = Duration::from_secs(15);

/// A kind of fault: its name, its description, and the answer.
type FaultyAnswer = (&'static str, &'static str, fn() -> MockAnswer);

/// The faults of single answers. `=N` limits one to N requests; otherwise it is for all.
const ANSWERS: &[FaultyAnswer] = &[
    ("http-500", "HTTP 500, with JSON", || json(500, "internal error")),
    ("http-503", "HTTP 503, with the page of a gateway", || MockAnswer::http(503, "text/html", "<h1>busy</h1>")),
    ("html", "HTTP 200, with a page instead of JSON", || MockAnswer::http(200, "text/html", "<h1>Welcome</h1>")),
    ("broken-json", "an answer that ends too soon", || MockAnswer::http(200, "application/json", "{\"statusCode\":")),
    ("empty-data", "success without data", MockAnswer::empty_data),
    ("rate-limit", "HTTP 429", || json(429, "too many requests").header("retry-after", "60")),
    ("refused", "statusCode 602: WeChat refuses", || MockAnswer::error(602, None, "invalid appid")),
    ("redirect", "HTTP 302, to another host", || {
        MockAnswer::http(302, "text/html", "").header("location", "https://elsewhere.example/")
    }),
    ("hang-up", "the connection closes without an answer", MockAnswer::hang_up),
    ("slow", "the right answer, after 15 s", || MockAnswer::proceed().delay(SLOW)),
];

/// The faults of the server, each with an optional value after `=`.
const SERVER: &[(&str, &str)] = &[
    ("clock-skew", "its clock is that many SECONDS ahead, or behind with a minus; 3600 otherwise"),
    ("missing", "it does not have the operation with this id, such as getWeixinAccessToken"),
    ("short-lived", "WeChat tokens live for that many SECONDS; 60 otherwise"),
    ("text-expiry", "`expiresAt` is a text, as some servers write it"),
];

pub(crate) enum Fault {
    Answer {
        answer: MockAnswer,
        /// How many requests it is for; all if `None`.
        times: Option<usize>,
        /// The operation or path that it is for; all if `None`.
        at: Option<String>,
    },
    ClockSkew(i64),
    Missing(&'static str),
    ShortLived(Duration),
    TextExpiry,
}

fn json(status: u16, message: &str) -> MockAnswer {
    MockAnswer::http(status, "application/json", json!({ "statusCode": status, "message": message }).to_string())
}

/// The list for `--help`.
pub(crate) fn help() -> String {
    let rows = ANSWERS.iter().map(|(name, what, _)| (*name, *what));
    let row = |(name, what): (&str, &str)| format!("  {name:12} {what}\n");
    let answers: String = rows.map(row).collect();
    let server: String = SERVER.iter().copied().map(row).collect();
    format!(
        "A fault to inject; may be given more than once. Of these, KIND=N is for the next N requests, one kind after \
         the other, and KIND without N for all. KIND@WHERE and KIND@WHERE=N are only for the requests of one operation \
         or path, such as http-500@getProfile=1 or slow@/api/v3/signin:\n\n{answers}\n\
         These are faults of the server itself:\n\n{server}"
    )
}

impl Fault {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let (kind, value) = text.split_once('=').map_or((text, None), |(kind, value)| (kind, Some(value)));
        let unfit = |wanted: &str| Failure::usage(format!("--fault {kind}: what follows = is not {wanted}"));
        let number = |value: &str| value.parse::<u32>().map_err(|_| unfit("a whole number"));
        let (name, at) = kind.split_once('@').map_or((kind, None), |(name, at)| (name, Some(at)));
        if let Some((_, _, answer)) = ANSWERS.iter().find(|(known, _, _)| *known == name) {
            if at.is_some_and(|at| !at.starts_with('/') && Operation::by_id(at).is_none()) {
                let wanted = "what follows @ is neither the id of an operation nor a path";
                return Err(Failure::usage(format!("--fault {kind}: {wanted}")));
            }
            let times = value.map(number).transpose()?.map(|times| usize::try_from(times).unwrap_or(usize::MAX));
            return Ok(Self::Answer { answer: answer(), times, at: at.map(str::to_owned) });
        }
        match kind {
            "clock-skew" => {
                let seconds =
                    value.map(|value| value.parse::<i32>().map_err(|_| unfit("a number of seconds"))).transpose()?;
                Ok(Self::ClockSkew(seconds.unwrap_or(3600).into()))
            }
            "missing" => {
                let operation = value.and_then(Operation::by_id);
                operation.map(|operation| Self::Missing(operation.id)).ok_or_else(|| unfit("the id of an operation"))
            }
            "short-lived" => {
                let seconds = value.map(number).transpose()?.unwrap_or(60);
                Ok(Self::ShortLived(Duration::from_secs(seconds.into())))
            }
            "text-expiry" if value.is_none() => Ok(Self::TextExpiry),
            _ => {
                let known = ANSWERS.iter().map(|(name, _, _)| *name).chain(SERVER.iter().map(|(name, _)| *name));
                Err(Failure::usage(format!(
                    "--fault: there is no such kind; the kinds are {}",
                    known.collect::<Vec<_>>().join(", ")
                )))
            }
        }
    }

    pub(crate) fn build(&self, builder: MockGenAuthBuilder) -> MockGenAuthBuilder {
        match *self {
            Self::ClockSkew(seconds) => builder.clock(move || {
                let by = Duration::from_secs(seconds.unsigned_abs());
                let now = clock::now();
                if seconds < 0 { now.checked_sub(by) } else { now.checked_add(by) }.unwrap_or(now)
            }),
            Self::Missing(operation) => builder.without(operation),
            Self::ShortLived(lifetime) => builder.token_lifetime(lifetime),
            Self::TextExpiry => builder.expires_at_as(ExpiresAt::String),
            Self::Answer { .. } => builder,
        }
    }

    /// Has a running mock answer with the fault.
    pub(crate) fn set(self, server: &MockGenAuth) -> Result<(), Failure> {
        let Self::Answer { answer, times, at } = self else { return Ok(()) };
        let Some(at) = at else {
            server.answer_next(answer.times(times.unwrap_or(usize::MAX)));
            return Ok(());
        };
        let target = if at.starts_with('/') { Ok(server.on_path(at)) } else { server.on(&at) };
        let target = target.map_err(|error| Failure::usage(format!("--fault: {error}")))?;
        match times {
            Some(times) => target.answer_next(answer.times(times)),
            None => target.answer_always(answer),
        }
        Ok(())
    }
}
