//! The listener: connections, requests, graceful stop. Every request is one `match` away from its
//! handler ([`route`]). Knows hyper; ingest and dashboard do not.
//!
//! A stop: no new connections, requests under way may finish within `limits::STOP_TIMEOUT`, then the
//! rest is cut. A request that is cut got no 202, so nothing is lost by it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::limits;

mod api;
mod assets;
mod body;
mod collect;
mod reply;
mod report;
mod route;

pub use route::App;

/// Serves until `stop` turns true, then lets requests under way finish.
pub async fn run(listener: TcpListener, app: Arc<App>, stop: watch::Receiver<bool>) {
    accept(listener, stop, move |stream, peer, stop| {
        let app = Arc::clone(&app);
        connection(stream, stop, move |request| {
            let app = Arc::clone(&app);
            async move { app.answer(request, peer).await }
        })
    })
    .await;
}

/// Serves the metrics on their own listener.
pub async fn run_metrics(listener: TcpListener, stop: watch::Receiver<bool>) {
    accept(listener, stop, move |stream, _, stop| {
        connection(stream, stop, |request| async move { route::metrics(&request) })
    })
    .await;
}

async fn accept<F, W>(listener: TcpListener, mut stop: watch::Receiver<bool>, serve: F)
where
    F: Fn(TcpStream, SocketAddr, watch::Receiver<bool>) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        // The permit comes first: a full house leaves the next caller in the kernel's queue.
        let permit = tokio::select! {
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("never closed"),
            () = stopped(&mut stop) => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(connection) => connection,
                Err(error) => {
                    // Out of descriptors or memory: waiting is all that helps.
                    tracing::warn!(%error, "server: accepting a connection failed; trying again");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        // Answers are small and complete: waiting for more bytes only adds latency.
        let _ = stream.set_nodelay(true);
        let connection = serve(stream, peer, stop.clone());
        tokio::spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let all = limits::CONNECTIONS_MAX as u32;
    let _ = tokio::time::timeout(limits::STOP_TIMEOUT, permits.acquire_many(all)).await;
}

async fn connection<H, R>(stream: TcpStream, mut stop: watch::Receiver<bool>, handler: H)
where
    H: Fn(hyper::Request<Incoming>) -> R,
    R: Future<Output = reply::Answer>,
{
    let service = service_fn(|request| {
        let answer = handler(request);
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_TIMEOUT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let mut stopping = false;
    // Asking the watch takes a lock that all connections share: once registers the task's waker, after
    // that its version, one atomic read, tells when to ask again.
    let version = stop.clone();
    let mut told = pin!(stopped(&mut stop));
    let mut registered = false;
    // A client that breaks off or speaks nonsense is its own affair.
    let _ = poll_fn(|cx| {
        if !stopping && (!registered || version.has_changed().unwrap_or(true)) {
            registered = true;
            stopping = told.as_mut().poll(cx).is_ready();
            if stopping {
                served.as_mut().graceful_shutdown();
            }
        }
        served.as_mut().poll(cx)
    })
    .await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means the daemon is gone, which is a stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
