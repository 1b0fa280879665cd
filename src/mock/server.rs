//! A running mock, as a test uses it.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::Arc;

use http::Method;
use tokio::task::JoinHandle;

use super::answer::MockAnswer;
use super::request::RecordedRequest;
use super::script::{MockTarget, Scope};
use super::service::Service;
use super::{management, users};

/// A running server of the described API on a port of 127.0.0.1. Dropping it stops it: the listener and every
/// connection close as soon as the runtime gets to run.
///
/// It runs on the Tokio runtime that [`start`](Self::start) was called on; a current-thread one is enough.
pub struct MockGenAuth {
    pub(super) url: String,
    pub(super) service: Arc<Service>,
    pub(super) server: JoinHandle<Infallible>,
}

impl MockGenAuth {
    /// The id of the GenAuth app that every mock knows.
    pub const APP_ID: &'static str = "mock-genauth-app";
    /// The secret of [`APP_ID`](Self::APP_ID).
    pub const APP_SECRET: &'static str = "mock-genauth-app-secret";
    /// The id of the access key that every mock knows.
    pub const ACCESS_KEY_ID: &'static str = "mock-access-key";
    /// The secret of [`ACCESS_KEY_ID`](Self::ACCESS_KEY_ID).
    pub const ACCESS_KEY_SECRET: &'static str = "mock-access-key-secret";
    /// The id of the user pool that management tokens are for.
    pub const USERPOOL_ID: &'static str = management::USERPOOL_ID;
    /// The account of a user whom every mock knows.
    pub const USER_ACCOUNT: &'static str = users::ACCOUNT;
    /// The password of [`USER_ACCOUNT`](Self::USER_ACCOUNT).
    pub const USER_PASSWORD: &'static str = "mock-user-password";
    /// The access token of that user, which every mock knows even before the user signs in.
    pub const USER_ACCESS_TOKEN: &'static str = users::ACCESS_TOKEN;

    /// Returns where the mock listens, `http://127.0.0.1:PORT`, without a slash at the end and without
    /// [`path_prefix`](super::MockGenAuthBuilder::path_prefix).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a builder for a client of this mock, with the app that it knows.
    pub fn client_builder(&self) -> crate::ClientBuilder {
        crate::Client::builder(self.url.as_str()).app(Self::APP_ID, Self::APP_SECRET)
    }

    /// Queues an answer for the next request, whatever it asks for, after those that are already queued. The request is
    /// recorded; none of its headers, credentials and fields are checked, unless the answer is [`MockAnswer::proceed`].
    /// If requests run at the same time, use [`on`](Self::on) to say which of them the answer is for.
    pub fn answer_next(&self, answer: MockAnswer) {
        self.service.script.push(answer);
    }

    /// Returns the requests for the operation with this `operationId`, to set their answers.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the document has no such operation, because no request could be for it.
    pub fn on(&self, operation_id: &str) -> io::Result<MockTarget<'_>> {
        if !self.service.document.has(operation_id) {
            let message = format!("there is no operation `{operation_id}`; `genauth::operations()` lists them");
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Ok(MockTarget { script: &self.service.script, target: Scope::Operation(operation_id.to_owned()) })
    }

    /// Returns the requests for this path, to set their answers, whatever their method and whether or not there is an
    /// operation. The path is the one below [`path_prefix`](super::MockGenAuthBuilder::path_prefix), without a query; a
    /// `{variable}` in it stands for any one segment.
    pub fn on_path(&self, path: impl Into<String>) -> MockTarget<'_> {
        MockTarget { script: &self.service.script, target: Scope::Path(path.into()) }
    }

    /// Answers the requests of this method (HEAD as well, if it is GET) and path by calling `answer`, for an endpoint
    /// that the document lacks, or one that is to do something else. The path is as in [`on_path`](Self::on_path). The
    /// request is not checked; with [`MockAnswer::proceed`] it gets the answer that it would have got without the
    /// route. A later route of the same method and path replaces the earlier one.
    pub fn route(
        &self,
        method: Method,
        path: impl Into<String>,
        answer: impl Fn(&RecordedRequest) -> MockAnswer + Send + Sync + 'static,
    ) {
        self.service.script.add_route(method, path.into(), Arc::new(answer));
    }

    /// Returns the requests so far, the oldest first; if there were more, the last 10,000, and of those the last 16
    /// MiB. It is empty for a mock that [records nothing](super::MockGenAuthBuilder::record_nothing).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.log.copy()
    }

    /// Returns the same as [`requests`](Self::requests), and clears the record.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.service.log.take()
    }

    /// Returns the AppId of the WeChat app in the document's example request, which every mock knows; empty if the
    /// document has no such example.
    pub fn wechat_app_id(&self) -> &str {
        self.service.document.wechat_apps().next().map_or("", |(id, _)| id)
    }

    /// Returns the AppSecret that belongs to [`wechat_app_id`](Self::wechat_app_id).
    pub fn wechat_app_secret(&self) -> &str {
        self.service.document.wechat_apps().next().map_or("", |(_, secret)| secret)
    }

    /// Replaces the WeChat access token of `app_id`, as if another system had refreshed it: the next request gets the
    /// new one, and the old one is good for another 300 seconds at most. Returns false if the mock does not know the
    /// WeChat app.
    pub fn rotate(&self, app_id: &str) -> bool {
        self.service.wechat.rotate(app_id, self.service.clock.now())
    }

    /// Invalidates the management tokens that were handed out so far; later ones are good.
    pub fn revoke_management_tokens(&self) {
        self.service.gate.management.revoke_all();
    }

    /// Whether WeChat would still accept `token`: this mock handed it out, it has not expired, and it is either the
    /// current one of its app or was replaced less than 300 seconds ago.
    pub fn token_is_alive(&self, token: &str) -> bool {
        self.service.wechat.is_alive(token, self.service.clock.now())
    }
}

impl Drop for MockGenAuth {
    fn drop(&mut self) {
        // The task owns the listener and all connections, so they go with it.
        self.server.abort();
    }
}

/// Shows only the address, because what a mock knows and has recorded is as secret as what was sent to it.
impl fmt::Debug for MockGenAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockGenAuth").field("url", &self.url).finish_non_exhaustive()
    }
}
