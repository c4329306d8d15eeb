//! What is done with a call, check by check.

use std::sync::Arc;

use axum::extract::Request;
use tidegate_engine::Run;
use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_model::{
    Error, ExecutionId, Failure, FailureKind, Integration, OpenCredential, Outcome, Runnable, SignatureScheme,
    SignatureSettings, Timestamp, enabling,
};

use crate::admission::{Full, Turn, Widths};
use crate::answer::Answer;
use crate::body;
use crate::fitting;
use crate::gateway::Service;
use crate::head;
use crate::record::{self, Stage};
use crate::repeats::Held;
use crate::request::Received;
use crate::signature::{self, Unverified, Verified};

/// Carries out a call; `Err` is a refusal before anything ran.
pub(crate) async fn handle(service: &Arc<Service>, id: ExecutionId, request: Request) -> Result<Answer, Answer> {
    let time = service.parts.clock.now();
    let (head, body) = request.into_parts();
    head::check(&head)?;
    let key = head.uri.path().strip_prefix("/webhook/").unwrap_or_default();
    let runnable = resolve(service, key).await?;
    let method = runnable.integration.http_method;
    if head.method.as_str() != method.as_str() {
        return Err(Answer::WrongMethod(method));
    }
    let turn = admit(service, &runnable.integration, time).await?;
    let body = body::read(&head.headers, body, &service.options).await?;
    let settings = &runnable.integration.settings;
    let received = Received::new(&head, key, method, &body, &service.options, time, settings);

    let run = run_and_record(service.clone(), id, runnable, received);
    let run = async move {
        let answer = run.await;
        drop(turn);
        answer
    };
    service.runs.spawn(run).await.map_err(|error| {
        tracing::error!(%id, %error, "a run ended without a result");
        Answer::Broken
    })
}

/// Whether this call may come now, and its turn.
async fn admit(service: &Service, integration: &Integration, time: Timestamp) -> Result<Turn, Answer> {
    let (options, own) = (&service.options, &integration.settings.incoming);
    if let Some(limit) = own.rate_limit.or(options.rate_limit) {
        service.rates.count(integration.id, limit, time).map_err(Answer::TooOften)?;
    }
    let own = own.concurrency.and_then(|calls| usize::try_from(calls).ok());
    let widths =
        Widths { tenant: options.max_calls_of_tenant, integration: own.unwrap_or(options.max_calls_of_integration) };
    service.admission.enter(&integration.tenant, integration.id, widths).await.map_err(|Full| Answer::Busy)
}

async fn resolve(service: &Service, key: &str) -> Result<Arc<Runnable>, Answer> {
    match service.parts.registry.resolve(WebhookKeyHash::of(key)).await {
        Ok(Resolved::One(runnable)) => Ok(runnable),
        Ok(Resolved::None) => Err(Answer::Unknown),
        Ok(Resolved::Many) => {
            tracing::error!("more than one integration has the same webhook key");
            Err(Answer::Ambiguous)
        }
        Err(Error::Unavailable(what)) => {
            if let Some(calls) = service.away.refused(what) {
                tracing::warn!(what, calls, "webhooks cannot be resolved now");
            }
            Err(Answer::Away)
        }
        Err(error) => {
            tracing::error!(%error, "a webhook cannot be resolved");
            Err(Answer::Broken)
        }
    }
}

/// Runs a call and returns once its record is durable.
async fn run_and_record(service: Arc<Service>, id: ExecutionId, runnable: Arc<Runnable>, received: Received) -> Answer {
    let Ran { run, stage, held, refusal } = match run(&service, id, &runnable, &received).await {
        Ok(ran) => ran,
        Err(refused) => return refused,
    };
    let (outcome, key) = (run.outcome.clone(), received.key.clone());
    let execution = record::of(id, &runnable, received, run, stage, service.parts.clock.now());
    let (tenant, integration) = (execution.tenant.clone(), execution.integration);
    if let Err(error) = service.parts.recorder.append(execution).await {
        match error {
            Error::Unavailable(what) => {
                if let Some(calls) = service.away.refused(what) {
                    tracing::error!(%id, %tenant, %integration, what, calls, "a run's record cannot be kept");
                }
            }
            error => tracing::error!(%id, %tenant, %integration, %error, "a run's record cannot be kept"),
        }
        held.release(&service).await;
        return Answer::NotRecorded;
    }
    held.end(&service, &key, &outcome).await;
    if let Outcome::Failed(failure) = &outcome {
        tracing::info!(%id, %tenant, %integration, kind = ?failure.kind, "an incoming integration failed");
    }
    refusal.unwrap_or(Answer::Ran(outcome))
}

/// A run, and how far it came.
struct Ran {
    run: Run,
    stage: Stage,
    held: Held,
    /// What the caller is told where the outcome does not say it.
    refusal: Option<Answer>,
}

impl Ran {
    fn without_scripts(outcome: Outcome, stage: Stage) -> Self {
        Self { run: Run::without_scripts(outcome), stage, held: Held::default(), refusal: None }
    }
}

/// Runs a call as far as it may come. A definition that does not run now skips even a call that is not signed or cannot be read; such a call
/// fails before any script runs. `Err` is a refusal that leaves no record.
async fn run(service: &Service, id: ExecutionId, runnable: &Arc<Runnable>, received: &Received) -> Result<Ran, Answer> {
    if let Some(reason) = enabling::skip_reason(&runnable.integration, received.call.time) {
        return Ok(Ran::without_scripts(Outcome::Skipped(reason), Stage::Door));
    }
    let mut delivery = None;
    if let Some(signature) = &runnable.integration.settings.incoming.signature {
        match verify(service, id, &runnable.integration, signature, received).await? {
            Ok(Verified { answer: None, delivery: id }) => delivery = id,
            Ok(Verified { answer: Some(answer), .. }) => {
                return Ok(Ran::without_scripts(Outcome::Succeeded(answer), Stage::Signature));
            }
            Err(failure) => {
                let refusal =
                    (failure.kind == FailureKind::Input).then(|| Answer::Unsigned(challenge(&runnable.integration)));
                return Ok(Ran { refusal, ..Ran::without_scripts(Outcome::Failed(failure), Stage::Signature) });
            }
        }
    }
    if let Some(failure) = &received.unreadable {
        return Ok(Ran::without_scripts(Outcome::Failed(failure.clone()), Stage::Door));
    }
    if let Some(misfit) = fitting::check(service, &runnable.integration, received).await? {
        let refusal = Some(Answer::Unfit(misfit.all));
        return Ok(Ran { refusal, ..Ran::without_scripts(Outcome::Failed(misfit.failure), Stage::Body) });
    }
    let held = Held::take(service, id, &runnable.integration, received, delivery.as_deref()).await?;
    let run = service.parts.engine.run_incoming(runnable, &received.call).await;
    Ok(Ran { run, stage: Stage::Scripts, held, refusal: None })
}

/// Whether the call is signed as it has to be. A secret that cannot be had now refuses it; one that is not there, or does not fit, fails it.
async fn verify(
    service: &Service,
    id: ExecutionId,
    integration: &Integration,
    signature: &SignatureSettings,
    received: &Received,
) -> Result<Result<Verified, Failure>, Answer> {
    let broken = |what: String| Failure { message: format!("signature: {what}"), kind: FailureKind::Platform };
    let mut credentials: Vec<Arc<OpenCredential>> = Vec::with_capacity(signature.credentials.len());
    for name in &signature.credentials {
        match service.parts.vault.credential(&integration.tenant, name).await {
            Ok(Some(credential)) => credentials.push(credential),
            Ok(None) => return Ok(Err(broken(format!("there is no credential {name}")))),
            Err(Error::Unavailable(what)) => {
                if let Some(calls) = service.away.refused(what) {
                    tracing::warn!(%id, what, calls, "signatures cannot be checked now");
                }
                return Err(Answer::Away);
            }
            Err(error) => {
                tracing::error!(%id, %error, "a signature cannot be checked");
                return Err(Answer::Broken);
            }
        }
    }
    let Some(evidence) = &received.evidence else { return Ok(Err(broken("nothing to check it on".to_owned()))) };
    match signature::verify(signature, &credentials, evidence) {
        Ok(verified) => {
            tracing::debug!(%id, delivery = ?verified.delivery, "a signature is right");
            Ok(Ok(verified))
        }
        Err(why @ Unverified::NoSecret) => Ok(Err(broken(why.to_string()))),
        Err(why) => Ok(Err(Failure { message: format!("signature: {why}"), kind: FailureKind::Input })),
    }
}

/// How a caller is told what to show (RFC 9110, section 11.6.1); webhooks' signatures have no such word.
fn challenge(integration: &Integration) -> Option<&'static str> {
    let signature = integration.settings.incoming.signature.as_ref()?;
    (signature.scheme == SignatureScheme::Basic).then_some("Basic realm=\"webhook\", charset=\"UTF-8\"")
}
