//! The one table between [`Error`] and gRPC statuses (CONTRACT section 2), both ways.
//!
//! The status says what kind it is to any client; `google.rpc.ErrorInfo` (domain `tidegate`, the error's name as reason, its number as
//! `error_code`), `BadRequest`, `ResourceInfo` and `RetryInfo` carry the rest, so that the same [`Error`] comes out at the other end.

use std::collections::HashMap;
use std::time::Duration;

use tidegate_model::{Error, Violation};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::intern::intern;
use crate::fault;

const DOMAIN: &str = "tidegate";

/// When to ask again for what is away now: a restart takes about as long.
const RETRY: Duration = Duration::from_secs(1);

/// A status travels in HTTP/2 trailers, for which clients have 16 KiB: texts are cut well below.
const MAX_TEXT: usize = 1024;
const MAX_VIOLATIONS: usize = 3 * 1024;

fn code(error: &Error) -> Code {
    match error {
        Error::Internal { .. } => Code::Internal,
        Error::Unavailable(_) => Code::Unavailable,
        Error::NotFound { .. } | Error::TenantNotFound(_) => Code::NotFound,
        Error::NotUnique { .. } => Code::AlreadyExists,
        Error::InvalidData(_) | Error::TenantRequired => Code::InvalidArgument,
        Error::InsufficientScopes(_) => Code::PermissionDenied,
        Error::Unauthorized(_) => Code::Unauthenticated,
        Error::InvalidOperation(_) => Code::FailedPrecondition,
    }
}

/// What a client is sent.
pub(crate) fn to_status(error: &Error) -> Status {
    let (reason, number) = error.code();
    let mut metadata = HashMap::from([("error_code".to_owned(), number.to_string())]);
    let mut note = |key: &str, text: &str| metadata.insert(key.to_owned(), cut(text).to_owned());
    let mut details = ErrorDetails::new();
    match error {
        Error::Internal { id } => drop(note("error_id", id)),
        Error::Unavailable(what) => {
            note("dependency", what);
            details.set_retry_info(Some(RETRY));
        }
        Error::NotFound { what, id } | Error::NotUnique { what, id } => {
            details.set_resource_info(*what, cut(id), "", "");
        }
        Error::TenantNotFound(id) => drop(details.set_resource_info("Tenant", cut(id), "", "")),
        Error::InvalidData(violations) => {
            let mut room = MAX_VIOLATIONS;
            for violation in violations {
                let (field, expected) = (cut(&violation.field), cut(&violation.expected));
                let Some(rest) = room.checked_sub(field.len() + expected.len()) else { break };
                room = rest;
                details.add_bad_request_violation(field, expected);
            }
        }
        Error::InsufficientScopes(scope) => drop(note("scope", scope)),
        Error::Unauthorized(why) => drop(note("why", why)),
        Error::InvalidOperation(why) => drop(note("why", why)),
        Error::TenantRequired => {}
    }
    details.set_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code(error), cut(&error.to_string()), details)
}

/// Whether nothing came back, or something between here and the peer's own code said that it is not there.
pub(super) fn is_silence(status: &Status) -> bool {
    let answered = status.get_details_error_info().is_some_and(|info| info.domain == DOMAIN);
    // Only a status that was made here, of a broken connection, has a source.
    let broken = std::error::Error::source(status).is_some();
    !answered && (broken || status.code() == Code::Unavailable)
}

/// Whether the call certainly did not reach the peer's code: it was not connected, or the connection took no more calls. A peer that stops
/// in order tells the last call that it takes; those after it are as good as never sent.
pub(super) fn is_unsent(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if let Some(broken) = error.downcast_ref::<h2::Error>() {
            let (gone, refused) = (Some(h2::Reason::NO_ERROR), Some(h2::Reason::REFUSED_STREAM));
            return broken.is_remote()
                && (broken.is_go_away() && broken.reason() == gone || broken.is_reset() && broken.reason() == refused);
        }
        if error.is::<tonic::ConnectError>()
            || error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What the peer's answer means here. `peer` names it where nothing was heard from it.
pub(super) fn from_status(peer: &'static str, status: &Status) -> Error {
    let details = status.get_error_details();
    let Some(info) = details.error_info().filter(|info| info.domain == DOMAIN) else {
        return unanswered(peer, status);
    };
    let noted = |key: &str| info.metadata.get(key).cloned().unwrap_or_default();
    let resource = || {
        let resource = details.resource_info();
        let what = resource.map_or("object", |r| intern(&r.resource_type, "object"));
        (what, resource.map(|r| r.resource_name.clone()).unwrap_or_default())
    };
    match info.reason.as_str() {
        "InternalError" if status.code() == Code::Unavailable => Error::Unavailable(intern(&noted("dependency"), peer)),
        "InternalError" => Error::Internal { id: noted("error_id") },
        "NotFound" => {
            let (what, id) = resource();
            Error::NotFound { what, id }
        }
        "NotUnique" => {
            let (what, id) = resource();
            Error::NotUnique { what, id }
        }
        "TenantNotFound" => Error::TenantNotFound(resource().1),
        "InvalidData" => Error::InvalidData(
            details
                .bad_request()
                .map(|request| request.field_violations.clone())
                .unwrap_or_default()
                .into_iter()
                .map(|v| Violation { field: v.field, expected: v.description })
                .collect(),
        ),
        "InsufficientScopes" => Error::InsufficientScopes(noted("scope")),
        "TenantRequired" => Error::TenantRequired,
        "Unauthorized" => Error::Unauthorized(intern(&noted("why"), "not authorized")),
        "InvalidOperation" => Error::InvalidOperation(noted("why")),
        unknown => fault::internal("understand the peer's error", unknown),
    }
}

/// Something other than the peer's own code answered, or nothing did.
fn unanswered(peer: &'static str, status: &Status) -> Error {
    match status.code() {
        _ if is_silence(status) => {
            tracing::debug!(peer, status = %status, "no answer");
            Error::Unavailable(peer)
        }
        Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Aborted => Error::Unavailable(peer),
        // Ours to repair, and then the same call works: to whoever waits for it the peer is away. What to repair was said where the answer
        // was heard.
        Code::Unauthenticated | Code::Unimplemented => {
            tracing::debug!(peer, status = %status, "the peer refused this process, or is another one");
            Error::Unavailable(peer)
        }
        _ => fault::internal("call a peer", format_args!("{peer}: {status}")),
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_error() -> Vec<(Error, Code)> {
        vec![
            (Error::Internal { id: "00c0ffee".into() }, Code::Internal),
            (Error::Unavailable("the database"), Code::Unavailable),
            (Error::not_found("Integration", "a\u{e9}"), Code::NotFound),
            (Error::not_unique("Logic", "notify"), Code::AlreadyExists),
            (
                Error::InvalidData(vec![
                    Violation { field: "in.name".into(), expected: "a name".into() },
                    Violation { field: "first".into(), expected: "1..100".into() },
                ]),
                Code::InvalidArgument,
            ),
            (Error::InsufficientScopes("tenant:write".into()), Code::PermissionDenied),
            (Error::TenantRequired, Code::InvalidArgument),
            (Error::TenantNotFound("acme".into()), Code::NotFound),
            (Error::Unauthorized("the token has expired"), Code::Unauthenticated),
            (Error::InvalidOperation("version 3 is there, not 2".into()), Code::FailedPrecondition),
        ]
    }

    #[test]
    fn every_error_has_its_code_and_comes_back_as_it_was() {
        for (error, code) in each_error() {
            let status = to_status(&error);
            assert_eq!(status.code(), code, "{error}");
            let info = status.get_details_error_info().unwrap();
            assert_eq!((info.domain.as_str(), info.reason.as_str()), ("tidegate", error.code().0));
            assert_eq!(info.metadata["error_code"], error.code().1.to_string());
            assert!(!is_silence(&status));
            assert_eq!(from_status("the director", &status), error);
        }
    }

    #[test]
    fn a_status_fits_into_trailers_whatever_the_error_holds() {
        let long = "\u{20ac}".repeat(100_000);
        let violations = vec![Violation { field: long.clone(), expected: long.clone() }; 100];
        for error in
            [Error::InvalidData(violations), Error::InvalidOperation(long.clone()), Error::not_found("x", long)]
        {
            let status = to_status(&error);
            // Percent-encoding triples the message, base64 adds a third to the details.
            assert!(status.message().len() * 3 + status.details().len() * 4 / 3 < 12 * 1024);
        }
    }

    #[test]
    fn silence_is_unavailable_and_nonsense_is_internal() {
        let ours = [Code::Unauthenticated, Code::Unimplemented];
        for silent in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled].into_iter().chain(ours) {
            let error = from_status("the director", &Status::new(silent, "tcp connect error"));
            assert_eq!(error, Error::Unavailable("the director"));
        }
        for nonsense in [Code::Unknown, Code::Internal, Code::NotFound, Code::InvalidArgument] {
            let error = from_status("the director", &Status::new(nonsense, "secret detail"));
            assert!(matches!(error, Error::Internal { .. }), "{error}");
            assert!(!error.to_string().contains("secret detail"));
        }
    }
}
