//! What is kept whole beside narrow key columns: JSON, compressed, with a first byte that names the form.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
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
        let mut encoder = DeflateEncoder::new(vec![DEFLATED_JSON], Compression::fast());
        encoder.write_all(&serde_json::to_vec(value)?)?;
        Ok(encoder.finish()?)
    };
    encode().map_err(sqlx::Error::Encode)
}

/// Unpacks what [`pack`] made.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Broken> {
    match bytes.split_first() {
        Some((&DEFLATED_JSON, rest)) => {
            let mut json = Vec::new();
            DeflateDecoder::new(rest).read_to_end(&mut json)?;
            Ok(serde_json::from_slice(&json)?)
        }
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
