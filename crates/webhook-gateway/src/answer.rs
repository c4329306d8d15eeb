//! Every answer there is: from what came of a call to status and body, by one exhaustive match.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use serde::Serialize;
use tidegate_model::schema::Misfit;
use tidegate_model::{ExecutionId, HttpMethod, Json, Outcome, SkipReason};

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No Integration has this key.
    Unknown,
    /// More than one has.
    Ambiguous,
    /// The Integration takes the other method only.
    WrongMethod(HttpMethod),
    /// The URL is too long.
    UrlTooLong,
    /// The headers are too many, or too large.
    HeadTooLarge,
    /// The Integration is called too often; how long to wait.
    TooOften(Duration),
    /// The body is over the limit.
    TooLarge,
    /// The body took too long.
    TooSlow,
    /// The caller broke off within its body.
    Interrupted,
    /// The body is encoded in a way that is not understood.
    Encoded,
    /// Too many calls are in hand.
    Busy,
    /// What is behind the key cannot be told now.
    Away,
    /// Our own failure; the log tells more.
    Broken,
    /// The Integration requires a key that says which calls are the same, and there is none, or none that can be.
    NoIdempotencyKey,
    /// A call that this one repeats has not ended.
    StillRunning,
    /// A call that said something else had the same key.
    OtherContent,
    /// What a call was answered that this one repeats.
    Replayed(Replayed),
    /// The call is not signed as it has to be, and it is on record; the challenge of RFC 9110, where the scheme has one.
    Unsigned(Option<&'static str>),
    /// The call is not what its schema says, and it is on record.
    Unfit(Vec<Misfit>),
    /// The scripts ran, and their record could not be kept.
    NotRecorded,
    /// The scripts ran, or were skipped, and it is on record.
    Ran(Outcome),
}

/// The answer that another call had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// The call that it was the answer to.
    pub(crate) execution: ExecutionId,
    pub(crate) skipped: Option<SkipReason>,
    /// What core logic returned, where it was small enough to be kept.
    pub(crate) result: Option<Json>,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OUTCOME: HeaderName = HeaderName::from_static("integration-outcome");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl Answer {
    /// The HTTP answer to the call with this id, which is also that of its record, where it has one.
    pub(crate) fn into_response(self, id: ExecutionId) -> Response {
        let form = self.form();
        let id = form.of.unwrap_or(id);
        form.into_response(id)
    }

    fn form(self) -> Form {
        match self {
            Self::Unknown => Form::refusal(StatusCode::NOT_FOUND, "there is nothing here"),
            Self::Ambiguous => Form::failure("the address belongs to more than one integration"),
            Self::WrongMethod(allowed) => {
                Form::refusal(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method")
                    .with(ALLOW, allowed.as_str())
            }
            Self::UrlTooLong => Form::refusal(StatusCode::URI_TOO_LONG, "the URL is too long"),
            Self::HeadTooLarge => {
                Form::refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too many or too large")
            }
            Self::TooOften(wait) => Form {
                retry_after: Some(wait),
                ..Form::refusal(StatusCode::TOO_MANY_REQUESTS, "too many calls in too short a time")
            },
            Self::TooLarge => Form::refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::TooSlow => Form::refusal(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
            Self::Interrupted => Form::refusal(StatusCode::BAD_REQUEST, "the body is not complete"),
            Self::Encoded => {
                Form::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this content encoding is not understood")
                    .with(ACCEPT_ENCODING, "gzip, deflate")
            }
            Self::Busy => Form::later("too many calls at once"),
            Self::Away => Form::later("not available now"),
            Self::Broken => Form::failure("internal error"),
            Self::NoIdempotencyKey => Form::refusal(
                StatusCode::BAD_REQUEST,
                "this address needs an Idempotency-Key of 1 to 255 visible ASCII characters",
            ),
            Self::StillRunning => Form {
                retry_after: Some(Duration::from_secs(1)),
                ..Form::refusal(StatusCode::CONFLICT, "the same call has not ended")
            },
            Self::OtherContent => {
                Form::refusal(StatusCode::UNPROCESSABLE_ENTITY, "another call with this key said something else")
            }
            Self::Replayed(Replayed { execution, skipped, result }) => {
                let form = match (skipped, result) {
                    (Some(reason), _) => Self::Ran(Outcome::Skipped(reason)).form(),
                    (None, Some(result)) => Form::json(Content::Result(result), "executed"),
                    (None, None) => Form::json(Content::NotKept(execution), "executed"),
                };
                Form { header: Some((REPLAYED, "true")), of: Some(execution), ..form }
            }
            Self::Unsigned(challenge) => {
                let detail = "the signature that this address requires is missing or wrong";
                Form {
                    header: challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)),
                    outcome: Some("failed"),
                    has_record: true,
                    ..Form::refusal(StatusCode::UNAUTHORIZED, detail)
                }
            }
            Self::Unfit(misfits) => Form {
                outcome: Some("failed"),
                has_record: true,
                misfits,
                ..Form::refusal(StatusCode::UNPROCESSABLE_ENTITY, "this is not what the address takes")
            },
            Self::NotRecorded => Form::later("the call was carried out, but its record could not be kept"),
            Self::Ran(Outcome::Skipped(SkipReason::Inactive)) => Form::skipped("inactive"),
            Self::Ran(Outcome::Skipped(SkipReason::NotInEffect)) => Form::skipped("not-in-effect"),
            Self::Ran(Outcome::Skipped(SkipReason::NotEnabled)) => Form::skipped("not-enabled"),
            Self::Ran(Outcome::Succeeded(result)) => Form::json(Content::Result(result), "executed"),
            Self::Ran(Outcome::Failed(_)) => Form { has_record: true, ..Form::failure("the integration failed") },
        }
    }
}

/// An answer before it is written down.
struct Form {
    status: StatusCode,
    content: Content,
    /// `Integration-Outcome`
    outcome: Option<&'static str>,
    header: Option<(HeaderName, &'static str)>,
    retry_after: Option<Duration>,
    has_record: bool,
    /// The call that this is the answer to, where it is another one.
    of: Option<ExecutionId>,
    misfits: Vec<Misfit>,
}

enum Content {
    Result(Json),
    /// A result that was too large to be kept, by the record that has it.
    NotKept(ExecutionId),
    Skipped(&'static str),
    Problem(&'static str),
}

/// RFC 9457, with what leads to the log and the record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    title: &'static str,
    status: u16,
    detail: &'static str,
    request_id: ExecutionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<ExecutionId>,
    /// As the example of RFC 9457 has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemPlace>,
}

#[derive(Serialize)]
struct ProblemPlace {
    /// A JSON Pointer.
    pointer: String,
    detail: String,
}

impl ProblemPlace {
    fn of(misfit: Misfit) -> Self {
        Self { pointer: misfit.pointer, detail: format!("expected {}", misfit.expected) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotKept {
    execution_id: ExecutionId,
}

#[derive(Serialize)]
struct Skipped {
    executed: bool,
    reason: &'static str,
}

impl Form {
    fn json(content: Content, outcome: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            content,
            outcome: Some(outcome),
            header: None,
            retry_after: None,
            has_record: true,
            of: None,
            misfits: Vec::new(),
        }
    }

    fn skipped(reason: &'static str) -> Self {
        Self::json(Content::Skipped(reason), reason)
    }

    fn refusal(status: StatusCode, detail: &'static str) -> Self {
        Self {
            status,
            content: Content::Problem(detail),
            outcome: None,
            header: None,
            retry_after: None,
            has_record: false,
            of: None,
            misfits: Vec::new(),
        }
    }

    fn failure(detail: &'static str) -> Self {
        Self { outcome: Some("failed"), ..Self::refusal(StatusCode::INTERNAL_SERVER_ERROR, detail) }
    }

    fn later(detail: &'static str) -> Self {
        let retry_after = Some(Duration::from_secs(1));
        Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after, ..Self::failure(detail) }
    }

    fn with(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    fn into_response(self, id: ExecutionId) -> Response {
        let (media_type, body) = match self.content {
            Content::Result(result) => ("application/json", result),
            Content::NotKept(execution_id) => ("application/json", Json::of(&NotKept { execution_id })),
            Content::Skipped(reason) => ("application/json", Json::of(&Skipped { executed: false, reason })),
            Content::Problem(detail) => {
                let problem = Problem {
                    title: self.status.canonical_reason().unwrap_or_default(),
                    status: self.status.as_u16(),
                    detail,
                    request_id: id,
                    execution_id: self.has_record.then_some(id),
                    errors: self.misfits.into_iter().map(ProblemPlace::of).collect(),
                };
                ("application/problem+json", Json::of(&problem))
            }
        };
        let mut response = Response::new(Body::from(body.as_str().to_owned()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::try_from(id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(outcome) = self.outcome {
            headers.insert(OUTCOME, HeaderValue::from_static(outcome));
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, and not too few.
            headers.insert(RETRY_AFTER, (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1).into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use tidegate_model::{Failure, FailureKind};

    use super::*;

    #[test]
    fn each_case_has_its_status_and_outcome() {
        let id = ExecutionId(uuid::Uuid::from_u128(7));
        let failed = |kind| {
            let message = "shop/core:12: hunter2".to_owned();
            Answer::Ran(Outcome::Failed(Failure { message, kind }))
        };
        let ran = |reason| Answer::Ran(Outcome::Skipped(reason));
        let result = Json::trusted(r#"{"n":9007199254740993}"#);
        let replayed = |skipped, result| Answer::Replayed(Replayed { execution: id, skipped, result });
        let (json, problem) = ("application/json", "application/problem+json");
        let cases = [
            (Answer::Unknown, 404, None, problem, None),
            (Answer::Ambiguous, 500, Some("failed"), problem, None),
            (Answer::WrongMethod(HttpMethod::Get), 405, None, problem, Some(("allow", "GET"))),
            (Answer::WrongMethod(HttpMethod::Post), 405, None, problem, Some(("allow", "POST"))),
            (Answer::UrlTooLong, 414, None, problem, None),
            (Answer::HeadTooLarge, 431, None, problem, None),
            (Answer::TooOften(Duration::from_millis(10)), 429, None, problem, Some(("retry-after", "1"))),
            (Answer::TooOften(Duration::from_millis(2001)), 429, None, problem, Some(("retry-after", "3"))),
            (Answer::TooLarge, 413, None, problem, None),
            (Answer::TooSlow, 408, None, problem, None),
            (Answer::Interrupted, 400, None, problem, None),
            (Answer::Encoded, 415, None, problem, Some(("accept-encoding", "gzip, deflate"))),
            (Answer::Busy, 503, Some("failed"), problem, Some(("retry-after", "1"))),
            (Answer::Away, 503, Some("failed"), problem, Some(("retry-after", "1"))),
            (Answer::Broken, 500, Some("failed"), problem, None),
            (Answer::NoIdempotencyKey, 400, None, problem, None),
            (Answer::StillRunning, 409, None, problem, Some(("retry-after", "1"))),
            (Answer::OtherContent, 422, None, problem, None),
            (replayed(None, Some(result.clone())), 200, Some("executed"), json, Some(("idempotency-replayed", "true"))),
            (replayed(None, None), 200, Some("executed"), json, Some(("idempotency-replayed", "true"))),
            (
                replayed(Some(SkipReason::NotEnabled), None),
                200,
                Some("not-enabled"),
                json,
                Some(("idempotency-replayed", "true")),
            ),
            (Answer::Unsigned(None), 401, Some("failed"), problem, None),
            (Answer::Unsigned(Some("Basic")), 401, Some("failed"), problem, Some(("www-authenticate", "Basic"))),
            (Answer::Unfit(Vec::new()), 422, Some("failed"), problem, None),
            (Answer::NotRecorded, 503, Some("failed"), problem, Some(("retry-after", "1"))),
            (ran(SkipReason::Inactive), 200, Some("inactive"), json, None),
            (ran(SkipReason::NotInEffect), 200, Some("not-in-effect"), json, None),
            (ran(SkipReason::NotEnabled), 200, Some("not-enabled"), json, None),
            (Answer::Ran(Outcome::Succeeded(result)), 200, Some("executed"), json, None),
            (failed(FailureKind::Script), 500, Some("failed"), problem, None),
            (failed(FailureKind::Limit), 500, Some("failed"), problem, None),
            (failed(FailureKind::Input), 500, Some("failed"), problem, None),
            (failed(FailureKind::Platform), 500, Some("failed"), problem, None),
        ];
        for (answer, status, outcome, media_type, header) in cases {
            let name = format!("{answer:?}");
            let response = answer.into_response(id);
            let header_of = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(response.status().as_u16(), status, "{name}");
            assert_eq!(header_of("integration-outcome"), outcome, "{name}");
            assert_eq!(header_of("content-type"), Some(media_type), "{name}");
            assert_eq!(header_of("x-request-id"), Some(id.to_string().as_str()), "{name}");
            for known in ["allow", "idempotency-replayed", "retry-after", "accept-encoding", "www-authenticate"] {
                assert_eq!(
                    header_of(known),
                    header.filter(|(name, _)| *name == known).map(|(_, value)| value),
                    "{name}"
                );
            }
        }
    }
}
