//! What is kept whole beside narrow key columns: JSON, compressed, with a first byte that names the form.

use std::cell::RefCell;

use flate2::{Compress, CompressError, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate_model::{Execution, PlannedCall};

/// Deflated JSON. Another form gets another number, so that old rows stay readable.
const DEFLATED_JSON: u8 = 1;

/// The longest text that is searched per record.
const SEARCH_LIMIT: usize = 8 * 1024;

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A delivery's body: its event is kept once, beside it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct DeliveryBody<E, P> {
    /// The record so far.
    pub(crate) execution: E,
    /// What to call, once known.
    pub(crate) plan: P,
}

/// As it is read.
pub(crate) type OwnedDeliveryBody = DeliveryBody<Execution, Option<PlannedCall>>;

/// Packs a value.
pub(crate) fn pack(value: &impl Serialize) -> Result<Vec<u8>, sqlx::Error> {
    let encode = || -> Result<Vec<u8>, Broken> {
        let mut body = vec![DEFLATED_JSON];
        deflate(&serde_json::to_vec(value)?, &mut body)?;
        Ok(body)
    };
    encode().map_err(sqlx::Error::Encode)
}

thread_local! {
    // Making one costs more than its work on what a record usually has.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static DECOMPRESSOR: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Appends these bytes, compressed.
fn deflate(mut bytes: &[u8], to: &mut Vec<u8>) -> Result<(), CompressError> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        loop {
            to.reserve(bytes.len() / 2 + 64);
            let before = compressor.total_in();
            let status = compressor.compress_vec(bytes, to, FlushCompress::Finish)?;
            if status == Status::StreamEnd {
                return Ok(());
            }
            let taken = compressor.total_in().saturating_sub(before);
            bytes = &bytes[usize::try_from(taken).unwrap_or(bytes.len())..];
        }
    })
}

/// What these compressed bytes were.
fn inflate(mut bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor.reset(false);
        let mut whole = Vec::new();
        loop {
            whole.reserve(bytes.len() * 2 + 64);
            let (read, written) = (decompressor.total_in(), decompressor.total_out());
            let status = decompressor.decompress_vec(bytes, &mut whole, FlushDecompress::None)?;
            if status == Status::StreamEnd {
                return Ok(whole);
            }
            let taken = decompressor.total_in() - read;
            if taken == 0 && decompressor.total_out() == written {
                return Err("it ends early".into());
            }
            bytes = &bytes[usize::try_from(taken)?..];
        }
    })
}

/// Unpacks what [`pack`] made.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Broken> {
    match bytes.split_first() {
        Some((&DEFLATED_JSON, rest)) => Ok(serde_json::from_slice(&inflate(rest)?)?),
        Some((form, _)) => Err(format!("unknown form {form}").into()),
        None => Err("empty".into()),
    }
}

/// The text by which a record is found: error, object, URLs, log; lower-case, no NUL, at most [`SEARCH_LIMIT`] bytes.
pub(crate) fn search_text(execution: &Execution) -> String {
    let parts = (execution.error.as_deref().into_iter())
        .chain(execution.event.iter().map(|e| e.object_id.as_str()))
        .chain(execution.request.iter().map(|r| r.url.as_str()))
        .chain(execution.attempts.iter().rev().flat_map(|a| [Some(a.url.as_str()), a.error.as_deref()]).flatten())
        .chain(execution.calls.iter().flat_map(|c| [Some(c.url.as_str()), c.error.as_deref()]).flatten())
        .chain(execution.log.iter().map(|l| l.text.as_str()));
    let mut text = String::new();
    for part in parts {
        if text.len() >= SEARCH_LIMIT {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let room = SEARCH_LIMIT.saturating_sub(text.len());
        text.push_str(&lower(&part[..part.floor_char_boundary(room)]));
    }
    text.truncate(text.floor_char_boundary(SEARCH_LIMIT));
    text
}

/// A text as it is searched for: lower-case, without NUL.
pub(crate) fn lower(text: &str) -> String {
    text.to_lowercase().replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_whatever_was_packed_before() {
        // Nothing, what compresses well, and what hardly does and outgrows the room that is made at first.
        let noise: Vec<u64> = (0..100_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let noise = serde_json::to_string(&noise).unwrap();
        for text in [String::new(), "ab".repeat(100_000), noise, "short".to_owned()] {
            let packed = pack(&text).unwrap();
            assert_eq!(unpack::<String>(&packed).unwrap(), text);
        }
        assert!(pack(&"ab".repeat(100_000)).unwrap().len() < 2_000);
    }

    #[test]
    fn what_is_cut_or_changed_is_refused() {
        let packed = pack(&vec!["some text".to_owned(); 50]).unwrap();
        for length in 0..packed.len() {
            unpack::<Vec<String>>(&packed[..length]).unwrap_err();
        }
        unpack::<Vec<String>>(&[DEFLATED_JSON, 0xff, 0xff, 0xff]).unwrap_err();
        assert_eq!(unpack::<Vec<String>>(&packed).unwrap().len(), 50);
    }
}
