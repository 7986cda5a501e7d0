//! Reads a request's body, bounded in bytes and time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::limits;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// More bytes than allowed.
    TooLarge,
    /// The client broke off or was too slow.
    Broken,
}

/// The whole body, if it has at most `bytes_max` bytes and arrives within `limits::BODY_TIMEOUT`.
pub(super) async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, Unread> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Unread::TooLarge);
    }
    let mut reading = pin!(collect(body, bytes_max));
    // Nearly every body has arrived with its head: then no timer is needed.
    if let Poll::Ready(read) = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        return read;
    }
    tokio::time::timeout(limits::BODY_TIMEOUT, reading).await.unwrap_or(Err(Unread::Broken))
}

/// Nearly every body is one frame, which is handed on without a copy.
async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Unread> {
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if whole.len() + parts.len() + data.len() > bytes_max {
            return Err(Unread::TooLarge);
        }
        if whole.is_empty() && parts.is_empty() {
            whole = data;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&data);
        }
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}
