//! Calls from code that is not async: [`Wait::wait`] blocks the thread until a call, a token or a sign-in is there, and
//! [`WaitEach::wait_each`] makes an iterator of a list.
//!
//! Both take what the async methods return, so everything that can be awaited can be waited for: each operation of the
//! document, those of an [`Extension`](crate::Extension), the [`TokenCache`](crate::wechat::TokenCache),
//! [`Client::call`](crate::Client::call). The work is done by a Tokio runtime on one thread, which the first `wait` of
//! the process starts and all others share; a refresh that a cache has under way goes on there between two calls.
//!
//! ```no_run
//! use genauth::blocking::Wait as _;
//! use genauth::{Client, types::GetWechatAccessTokenDto, wechat::TokenCache};
//!
//! let client = Client::builder("https://example.genauth.ai").app("the app's id", "the app's secret").build()?;
//! let app = GetWechatAccessTokenDto { app_id: "wx0123456789abcdef".into(), app_secret: "WeChat's app secret".into() };
//! let token = client.get_wechat_mp_access_token_info().body(app.clone()).send().wait()?;
//! println!("valid until {}", token.expires_at);
//!
//! let tokens = TokenCache::new(client);
//! let _for_wechat = tokens.get(&app).wait()?;
//! # Ok::<(), genauth::Error>(())
//! ```
//!
//! In async code use `.await`: `wait` would keep a thread of the runtime from all other work. On a thread of
//! `tokio::task::spawn_blocking` it may be used.

use crate::Error;
use futures_core::Stream;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use tokio::runtime::{Builder, Handle};

/// Waits for a result. It is implemented for everything that can be awaited and whose error can be an [`Error`].
pub trait Wait<T, E> {
    /// Blocks this thread until the result is there.
    ///
    /// # Errors
    ///
    /// Those of the future, and [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the system cannot
    /// start the thread for the work, or if this is called on that thread, by a task or a hook that runs there.
    fn wait(self) -> Result<T, E>;
}

impl<T, E: From<Error>, F: IntoFuture<Output = Result<T, E>>> Wait<T, E> for F {
    fn wait(self) -> Result<T, E> {
        let runtime = runtime()?;
        let _entered = runtime.enter();
        pollster::block_on(self.into_future())
    }
}

/// Waits for the items of a stream, such as [`Items`](crate::Items) and [`Pages`](crate::Pages).
pub trait WaitEach: Sized {
    /// An iterator whose `next` blocks this thread until the next item is there.
    fn wait_each(self) -> Waiting<Self>;
}

impl<T, S: Stream<Item = Result<T, Error>>> WaitEach for S {
    fn wait_each(self) -> Waiting<Self> {
        Waiting { stream: Some(Box::pin(self)) }
    }
}

/// The iterator that [`WaitEach::wait_each`] returns. After an error it is over, as the stream is.
///
/// ```
/// # #[cfg(all(feature = "mock", feature = "users"))]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use genauth::blocking::WaitEach as _;
/// use genauth::types::ListUsersRequestDto;
/// # use genauth::mock::MockGenAuth;
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(MockGenAuth::start())?;
/// # let client = server.client_builder().access_key(MockGenAuth::ACCESS_KEY_ID, MockGenAuth::ACCESS_KEY_SECRET).build()?;
///
/// for user in client.list_users().body(ListUsersRequestDto::builder()).items().wait_each() {
///     println!("{}", user?.user_id);
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "mock", feature = "users")))]
/// # fn main() {}
/// ```
#[must_use]
#[derive(Debug)]
pub struct Waiting<S> {
    stream: Option<Pin<Box<S>>>,
}

impl<T, S: Stream<Item = Result<T, Error>>> Iterator for Waiting<S> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut stream = self.stream.take()?;
        let next = std::future::poll_fn(|context| stream.as_mut().poll_next(context).map(Ok::<_, Error>)).wait();
        let next = next.unwrap_or_else(|no_runtime| Some(Err(no_runtime)));
        if matches!(next, Some(Ok(_))) {
            self.stream = Some(stream);
        }
        next
    }
}

/// The runtime that does the work of every `wait`. It runs on a thread of its own, so that waiting threads only sleep.
fn runtime() -> Result<Handle, Error> {
    static RUNTIME: Mutex<Option<(Handle, ThreadId)>> = Mutex::new(None);
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((runtime, thread)) = &*runtime {
        if *thread == thread::current().id() {
            // Nobody would drive what it waits for, not even its time limit.
            let detail = "`wait` was called on the thread that does its work; use `.await` in tasks and hooks";
            return Err(Error::configuration(detail));
        }
        return Ok(runtime.clone());
    }
    let started = Builder::new_current_thread().enable_all().build().and_then(|driven| {
        let handle = driven.handle().clone();
        let drive = move || driven.block_on(std::future::pending::<()>());
        let thread = thread::Builder::new().name("genauth-blocking".to_owned()).spawn(drive)?;
        Ok((handle, thread.thread().id()))
    });
    let started = started.map_err(|error| {
        let detail =
            "the thread that does the work of `wait` cannot be started; see the limits on threads and open files";
        Error::configuration(detail).caused_by(error)
    })?;
    Ok(runtime.insert(started).0.clone())
}
