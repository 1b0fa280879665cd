//! What a test sets: answers for the next request, for an operation or for a path, and routes.

use std::fmt;
use std::sync::{Arc, Mutex};

use http::Method;

use super::answer::{MockAnswer, Queue};
use super::document::{DescribedOperation, is_at};
use super::lock::lock;
use super::request::RecordedRequest;

/// The function that makes the answers of a route.
type Handler = Arc<dyn Fn(&RecordedRequest) -> MockAnswer + Send + Sync>;

/// All that is set. A request takes its answer in one step, so that no two requests get the same one.
#[derive(Default)]
pub(super) struct Script(Mutex<Lines>);

#[derive(Default)]
struct Lines {
    /// The answers for the next requests, whatever these ask for.
    any: Queue,
    /// The rules, in the order in which they were first set.
    rules: Vec<Rule>,
    routes: Vec<(Method, String, Handler)>,
}

struct Rule {
    scope: Scope,
    next: Queue,
    always: Option<MockAnswer>,
}

/// Which requests a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// The requests for the operation with this id.
    Operation(String),
    /// The requests for this path.
    Path(String),
}

impl Scope {
    fn is_met(&self, path: &str, operation: Option<&DescribedOperation>) -> bool {
        match self {
            Self::Operation(id) => operation.is_some_and(|operation| operation.id == *id),
            Self::Path(described) => is_at(described, path),
        }
    }
}

impl Script {
    pub(super) fn push(&self, answer: MockAnswer) {
        lock(&self.0).any.push(answer);
    }

    /// Returns the answer for one request. Queued answers come before those that are set for good; without either, the
    /// answer is to proceed.
    pub(super) fn answer(&self, path: &str, operation: Option<&DescribedOperation>) -> MockAnswer {
        let Lines { any, rules, .. } = &mut *lock(&self.0);
        let mut met: Vec<_> = rules.iter_mut().filter(|rule| rule.scope.is_met(path, operation)).collect();
        any.next()
            .or_else(|| met.iter_mut().find_map(|rule| rule.next.next()))
            .or_else(|| met.iter().find_map(|rule| rule.always.clone()))
            .unwrap_or_else(MockAnswer::proceed)
    }

    pub(super) fn add_route(&self, method: Method, path: String, handler: Handler) {
        let routes = &mut lock(&self.0).routes;
        routes.retain(|(known, at, _)| (known, at) != (&method, &path));
        routes.push((method, path, handler));
    }

    /// Returns the answer of this request's route, if there is one. The route is called without the lock, because it
    /// may set answers as well.
    pub(super) fn route(&self, path: &str, request: &RecordedRequest) -> Option<MockAnswer> {
        let routes = lock(&self.0).routes.clone();
        let found = routes.iter().find(|(method, at, _)| method.as_str() == request.asks() && is_at(at, path));
        found.map(|(.., handler)| handler(request))
    }
}

/// The requests for one operation or path, to set their answers; from [`MockGenAuth::on`] and [`MockGenAuth::on_path`].
///
/// Such an answer takes precedence over the mock's own and over [routes](super::MockGenAuth::route). An answer that was
/// queued by [`MockGenAuth::answer_next`] takes precedence over it. If an operation and its path both have an answer,
/// the one whose target was set first is used. None of the request's headers, credentials and fields are checked,
/// unless the answer is [`MockAnswer::proceed`].
///
/// [`MockGenAuth::on`]: super::MockGenAuth::on
/// [`MockGenAuth::on_path`]: super::MockGenAuth::on_path
/// [`MockGenAuth::answer_next`]: super::MockGenAuth::answer_next
#[derive(Debug)]
#[must_use = "it does nothing until it is given an answer"]
pub struct MockTarget<'a> {
    pub(super) script: &'a Script,
    pub(super) target: Scope,
}

impl MockTarget<'_> {
    /// Queues an answer for the next of these requests, or for as many as its [`times`](MockAnswer::times) says, after
    /// those that are already queued for them.
    pub fn answer_next(&self, answer: MockAnswer) {
        self.rule(|rule| rule.next.push(answer));
    }

    /// Sets the answer for each of these requests that has no queued one, until another is set.
    pub fn answer_always(&self, answer: MockAnswer) {
        self.rule(|rule| rule.always = Some(answer));
    }

    /// Removes what was set and queued for these requests.
    pub fn answer_as_usual(&self) {
        lock(&self.script.0).rules.retain(|rule| rule.scope != self.target);
    }

    fn rule(&self, change: impl FnOnce(&mut Rule)) {
        let rules = &mut lock(&self.script.0).rules;
        let index = rules.iter().position(|rule| rule.scope == self.target).unwrap_or(rules.len());
        if index == rules.len() {
            rules.push(Rule { scope: self.target.clone(), next: Queue::default(), always: None });
        }
        change(&mut rules[index]);
    }
}

/// Does not show the answers, which may hold secrets.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}
