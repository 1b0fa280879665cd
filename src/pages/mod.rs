//! Lists as streams of their pages, and of their rows.
//!
//! [`position`] decides what to ask for next and which rows of an answer are new; this file sends the requests.

mod place;
mod position;

pub use self::place::PagePlace;

use self::position::{Next, Position};
use crate::client::Settings;
use crate::{Error, ErrorKind, Operation, Response};
use futures_core::Stream;
use reqwest::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};
use tracing::Instrument as _;

/// The payload of an operation that returns a page of a list: `totalCount` and `list`. The build implements it.
pub trait Paging: DeserializeOwned + Send + 'static {
    /// A row of the list.
    type Row: Serialize + Send + Unpin + 'static;

    /// Returns the rows of this page.
    fn rows(&mut self) -> &mut Vec<Self::Row>;

    /// Returns how many rows there are on all pages.
    fn total(&self) -> u64;
}

/// A list, page by page: a [`Stream`] that the method `pages` of an operation's builder makes.
///
/// Nothing is sent before it is first polled; from then on one page is fetched ahead, by a task that ends when this is
/// dropped. It ends after an error. It starts at `page` (1 if none is set) and asks for up to 50 rows at a time, or for
/// `limit` (20 to 50).
///
/// **While others write**: each window that it asks for begins before the end of the last one. If the row there is not
/// the same as before, rows have been added or removed before it, and it goes back to rows that it has seen. So a row
/// that is in the list all the time, and keeps its place among the others, comes at least once; a row that changes may
/// come again in its new state; one that is created meanwhile may or may not come. If there are more rows than have
/// come, because some changed their places, it reads the list once more, and if that does not help, ends with an error:
/// sort by what does not change, such as the time of creation. Therefore the pages are not those that the server would
/// make by `limit`, `list` only has the new rows, and reading takes about a fifth more requests.
///
/// # Errors
///
/// Those of `send`, and [`ErrorKind::Response`] for a list that cannot be read to its end: the server sends fewer rows
/// than it was asked for although there are more, or rows keep changing their places.
///
/// ```
/// # #[cfg(all(feature = "mock", feature = "organizations"))] #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use genauth::mock::MockGenAuth;
/// # let server = MockGenAuth::start().await?;
/// # let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET).build()?;
/// let mut pages = client.list_organizations().pages().at_most(300);
/// while let Some(page) = pages.next().await {
///     let page = page?;
///     println!("{} of {}", page.list.len(), page.total_count);
/// }
/// # Ok(()) }
/// # #[cfg(not(all(feature = "mock", feature = "organizations")))] fn main() {}
/// ```
#[must_use = "nothing is sent before it is polled"]
pub struct Pages<P: Paging> {
    /// The list, until the reading begins.
    list: Option<List>,
    subject: &'static str,
    pages: Option<mpsc::Receiver<Result<Response<P>, Error>>>,
    /// The task that fetches; it is aborted when this is dropped.
    task: JoinSet<()>,
}

/// The rows of a list: a [`Stream`] that the method `items` of an operation's builder makes. What is said of [`Pages`]
/// holds for it, too.
///
/// ```
/// # #[cfg(all(feature = "mock", feature = "organizations"))] #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use genauth::mock::MockGenAuth;
/// # let server = MockGenAuth::start().await?;
/// # let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET).build()?;
/// let mut organizations = client.list_organizations().items();
/// while let Some(organization) = organizations.next().await {
///     println!("{}", organization?.organization_name);
/// }
/// # Ok(()) }
/// # #[cfg(not(all(feature = "mock", feature = "organizations")))] fn main() {}
/// ```
#[must_use = "nothing is sent before it is polled"]
pub struct Items<P: Paging> {
    pages: Pages<P>,
    rows: std::vec::IntoIter<P::Row>,
}

impl<P: Paging> Pages<P> {
    pub(crate) fn new(
        settings: &Settings,
        operation: &'static Operation,
        request: Result<Request, progenitor_client::Error<()>>,
        place: PagePlace,
    ) -> Self {
        let request = request.map_err(|problem| crate::exchange::unwritable(settings, operation, problem));
        let list = List { settings: settings.clone(), operation, request, place, every: Duration::ZERO };
        Self { list: Some(list), subject: operation.id, pages: None, task: JoinSet::new() }
    }

    /// Asks for at most this many pages a second. The plan of a user pool limits its calls, often to 300 a second for
    /// all callers together.
    pub fn at_most(mut self, pages_per_second: u32) -> Self {
        if let Some(list) = &mut self.list {
            list.every = Duration::from_secs(1) / pages_per_second.max(1);
        }
        self
    }

    /// Returns the rows of the pages.
    pub fn items(self) -> Items<P> {
        Items { pages: self, rows: Vec::new().into_iter() }
    }

    /// Returns the next page; `None` at the end. It is there for code that does not use `StreamExt`.
    pub async fn next(&mut self) -> Option<Result<Response<P>, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<P: Paging> Items<P> {
    /// Does the same as [`Pages::at_most`].
    pub fn at_most(mut self, pages_per_second: u32) -> Self {
        self.pages = self.pages.at_most(pages_per_second);
        self
    }

    /// Returns the next row; `None` at the end. It is there for code that does not use `StreamExt`.
    pub async fn next(&mut self) -> Option<Result<P::Row, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<P: Paging> Stream for Pages<P> {
    type Item = Result<Response<P>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(list) = self.list.take() {
            let (sender, pages) = mpsc::channel(1);
            self.pages = Some(pages);
            self.task.spawn(list.read(sender).in_current_span());
        }
        let Some(pages) = &mut self.pages else { return Poll::Ready(None) };
        if let Some(page) = ready!(pages.poll_recv(context)) {
            return Poll::Ready(Some(page));
        }
        let ended = ready!(self.task.poll_join_next(context));
        self.pages = None;
        Poll::Ready(match ended {
            Some(Err(ended)) if ended.is_panic() => resume_unwind(ended.into_panic()),
            Some(Err(_)) => {
                let detail = "the runtime that fetches its pages was shut down; keep it until the list is read";
                Some(Err(Error::new(ErrorKind::Transport, self.subject, detail)))
            }
            _ => None,
        })
    }
}

impl<P: Paging> Stream for Items<P> {
    type Item = Result<P::Row, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(context)) {
                Some(Ok(mut page)) => self.rows = std::mem::take(page.payload.rows()).into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

// The rows are not shown, because they may hold secrets.
impl<P: Paging> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("operation", &self.subject).finish_non_exhaustive()
    }
}

impl<P: Paging> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("operation", &self.pages.subject).finish_non_exhaustive()
    }
}

/// A list that is to be read.
struct List {
    settings: Settings,
    operation: &'static Operation,
    request: Result<Request, Error>,
    place: PagePlace,
    /// The time from one request to the next.
    every: Duration,
}

impl List {
    async fn read<P: Paging>(self, pages: mpsc::Sender<Result<Response<P>, Error>>) {
        let mut reader = self.begin();
        // The next page is asked for only when there is room for it.
        while let Ok(room) = pages.reserve().await {
            let page = match &mut reader {
                Ok(reader) => reader.next().await,
                Err(error) => Err(error.clone()),
            };
            let goes_on = matches!(page, Ok(Some(_)));
            if let Some(page) = page.transpose() {
                room.send(page);
            }
            if !goes_on {
                break;
            }
        }
    }

    fn begin(self) -> Result<Reader, Error> {
        let Self { settings, operation, request, place, every } = self;
        let request = request?;
        let position = place.set_in(&request).and_then(|(page, limit)| Position::new(page, limit));
        let position = position.map_err(|detail| Error::new(ErrorKind::Request, operation.id, detail))?;
        let turns = (!every.is_zero()).then(|| {
            let mut turns = tokio::time::interval(every);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            turns
        });
        Ok(Reader { settings, operation, request, place, turns, position })
    }
}

/// A list that is being read.
struct Reader {
    settings: Settings,
    operation: &'static Operation,
    request: Request,
    place: PagePlace,
    turns: Option<Interval>,
    position: Position,
}

impl Reader {
    /// Returns the next page that has something new, or the last one; `None` after it.
    async fn next<P: Paging>(&mut self) -> Result<Option<Response<P>>, Error> {
        loop {
            let Some(window) = self.position.window() else { return Ok(None) };
            if let Some(turns) = &mut self.turns {
                turns.tick().await;
            }
            let request = self.place.put_in(&self.request, window.page(), window.limit());
            let request = request.ok_or_else(|| self.error(ErrorKind::Request, "its request cannot be sent again"))?;
            let mut page: Response<P> = crate::exchange::send(&self.settings, self.operation, Ok(request)).await?;
            let total = page.payload.total();
            let rows = page.payload.rows();
            let next = self.position.take(window, rows, total);
            match next.map_err(|detail| self.error(ErrorKind::Response, &detail))? {
                Next::Again => {}
                Next::New(is_new) => {
                    let mut is_new = is_new.into_iter();
                    rows.retain(|_| is_new.next().unwrap_or_default());
                    // The page of an empty list is returned; a window without new rows is not.
                    if !rows.is_empty() || self.position.is_first() {
                        return Ok(Some(page));
                    }
                }
            }
        }
    }

    fn error(&self, kind: ErrorKind, detail: &str) -> Error {
        Error::new(kind, self.operation.id, detail)
    }
}
