//! The listener and its connections, which one task owns, so that they end with that task.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::service::Service;

/// The error that makes hyper close a connection without an answer.
const HANG_UP: &str = "hung up";

/// The longest body that is kept, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// How long the headers of a request may take, from when the connection is ready for it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves connections until the task is aborted.
pub(super) async fn accept(listener: TcpListener, service: Arc<Service>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, Arc::clone(&service)));
            }
            // The process is most likely out of file descriptors, and to try again at once would spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, service: Arc<Service>) {
    let answer = service_fn(|request: Request<Incoming>| async {
        let (parts, body) = request.into_parts();
        let body = read(body).await.map_err(|_| HANG_UP)?;
        service.answer(&parts, body).await.ok_or(HANG_UP)
    });
    let mut connection = http1::Builder::new();
    // A client that closes its side once it has sent the request still wants the answer.
    connection.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).half_close(true);
    // An error means that the client went away or was too slow, or is `HANG_UP`; in each case the connection is closed
    // by now.
    let _ = connection.serve_connection(TokioIo::new(stream), answer).await;
}

/// Reads the whole body; `None` if it is too long. Even then it is read to its end, because a client that is still
/// writing when the connection closes would see a reset instead of the answer.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = Some(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        match &mut bytes {
            Some(kept) if kept.len() + data.len() <= BODY_LIMIT => kept.extend_from_slice(&data),
            _ => bytes = None,
        }
    }
    // A vector that grew has spare capacity, which the record would keep as well.
    Ok(bytes.map(|bytes| bytes.into_boxed_slice().into()))
}
