//! One attempt: what goes out, and what comes.

use super::attempts::Attempts;
use super::body;
use super::call::Call;
use crate::credentials::{ManagementToken, Occasion};
use crate::{Credential, Error, ErrorKind};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::Request;
use std::sync::Arc;
use tokio::sync::SemaphorePermit;

/// An answer that came whole.
pub(crate) struct Arrival {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl<'a> Attempts<'a> {
    /// The credentials to go with it, among them a management token, which may have to be fetched.
    pub(super) async fn choose(&mut self) -> Result<&'static [Credential], Error> {
        let Call { settings, operation, ref subject, .. } = self.call;
        // One look: another task may replace the user's token while this request is under way.
        self.user = settings.credentials.user_access_token();
        let chosen = settings.credentials.choose(operation, subject, self.user.is_some());
        let chosen = chosen.map_err(|error| self.counted(error))?;
        (self.fetches, self.renewed) = (settings.management_tokens.fetches(), self.token.is_some());
        if chosen.contains(&Credential::ManagementToken) && self.token.is_none() {
            let token = Box::pin(self.management_token(None)).await.map_err(|error| self.counted(error))??;
            self.token = Some(token);
        }
        Ok(chosen)
    }

    /// The token to send, instead of one that was `rejected`. The inner error is that of the call that fetches it, the outer
    /// one says that this call has no time for that.
    pub(super) async fn management_token(
        &self,
        rejected: Option<&Arc<ManagementToken>>,
    ) -> Result<Result<Arc<ManagementToken>, Error>, Error> {
        let settings = self.call.settings;
        let client = crate::Client { settings: settings.clone() };
        self.call.in_time(settings.management_tokens.get(&client, rejected)).await
    }

    /// Waits until there are not too many requests under way.
    pub(super) async fn turn(&self) -> Result<Option<SemaphorePermit<'a>>, Error> {
        let Some(turns) = &self.call.settings.concurrency else { return Ok(None) };
        let turn = Box::pin(self.call.in_time(turns.acquire())).await;
        turn.map(Result::ok).map_err(|error| self.counted(error))
    }

    /// The request as it goes out.
    pub(super) fn request_with(&self, chosen: &[Credential]) -> Result<Request, Error> {
        let Call { settings, ref subject, .. } = self.call;
        let request = self.request.try_clone();
        let mut request = request.ok_or_else(|| self.call.error(ErrorKind::Request, "its body is a stream"))?;
        // Room for what most calls have.
        let mut headers = HeaderMap::with_capacity(6);
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        for (name, value) in &settings.headers {
            headers.insert(name, value.clone());
        }
        *request.headers_mut() = headers;
        let occasion = Occasion {
            subject,
            base_path: settings.host.base_path(),
            now: (settings.now)(),
            user_access_token: self.user.as_ref(),
            management_token: self.token.as_deref(),
        };
        settings.credentials.apply(chosen, &mut request, &occasion).map_err(|error| self.counted(error))?;
        if settings.foreign_http_client {
            // A client from outside may follow redirects, and would send the body again, to wherever it is told. A body
            // that looks like a stream cannot be sent twice.
            if let Some(body) = request.body_mut().take() {
                *request.body_mut() = Some(reqwest::Body::wrap(body));
            }
        }
        Ok(request)
    }

    /// Sends it. With the error come the headers of the answer, if there was one.
    pub(super) fn deliver(
        &mut self,
        mut request: Request,
    ) -> impl Future<Output = Result<Arrival, (Error, HeaderMap)>> {
        let call = &self.call;
        let settings = call.settings;
        let left = call.left();
        let allowed = settings.attempt_timeout.map_or(left, |most| most.min(left));
        let mut sent_to = None;
        if settings.foreign_http_client {
            // It may have a time limit of its own, and this one counts.
            *request.timeout_mut() = Some(allowed);
            sent_to = Some(self.request.url());
        }
        self.made += 1;
        let sent = settings.http.execute(request);
        async move {
            let mut response = None;
            let exchanged = async {
                let answer = sent.await.map_err(|error| body::broken(call, error))?;
                body::read(call, response.insert(answer), sent_to).await
            };
            // Not by reqwest, which allocates several times for it.
            let body = tokio::time::timeout(allowed, exchanged).await.unwrap_or_else(|_| Err(call.time_is_over()));
            let Some(mut response) = response else {
                return Err((body.err().unwrap_or_else(|| call.time_is_over()), HeaderMap::new()));
            };
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            match body {
                Ok(body) => Ok(Arrival { status, headers, body }),
                Err(error) => Err((error.with(|error| error.http_status = Some(status)), headers)),
            }
        }
    }
}
