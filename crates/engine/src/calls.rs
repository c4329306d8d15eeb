//! The HTTP calls of a run, as its record keeps them.

use std::cell::RefCell;
use std::time::Instant;

use tidegate_model::{Call, Clock, Json, kept};

use crate::attach::NotSent;
use crate::egress::Response;
use crate::host::HttpCall;

/// Of a longer body only this much is kept, of each side.
const BODY: usize = 16 << 10;

/// No URL and no header is kept longer.
const LINE: usize = 4 << 10;

/// So many headers are kept, of each side.
const HEADERS: usize = 64;

/// What stands for the end of a call that nobody waited for.
const LEFT: &str = "the run ended first";

/// The calls so far, in their order.
#[derive(Default)]
pub(crate) struct Calls(RefCell<Vec<Call>>);

/// A call that was begun.
pub(crate) struct Begun {
    place: usize,
    at: Instant,
}

impl Calls {
    /// Writes down what is about to be sent.
    pub(crate) fn begin(&self, call: &HttpCall, clock: &dyn Clock) -> Begun {
        let HttpCall { request, credential } = call;
        let body = request.body.as_deref().map(|bytes| match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => kept::start_of(text, BODY),
            _ => kept::body(&bytes[..bytes.len().min(BODY)], false),
        });
        let mut calls = self.0.borrow_mut();
        calls.push(Call {
            started_at: clock.now(),
            duration_us: None,
            method: request.method.to_string(),
            url: kept::url(&kept::start_of(&request.url, LINE)),
            credential: credential.clone(),
            request_headers: headers(&request.headers),
            request_body: body,
            status: None,
            response_headers: None,
            response_body: None,
            response_truncated: false,
            error: None,
        });
        Begun { place: calls.len() - 1, at: Instant::now() }
    }

    /// Adds that it was not sent, and why.
    pub(crate) fn not_sent(&self, begun: &Begun, why: &str) {
        self.end(begun, |call| call.error = Some(why.to_owned()));
    }

    /// Adds the header that its credential went in, masked, in the place of one of that name that the script gave.
    pub(crate) fn attached(&self, begun: &Begun, header: &str) {
        self.end(begun, |call| {
            let mut all = call.request_headers.attributes().unwrap_or_default();
            all.retain(|(name, _)| name != header);
            all.push((header.to_owned(), Json::of(&kept::MASK)));
            call.request_headers = Json::object(all.iter().map(|(name, value)| (name.as_str(), value)));
        });
    }

    /// Adds what came of it; `None` when it was lost.
    pub(crate) fn answered(&self, begun: &Begun, came: Option<&Result<Response, NotSent>>) {
        let took = u64::try_from(begun.at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.end(begun, |call| {
            call.duration_us = Some(took);
            match came {
                Some(Ok(response)) => {
                    let cut = response.body.len() > BODY;
                    call.status = Some(response.status);
                    call.response_headers = Some(headers(&response.headers));
                    call.response_truncated = cut || response.truncated;
                    let body = &response.body[..response.body.len().min(BODY)];
                    call.response_body = Some(kept::body(body, call.response_truncated));
                }
                Some(Err(error)) => call.error = Some(error.to_string()),
                None => call.error = Some("internal error".to_owned()),
            }
        });
    }

    /// All of them.
    pub(crate) fn take(&self) -> Vec<Call> {
        let mut calls = self.0.take();
        for call in &mut calls {
            if call.status.is_none() && call.error.is_none() {
                call.error = Some(LEFT.to_owned());
            }
        }
        calls
    }

    fn end(&self, begun: &Begun, add: impl FnOnce(&mut Call)) {
        if let Some(call) = self.0.borrow_mut().get_mut(begun.place) {
            add(call);
        }
    }
}

fn headers(all: &[(String, String)]) -> Json {
    let short: Vec<_> =
        all.iter().take(HEADERS).map(|(n, v)| (kept::start_of(n, LINE), kept::start_of(v, LINE))).collect();
    kept::headers(short.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
