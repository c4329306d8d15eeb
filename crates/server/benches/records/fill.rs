//! Records of a tenant, evenly over thirty days.

use chrono::{DateTime, TimeDelta};
use tidegate_model::{
    Execution, ExecutionId, ExecutionUser, HttpMethod, IntegrationId, Json, ManualClock, ReceivedRequest, Status,
    SystemRandomness, Tenant, TenantId, Timestamp, Trigger, UserId,
};
use tidegate_storage::Opened;
use uuid::Uuid;

/// So many in one commit.
const BATCH: u32 = 2_000;

/// A tenant with its records.
pub(crate) struct Filled {
    pub(crate) id: TenantId,
    /// The record in the middle of them.
    pub(crate) middle: ExecutionId,
}

/// The Integration of this number.
pub(crate) fn integration(number: u32) -> IntegrationId {
    IntegrationId(Uuid::from_u128(u128::from(number) + 1))
}

/// The instant after this share of the thirty days.
pub(crate) fn spread(share: f64) -> Timestamp {
    let days = TimeDelta::days(30);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "microseconds of thirty days")]
    let micros = (days.num_microseconds().unwrap_or_default() as f64 * share) as i64;
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::microseconds(micros)
}

/// Makes the tenant and its records.
pub(crate) async fn fill(opened: &Opened, name: &str, count: u32) -> Filled {
    let id: TenantId = name.parse().unwrap();
    opened
        .store
        .insert_tenant(&Tenant { id: id.clone(), name: name.to_owned(), created_at: spread(0.0) })
        .await
        .unwrap();
    let mut middle = None;
    let mut batch = Vec::new();
    for number in 0..count {
        let record = record(&id, number, spread(f64::from(number) / f64::from(count)));
        if number == count / 2 {
            middle = Some(record.id);
        }
        batch.push(record);
        if number % BATCH == BATCH - 1 || number + 1 == count {
            opened.store.append_executions(&batch).await.unwrap();
            batch.clear();
        }
    }
    Filled { id, middle: middle.unwrap() }
}

/// What a webhook leaves; each tenth one of an Integration has failed.
pub(crate) fn record(tenant: &TenantId, number: u32, at: Timestamp) -> Execution {
    let status = if (number / 10).is_multiple_of(10) { Status::Failed } else { Status::Success };
    Execution {
        id: ExecutionId::generate(&ManualClock::new(at), &SystemRandomness),
        tenant: tenant.clone(),
        integration: integration(number % 10),
        trigger: Trigger::Webhook,
        status,
        skip_reason: None,
        started_at: at,
        finished_at: Some(at),
        request: Some(ReceivedRequest {
            method: HttpMethod::Post,
            url: "https://hooks.example.com/webhook/***".to_owned(),
            headers: Json::trusted(r#"{"content-type":"application/json","user-agent":"shop/1.0"}"#),
            parameters: Json::of(&serde_json::json!({ "order": number, "sku": format!("art-{number}"), "qty": 3 })),
            caller_address: None,
        }),
        event: None,
        attempts: Vec::new(),
        next_attempt_at: None,
        calls: Vec::new(),
        enable_result: None,
        core_result: Some(Json::of(&serde_json::json!({ "accepted": number }))),
        log: Vec::new(),
        error: (status == Status::Failed).then(|| "core:3: the shop is closed".to_owned()),
        core_logic_version: Some(1),
        enable_logic_version: None,
        execution_user: ExecutionUser { id: UserId(Uuid::nil()), username: "integration/shop".into() },
        replay_of: None,
    }
}
