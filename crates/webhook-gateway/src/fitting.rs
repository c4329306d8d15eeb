//! Whether a call is what its Integration's schema says, where the Integration wants that checked.

use std::fmt::Write as _;

use tidegate_model::schema::Misfit;
use tidegate_model::{Failure, FailureKind, HttpMethod, Integration, SignatureScheme, TokenPlace};

use crate::answer::Answer;
use crate::gateway::Service;
use crate::masking::without_key_in;
use crate::request::Received;

/// How many misfits a record tells.
const MAX_RECORDED: usize = 5;

/// A call that does not fit.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// For the caller.
    pub(crate) all: Vec<Misfit>,
    /// For the record.
    pub(crate) failure: Failure,
}

/// Checks what scripts would see as `parameters`. `Err` is our own failure: nothing is let through unchecked.
pub(crate) async fn check(
    service: &Service,
    integration: &Integration,
    received: &Received,
) -> Result<Option<Unfit>, Answer> {
    let incoming = &integration.settings.incoming;
    let (Some(text), true) = (&incoming.body_schema, incoming.check_body) else { return Ok(None) };
    let schema = service.schemas.compiled(text).map_err(|invalid| {
        tracing::error!(integration = %integration.id, %invalid, "a schema that was saved cannot be used");
        Answer::Broken
    })?;
    let mut value = received.call.parameters.to_value();
    let proof = incoming.signature.as_ref().map(|signature| &signature.scheme);
    if let (HttpMethod::Get, Some(SignatureScheme::Token { place: TokenPlace::Parameter { name } })) =
        (received.call.method, proof)
        && let Some(parameters) = value.as_object_mut()
    {
        // It shows who calls, and is none of what is said.
        parameters.remove(name);
    }
    let checked = if schema.is_quick(&value) {
        schema.check(&value)
    } else {
        tokio::task::spawn_blocking(move || schema.check(&value)).await.map_err(|error| {
            tracing::error!(%error, "a check of a body ended without a result");
            Answer::Broken
        })?
    };
    Ok(checked.err().map(|misfits| unfit(misfits, received)))
}

fn unfit(misfits: Vec<Misfit>, received: &Received) -> Unfit {
    let masked = |misfit: Misfit| {
        let pointer = without_key_in(&misfit.pointer, &received.key).unwrap_or(misfit.pointer);
        Misfit { pointer, ..misfit }
    };
    let all: Vec<Misfit> = misfits.into_iter().map(masked).collect();
    let what = match received.call.method {
        HttpMethod::Get => "query",
        HttpMethod::Post => "body",
    };
    let mut message = format!("the {what} does not fit its schema");
    for (i, Misfit { pointer, expected }) in all.iter().take(MAX_RECORDED).enumerate() {
        let separator = if i == 0 { ":" } else { ";" };
        let place = if pointer.is_empty() { "the whole" } else { pointer };
        let _ = write!(message, "{separator} {place}: expected {expected}");
    }
    if all.len() > MAX_RECORDED {
        message.push_str("; and more");
    }
    Unfit { all, failure: Failure { message, kind: FailureKind::Input } }
}
