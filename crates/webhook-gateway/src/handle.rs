//! What is done with a call, check by check.

use std::sync::Arc;

use axum::extract::Request;
use tidegate_engine::Run;
use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_model::{Error, ExecutionId, Integration, Outcome, Runnable, Timestamp, enabling};

use crate::admission::{Full, Turn, Widths};
use crate::answer::Answer;
use crate::body;
use crate::gateway::Service;
use crate::head;
use crate::record;
use crate::request::Received;

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
    let received = Received::new(&head, key, method, &body, &service.options, time);

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
    let options = &service.options;
    if let Some(limit) = options.rate_limit {
        service.rates.count(integration.id, limit, time).map_err(Answer::TooOften)?;
    }
    let widths = Widths { tenant: options.max_calls_of_tenant, integration: options.max_calls_of_integration };
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
            tracing::warn!(what, "a webhook cannot be resolved now");
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
    let run = run(&service, &runnable, &received).await;
    let outcome = run.outcome.clone();
    let execution = record::of(id, &runnable, received, run, service.parts.clock.now());
    let (tenant, integration) = (execution.tenant.clone(), execution.integration);
    if let Err(error) = service.parts.recorder.append(execution).await {
        tracing::error!(%id, %tenant, %integration, %error, "a run's record cannot be kept");
        return Answer::NotRecorded;
    }
    if let Outcome::Failed(failure) = &outcome {
        tracing::info!(%id, %tenant, %integration, kind = ?failure.kind, "an incoming integration failed");
    }
    Answer::Ran(outcome)
}

/// A definition that does not run now skips even a call that cannot be read; such a call fails before any script runs.
async fn run(service: &Service, runnable: &Arc<Runnable>, received: &Received) -> Run {
    if let Some(reason) = enabling::skip_reason(&runnable.integration, received.call.time) {
        return Run::without_scripts(Outcome::Skipped(reason));
    }
    if let Some(failure) = &received.unreadable {
        return Run::without_scripts(Outcome::Failed(failure.clone()));
    }
    service.parts.engine.run_incoming(runnable, &received.call).await
}
