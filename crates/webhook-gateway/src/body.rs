//! Reading a request's body within limits, before and after decompression.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::answer::Answer;
use crate::encoding::{Encoding, Undecodable};
use crate::options::Options;

/// What is read and thrown away of a body that is too large: most callers look for an answer only once they have sent everything.
const DISCARDED: usize = 4 << 20;

/// A whole body.
#[derive(Debug)]
pub(crate) struct Payload {
    /// Its bytes: decompressed, or as they came where that is not possible.
    pub(crate) bytes: Bytes,
    /// Its bytes as they came.
    pub(crate) received: Bytes,
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
    let received = collect(body, options, announced.unwrap_or_default()).await?;
    match encoding.decode(&received, options.max_body) {
        Ok(bytes) => Ok(Payload { bytes, received, is_corrupt: false }),
        Err(Undecodable::Corrupt) => Ok(Payload { bytes: received.clone(), received, is_corrupt: true }),
        Err(Undecodable::TooLarge) => Err(Answer::TooLarge),
    }
}

async fn collect(mut body: Body, options: &Options, announced: usize) -> Result<Bytes, Answer> {
    let max = options.max_body;
    let pace = Pace::begin(options);
    let mut whole = BytesMut::with_capacity(announced.min(max));
    let mut length = 0;
    loop {
        let frame = timeout_at(pace.next(length), body.frame()).await.map_err(|_| Answer::TooSlow)?;
        let Some(frame) = frame else { break };
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

/// How slowly a body may come.
struct Pace {
    end: Instant,
    slow_from: Instant,
    /// Bytes in a second.
    rate: usize,
}

impl Pace {
    fn begin(options: &Options) -> Self {
        let now = Instant::now();
        Self { end: now + options.body_timeout, slow_from: now + options.body_grace, rate: options.body_rate.max(1) }
    }

    /// When the next part of a body must be there of which so many bytes are.
    fn next(&self, length: usize) -> Instant {
        let earned = Duration::from_secs((length / self.rate) as u64);
        self.end.min(self.slow_from + earned)
    }
}
