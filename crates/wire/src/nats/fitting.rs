//! Making a record small enough for one message: what is large is cut, and says so.

use serde_json::json;
use tidegate_model::{Call, Execution, Json, LogLevel, LogLine};

/// Nothing below the first of these is cut while that is enough; the next one is tried when it is not.
const ROOM: [usize; 6] = [256 * 1024, 64 * 1024, 16 * 1024, 4 * 1024, 512, 64];

/// The record as JSON of at most `limit` bytes. Ids, status, times and versions always stay.
pub(super) fn fit(mut execution: Execution, limit: usize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(&execution)?;
    for room in ROOM {
        if bytes.len() <= limit {
            break;
        }
        shorten(&mut execution, room);
        bytes = serde_json::to_vec(&execution)?;
    }
    Ok(bytes)
}

/// Leaves no text or JSON longer than `room`, and no more log than four times that.
fn shorten(execution: &mut Execution, room: usize) {
    if let Some(request) = &mut execution.request {
        shorten_text(&mut request.url, room);
        shorten_json(&mut request.headers, room);
        shorten_json(&mut request.parameters, room);
    }
    for json in [&mut execution.enable_result, &mut execution.core_result].into_iter().flatten() {
        shorten_json(json, room);
    }
    if let Some(error) = &mut execution.error {
        shorten_text(error, room);
    }
    for attempt in &mut execution.attempts {
        shorten_json(&mut attempt.request_headers, room);
        if let Some(headers) = &mut attempt.response_headers {
            shorten_json(headers, room);
        }
        if let Some(body) = &mut attempt.request_body {
            shorten_text(body, room);
        }
        if let Some(body) = &mut attempt.response_body {
            attempt.response_truncated |= shorten_body(body, room);
        }
    }
    execution.calls.iter_mut().for_each(|call| shorten_call(call, room));
    shorten_log(&mut execution.log, room);
}

fn shorten_call(call: &mut Call, room: usize) {
    shorten_text(&mut call.url, room);
    shorten_json(&mut call.request_headers, room);
    if let Some(headers) = &mut call.response_headers {
        shorten_json(headers, room);
    }
    for text in [&mut call.request_body, &mut call.error].into_iter().flatten() {
        shorten_text(text, room);
    }
    if let Some(body) = &mut call.response_body {
        call.response_truncated |= shorten_body(body, room);
    }
}

/// Cuts what has a flag beside it that says so; whether it did.
fn shorten_body(body: &mut String, room: usize) -> bool {
    let long = body.len() > room;
    body.truncate(body.floor_char_boundary(room));
    long
}

fn shorten_text(text: &mut String, room: usize) {
    if text.len() > room {
        let cut = text.len() - text.floor_char_boundary(room);
        text.truncate(text.floor_char_boundary(room));
        text.extend([" [", &cut.to_string(), " bytes cut]"]);
    }
}

/// JSON cannot be cut and stay JSON: an object that holds its beginning takes its place.
fn shorten_json(json: &mut Json, room: usize) {
    let text = json.as_str();
    if text.len() > room {
        // As a text within JSON every character may need an escape of six.
        let start = &text[..text.floor_char_boundary(room / 8)];
        *json = Json::of(&json!({ "truncated": true, "bytes": text.len(), "start": start }));
    }
}

fn shorten_log(log: &mut Vec<LogLine>, room: usize) {
    let mut left = room * 4;
    let kept = log.iter().take_while(|line| {
        // A line costs its level and time too.
        left = left.saturating_sub(line.text.len().min(room) + 64);
        left > 0
    });
    let kept = kept.count();
    for line in &mut log[..kept] {
        shorten_text(&mut line.text, room);
    }
    if kept < log.len() {
        let text = format!("[{} more log lines cut: the record was too large]", log.len() - kept);
        let time = log[kept].time;
        log.truncate(kept);
        log.push(LogLine { time, level: LogLevel::Info, text });
    }
}
