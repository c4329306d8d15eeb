//! Messages as they are stored, without what the client library expects of them.
//!
//! async-nats ends the whole connection over a message whose headers it cannot read, and takes a first line with a status for the broker's own word; whoever
//! may publish can do that. Asked for one by one a message comes as JSON, its headers and its payload in base64: nothing in it can do harm on the way.

use async_nats::datetime::DateTime;
use async_nats::jetstream::context::RequestError;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::RawMessage;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// A message of a stream.
#[derive(Debug)]
pub(super) struct Stored {
    /// What is no UTF-8 in it is replaced.
    pub(super) subject: String,
    pub(super) sequence: u64,
    pub(super) time: DateTime,
    /// As far as they can be read.
    pub(super) headers: HeaderMap,
    pub(super) headers_are_whole: bool,
    pub(super) payload: Bytes,
}

impl Stored {
    /// Whether async-nats cannot take it when the broker delivers it.
    pub(super) fn is_odd(&self) -> bool {
        let splits = |c: char| c == char::REPLACEMENT_CHARACTER || c.is_whitespace();
        !self.headers_are_whole || self.subject.contains(splits)
    }
}

/// Why a message could not be got.
#[derive(Debug, thiserror::Error)]
pub(super) enum RawFault {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Refused(#[from] jetstream::Error),
    #[error("a stored message came as something else than base64")]
    Encoding(#[from] base64::DecodeError),
}

/// The first message at or after a sequence whose subject matches.
pub(super) async fn next(
    jetstream: &Context,
    stream: &str,
    subject: &str,
    from: u64,
) -> Result<Option<Stored>, RawFault> {
    get(jetstream, stream, json!({ "next_by_subj": subject, "seq": from })).await
}

/// The message with a sequence.
pub(super) async fn at(jetstream: &Context, stream: &str, sequence: u64) -> Result<Option<Stored>, RawFault> {
    get(jetstream, stream, json!({ "seq": sequence })).await
}

async fn get(jetstream: &Context, stream: &str, which: Value) -> Result<Option<Stored>, RawFault> {
    #[derive(Deserialize)]
    struct Got {
        message: RawMessage,
    }
    match jetstream.request(format!("STREAM.MSG.GET.{stream}"), &which).await? {
        Response::Ok(Got { message }) => stored(message).map(Some),
        Response::Err { error } if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => Ok(None),
        Response::Err { error } => Err(error.into()),
    }
}

fn stored(message: RawMessage) -> Result<Stored, RawFault> {
    let block = message.headers.map(|block| STANDARD.decode(block)).transpose()?;
    let (headers, headers_are_whole) = block.map_or((HeaderMap::new(), true), |block| headers(&block));
    Ok(Stored {
        subject: message.subject,
        sequence: message.sequence,
        time: message.time,
        headers,
        headers_are_whole,
        payload: STANDARD.decode(message.payload)?.into(),
    })
}

/// What can be read of a block of headers, and whether that is all of it.
fn headers(block: &[u8]) -> (HeaderMap, bool) {
    let text = String::from_utf8_lossy(block);
    let mut lines = text.lines().peekable();
    let mut whole = std::str::from_utf8(block).is_ok();
    // A status is for the broker to give.
    whole &= lines.next_if(|line| line.trim_end() == "NATS/1.0").is_some();
    let mut headers = HeaderMap::new();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let mut value = line.split_once(':').map_or("", |(_, value)| value).trim_start().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with(char::is_whitespace)) {
            value.push_str(more);
        }
        match line.split_once(':').and_then(|(name, _)| name.parse::<HeaderName>().ok()) {
            Some(name) => headers.append(name, value.trim_end()),
            None => whole = false,
        }
    }
    (headers, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_headers_is_read_as_far_as_it_can_be() {
        let whole = [
            ("NATS/1.0\r\na: 1\r\nb:2 \r\n\r\n", vec![("a", "1"), ("b", "2")]),
            ("NATS/1.0 \r\na: 1\r\n 2\r\n\r\n", vec![("a", "1 2")]),
            ("NATS/1.0\r\n\r\n", vec![]),
        ];
        for (block, expected) in whole {
            let (headers, is_whole) = headers(block.as_bytes());
            assert!(is_whole, "{block:?}");
            assert_eq!(headers.len(), expected.len(), "{block:?}");
            for (name, value) in expected {
                assert_eq!(headers.get(name).unwrap().as_str(), value, "{block:?}");
            }
        }
        let broken: [&[u8]; 8] = [
            b"NATS/1.0\r\na: 1\r\nb: M\xfcller\r\n\r\n",
            b"NATS/1.0\r\n\xff: b\r\na: 1\r\n\r\n",
            b"NATS/1.0\r\nno colon\r\na: 1\r\n\r\n",
            b"NATS/1.0\r\nb c: 1\r\na: 1\r\n\r\n",
            b" NATS/1.0\r\na: 1\r\n\r\n",
            b"NATS/2.0\r\na: 1\r\n\r\n",
            b"NATS/1.0 404 No Messages\r\na: 1\r\n\r\n",
            b"a: 1\r\n\r\n",
        ];
        for block in broken {
            let (headers, is_whole) = headers(block);
            assert!(!is_whole, "{}", block.escape_ascii());
            assert_eq!(headers.get("a").unwrap().as_str(), "1", "{}", block.escape_ascii());
        }
        assert!(!headers(b"").1);
    }
}
