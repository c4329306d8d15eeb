//! Whether a call repeats another: by the id that the scheme of its signature gives a delivery, or by its `Idempotency-Key`.
//!
//! The first call with a key holds it while it runs. Once it has run, whoever repeats it gets its answer again, and nothing runs; if it failed
//! or could not be recorded, the key is let go, so that a repeat runs. A gateway that dies while it runs leaves a claim that ends with
//! its time.

use serde::{Deserialize, Serialize};
use tidegate_model::contract::{
    Claim, Claimed, ContentHash, MAX_REPEATED_ANSWER, REPEAT_WINDOW, RepeatKey, RepeatedBy,
};
use tidegate_model::{Error, ExecutionId, HttpMethod, IdempotencyKey, Integration, Json, Outcome, SkipReason};

use crate::answer::{Answer, Replayed};
use crate::gateway::Service;
use crate::request::Received;

/// The header, in lower case.
const HEADER: &str = "idempotency-key";

/// The longest key that a caller may send, in bytes.
const LONGEST: usize = 255;

/// Stands for the webhook key in a kept answer: a dump of what is kept gives no working URL. Whoever gets the answer knows the key, and a text
/// of a script's that is the same tells it nothing new.
const KEY: &str = "\u{f8ff}webhook-key\u{f8ff}";

/// The keys that a call holds while it runs; none where nothing makes it the same as another.
#[derive(Debug, Default)]
pub(crate) struct Held(Vec<Claim>);

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    /// The call that it was the answer to.
    execution: ExecutionId,
    skipped: Option<SkipReason>,
    /// What core logic returned; not kept where it is too large.
    result: Option<Json>,
}

impl Held {
    /// Takes the keys of a call that may run now; `delivery` is the id that its signature's scheme gives it. `Err` is what it is answered instead.
    pub(crate) async fn take(
        service: &Service,
        id: ExecutionId,
        integration: &Integration,
        received: &Received,
        delivery: Option<&str>,
    ) -> Result<Self, Answer> {
        let now = service.parts.clock.now();
        let mut held = Self::default();
        for claim in claims(id, integration, received, delivery)? {
            let found = service.parts.repeats.claim(&claim, now, now + service.options.claim_lease).await;
            let told = |why| {
                tracing::info!(%id, tenant = %integration.tenant, integration = %integration.id, "a call is not run: {why}");
            };
            let refused = match found {
                Ok(Claimed::First) => {
                    held.0.push(claim);
                    continue;
                }
                Ok(Claimed::Running) => {
                    told("the same call has not ended");
                    Answer::StillRunning
                }
                Ok(Claimed::OtherContent) => {
                    told("another call with its key said something else");
                    Answer::OtherContent
                }
                Ok(Claimed::Answered(kept)) => {
                    told("the same call was answered before");
                    replayed(&kept, &received.key)
                }
                Err(Error::Unavailable(what)) => {
                    if let Some(calls) = service.away.refused(what) {
                        tracing::warn!(%id, what, calls, "it cannot be told whether a call was here before");
                    }
                    Answer::Away
                }
                Err(error) => {
                    tracing::error!(%id, %error, "it cannot be told whether a call was here before");
                    Answer::Broken
                }
            };
            held.release(service).await;
            return Err(refused);
        }
        Ok(held)
    }

    /// Ends what the call holds: its answer is kept for whoever repeats it, or the keys are let go.
    pub(crate) async fn end(self, service: &Service, key: &str, outcome: &Outcome) {
        let Some(execution) = self.0.first().map(|claim| claim.holder) else { return };
        let (skipped, result) = match outcome {
            Outcome::Failed(_) => return self.release(service).await,
            Outcome::Skipped(reason) => (Some(*reason), None),
            Outcome::Succeeded(result) => (None, keepable(result, key)),
        };
        let kept = Json::of(&KeptAnswer { execution, skipped, result });
        let until = service.parts.clock.now() + REPEAT_WINDOW;
        for claim in &self.0 {
            if let Err(error) = service.parts.repeats.settle(claim, &kept, until).await {
                // It has run and is on record: its caller is told so, and who repeats it is told to wait until the claim ends.
                if let Some(calls) = service.away.refused("keeping answers") {
                    tracing::warn!(%execution, %error, calls, "an answer cannot be kept for whoever repeats the call");
                }
            }
        }
    }

    /// Lets the keys go.
    pub(crate) async fn release(self, service: &Service) {
        for claim in &self.0 {
            if let Err(error) = service.parts.repeats.release(claim).await
                && let Some(calls) = service.away.refused("letting keys go")
            {
                tracing::warn!(execution = %claim.holder, %error, calls, "a call's key cannot be let go; it ends with its time");
            }
        }
    }
}

/// What makes a call the same as another, in the order in which it is looked at.
fn claims(
    id: ExecutionId,
    integration: &Integration,
    received: &Received,
    delivery: Option<&str>,
) -> Result<Vec<Claim>, Answer> {
    let settings = &integration.settings.incoming;
    let delivery = delivery.filter(|_| !settings.run_repeated_deliveries).map(|id| (RepeatedBy::Delivery, id));
    let named = received.call.headers.iter().find(|(name, _)| name == HEADER).map(|(_, value)| value.trim());
    let asked = match (settings.idempotency_key, named) {
        (IdempotencyKey::None, _) | (IdempotencyKey::Accepted, None) => None,
        (IdempotencyKey::Required | IdempotencyKey::Accepted, Some(key)) if is_key(key) => {
            Some((RepeatedBy::IdempotencyKey, key))
        }
        (IdempotencyKey::Required | IdempotencyKey::Accepted, _) => return Err(Answer::NoIdempotencyKey),
    };
    let claim = |(by, text)| Claim {
        tenant: integration.tenant.clone(),
        key: RepeatKey::of(integration.id, by, text),
        content: content(received),
        holder: id,
    };
    Ok(delivery.into_iter().chain(asked).map(claim).collect())
}

/// Visible ASCII, so that no two tools read it differently.
fn is_key(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What scripts are told: the query of a GET, the body of a POST.
fn content(received: &Received) -> ContentHash {
    let call = &received.call;
    match call.method {
        HttpMethod::Get => ContentHash::of(&[b"GET", call.parameters.as_str().as_bytes()]),
        HttpMethod::Post => ContentHash::of(&[b"POST", &call.raw_body]),
    }
}

fn keepable(result: &Json, key: &str) -> Option<Json> {
    let text = result.as_str();
    let kept =
        if key.is_empty() || !text.contains(key) { result.clone() } else { Json::trusted(text.replace(key, KEY)) };
    // Around it there is little, of known length.
    (kept.as_str().len() <= MAX_REPEATED_ANSWER - 1024).then_some(kept)
}

/// The answer that the first call had.
fn replayed(kept: &Json, key: &str) -> Answer {
    let Ok(KeptAnswer { execution, skipped, result }) = serde_json::from_str(kept.as_str()) else {
        tracing::error!("a kept answer cannot be read");
        return Answer::Broken;
    };
    let result = result.map(|result| Json::trusted(result.as_str().replace(KEY, key)));
    Answer::Replayed(Replayed { execution, skipped, result })
}
