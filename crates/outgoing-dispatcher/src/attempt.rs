//! One attempt: on record before the call, judged after it.

use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use tidegate_engine::NotSent;
use tidegate_model::{Delivery, Execution, Integration, OutgoingSettings, PauseReason, PlannedCall, Status, TenantId};

use crate::credential::{Came, Companion};
use crate::deliver::{Deliverer, Turn, last_error, made, success};
use crate::http::{self, NoAnswer};
use crate::lanes::Slot;
use crate::record;
use crate::retry::{self, Verdict, verdict};
use crate::settle::Settlement;
use crate::signing::{Keys, Wanting};

/// What a call shows of who makes it.
struct Shown {
    keys: Keys,
    companion: Option<Companion>,
}

impl Deliverer {
    /// Makes the call once more.
    pub(crate) async fn attempt(
        &self,
        delivery: &mut Delivery,
        call: &PlannedCall,
        integration: &Integration,
        slot: &mut Slot,
    ) -> Turn {
        let settings = &integration.settings.outgoing;
        let (started_at, begun) = (self.clock.now(), Instant::now());
        let number = made(&delivery.execution) + 1;
        let tenant = delivery.execution.tenant.clone();
        let Shown { keys, companion } = match self.shown(&tenant, settings).await {
            Ok(shown) => shown,
            // Nothing is amiss with the delivery, so this is no attempt.
            Err(Wanting::Away) => return Turn::Again(self.soon()),
            Err(Wanting::Amiss(reason)) => {
                let call = (call.method, call.url.as_str());
                let attempt = record::never_made(number, started_at, begun.elapsed(), call, reason);
                delivery.execution.attempts.push(attempt);
                return self.judge(delivery, settings, retry::Answer::None);
            }
        };
        let headers = http::headers(call, delivery.execution.id, &keys, started_at, &*self.randomness);
        let limit = self.options.response_limit;
        let masked = &integration.settings.masked_headers;
        let attempt = match &companion {
            None => record::begun(number, started_at, call, &headers, masked, limit),
            Some(companion) => record::begun(number, started_at, call, &companion.masked(&headers), masked, limit),
        };
        delivery.execution.attempts.push(attempt);
        delivery.execution.next_attempt_at = None;
        let timeout = self.options.timeout(settings);
        let leased_until = started_at + self.options.lease_for(timeout);
        let (going_on, stored) = Settlement::going_on(delivery.clone(), leased_until);
        if self.settlements.send(going_on).await.is_err() || !stored.await.unwrap_or(false) {
            return Turn::Lost;
        }
        if self.clock.now() + timeout >= leased_until {
            // Storing took so long that another process could begin before this call ends.
            delivery.execution.attempts.pop();
            return Turn::Again(self.clock.now());
        }

        slot.calls();
        let begun = Instant::now();
        let request = http::request(call, headers, timeout, limit);
        let answer = match companion {
            None => self.egress.call(request).await.map(Came::from).map_err(NotSent::Egress),
            Some(companion) => companion.call(&self.attach, &tenant, request).await,
        };
        let Some(judged) = conclude(delivery, &answer, masked, begun.elapsed()) else {
            return Turn::Again(self.soon());
        };
        let turn = self.judge(delivery, settings, judged);
        match judged {
            retry::Answer::Status { status, .. } => slot.took(!retry::is_passing(status)),
            retry::Answer::None => slot.took(false),
            retry::Answer::Refused => {}
        }
        let arrived = matches!(&turn, Turn::Ended(Status::Success | Status::SuccessWithWarning, _));
        if arrived {
            self.standings.arrived(&tenant, integration.id).await;
            return turn;
        }
        match self.pause_for(judged, call, integration, slot).await {
            Some(why) => turn.adding(&mut delivery.execution, &why),
            None => turn,
        }
    }

    /// Pauses the Integration when the destination says that it is gone, or nothing has arrived for days; why, in words.
    async fn pause_for(
        &self,
        answer: retry::Answer<'_>,
        call: &PlannedCall,
        integration: &Integration,
        slot: &Slot,
    ) -> Option<String> {
        let (tenant, id) = (&integration.tenant, integration.id);
        let failing = self.standings.failed(tenant, id).await;
        let is_gone = matches!(answer, retry::Answer::Status { status: 410, .. });
        // A call that was planned before the URL was changed says nothing of where calls go now.
        let url = integration.direction.url().and_then(|url| url.split('#').next()).unwrap_or_default();
        let (reason, why) = if is_gone && call.url.starts_with(url) {
            (PauseReason::Gone, "the Integration is paused until somebody resumes it".to_owned())
        } else {
            let since = failing?.to_rfc3339_opts(SecondsFormat::Secs, true);
            let why =
                format!("no call has arrived since {since}, and the Integration is paused until somebody resumes it");
            (PauseReason::Failing, why)
        };
        if !self.standings.pause(tenant, id, reason).await {
            return None;
        }
        slot.pause();
        Some(why)
    }

    /// What the settings want shown, with what there is now.
    async fn shown(&self, tenant: &TenantId, settings: &OutgoingSettings) -> Result<Shown, Wanting> {
        let keys = Keys::find(&*self.vault, tenant, &settings.signing_credentials).await?;
        let companion = match &settings.credential {
            None => None,
            Some(name) => Some(Companion::find(&*self.vault, tenant, name).await?),
        };
        Ok(Shown { keys, companion })
    }

    /// What follows.
    pub(crate) fn judge(
        &self,
        delivery: &mut Delivery,
        settings: &OutgoingSettings,
        answer: retry::Answer<'_>,
    ) -> Turn {
        let execution = &mut delivery.execution;
        let draw = self.draw();
        match verdict(answer, made(execution), self.clock.now(), self.options.rhythm(settings), draw) {
            Verdict::Arrived => Turn::Ended(success(execution), None),
            Verdict::Again(at) => {
                execution.status = Status::Retrying;
                execution.error = last_error(execution);
                Turn::Again(at)
            }
            Verdict::Dead => Turn::Ended(Status::Dead, last_error(execution)),
            Verdict::Failed => Turn::Ended(Status::Failed, last_error(execution)),
        }
    }
}

/// Completes the attempt by what came of it; `None` when there was none after all.
fn conclude<'a>(
    delivery: &mut Delivery,
    came: &'a Result<Came, NotSent>,
    masked: &[String],
    took: Duration,
) -> Option<retry::Answer<'a>> {
    let attempts = &mut delivery.execution.attempts;
    let attempt = attempts.last_mut()?;
    attempt.duration_us = Some(record::micros(took));
    let why = match came {
        Ok(Came { response, unrenewed }) => {
            record::answered(attempt, response, masked);
            let Some(why) = unrenewed else {
                let retry_after = http::retry_after(response);
                return Some(retry::Answer::Status { status: response.status, retry_after });
            };
            // The 401 is on record; with a new token the call may arrive another time.
            attempt.error = Some(http::unrenewed(why));
            return Some(match http::no_answer(why) {
                NoAnswer::Refused(_) => retry::Answer::Refused,
                NoAnswer::Away(_) | NoAnswer::NotMade => retry::Answer::None,
            });
        }
        Err(why) => why,
    };
    if matches!(why, NotSent::NotAttached(_)) {
        record::never_sent(attempt);
    }
    match http::no_answer(why) {
        NoAnswer::Away(reason) => {
            attempt.error = Some(reason);
            Some(retry::Answer::None)
        }
        NoAnswer::Refused(reason) => {
            attempt.error = Some(reason);
            Some(retry::Answer::Refused)
        }
        NoAnswer::NotMade => {
            attempts.pop();
            None
        }
    }
}

impl Turn {
    /// The same, with more to say of why.
    fn adding(self, execution: &mut Execution, why: &str) -> Self {
        let and = |error: Option<String>| Some(error.map_or_else(|| why.to_owned(), |error| format!("{error}; {why}")));
        match self {
            Self::Ended(status, error) => Self::Ended(status, and(error)),
            other => {
                execution.error = and(execution.error.take());
                other
            }
        }
    }
}
