//! Reading a request's body within limits, before and after decompression.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt as _;

use crate::answer::Answer;
use crate::encoding::{Encoding, Undecodable};
use crate::gateway::Options;

/// What is read and thrown away of a body that is too large: most callers look for an answer only once they have sent everything.
const DISCARDED: usize = 4 << 20;

/// A whole body.
#[derive(Debug)]
pub(crate) struct Payload {
    /// Its bytes: decompressed, or as they came where that is not possible.
    pub(crate) bytes: Bytes,
    /// Whether it is not compressed as its header says.
    pub(crate) is_corrupt: bool,
}

/// Reads the whole body. Refuses one that is too large, too slow, or encoded in a way that is not understood.
pub(crate) async fn read(headers: &HeaderMap, body: Body, options: &Options) -> Result<Payload, Answer> {
    let encoding = Encoding::of(headers).ok_or(Answer::Encoded)?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = announced.is_some_and(|length| length > options.max_body);
    if too_large && headers.contains_key(EXPECT) {
        return Err(Answer::TooLarge);
    }
    let read = collect(body, options.max_body, announced.unwrap_or_default());
    let bytes = tokio::time::timeout(options.body_timeout, read).await.map_err(|_| Answer::TooSlow)??;
    match encoding.decode(&bytes, options.max_body) {
        Ok(bytes) => Ok(Payload { bytes, is_corrupt: false }),
        Err(Undecodable::Corrupt) => Ok(Payload { bytes, is_corrupt: true }),
        Err(Undecodable::TooLarge) => Err(Answer::TooLarge),
    }
}

async fn collect(mut body: Body, max: usize, announced: usize) -> Result<Bytes, Answer> {
    let mut whole = BytesMut::with_capacity(announced.min(max));
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        // The caller broke off: nobody is there to read why.
        let Ok(frame) = frame else { return Err(Answer::Interrupted) };
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= max {
            whole.extend_from_slice(&data);
        } else if length > max + DISCARDED {
            break;
        } else {
            whole = BytesMut::new();
        }
    }
    if length > max { Err(Answer::TooLarge) } else { Ok(whole.freeze()) }
}
