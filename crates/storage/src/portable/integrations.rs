//! Integrations as they change, with their execution users, subscriptions and webhook keys.

use tidegate_model::{Direction, Error, Event, Integration, IntegrationId, Json, TenantId};
use uuid::Uuid;

use super::super::dialect::Connection;
use super::{Database, logics, maybe_micros, micros, orphans, outbox, sql, tenants};
use crate::codec::direction;
use crate::contract::WebhookKeyRow;
use crate::fault::{Fault, taken};

statements! {
    INSERT_USER = "INSERT INTO execution_user (tenant, id, username) VALUES ($1, $2, $3)";
    DISABLE_USER = "UPDATE execution_user SET disabled_at = $3 WHERE tenant = $1 AND id = $2";
    INSERT = "INSERT INTO integration (tenant, id, direction, description, http_method, active, effective_date, expiry_date, \
        core_logic, core_pin, enable_logic, enable_pin, settings, url, updated_at, name, execution_user, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    UPDATE = "UPDATE integration SET description = $4, http_method = $5, active = $6, effective_date = $7, expiry_date = $8, \
        core_logic = $9, core_pin = $10, enable_logic = $11, enable_pin = $12, settings = $13, url = $14, updated_at = $15, \
        paused_at = CASE WHEN url = $14 THEN paused_at END, pause_reason = CASE WHEN url = $14 THEN pause_reason END, \
        failing_since = CASE WHEN url = $14 THEN failing_since END \
        WHERE tenant = $1 AND id = $2 AND direction = $3";
    DELETE = "DELETE FROM integration WHERE tenant = $1 AND id = $2 RETURNING execution_user";
    SUBSCRIBE = "INSERT INTO subscription (tenant, integration, object_type, event_type) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    UNSUBSCRIBE = "DELETE FROM subscription WHERE tenant = $1 AND integration = $2";
    INSERT_KEY = "INSERT INTO webhook_key (tenant, integration, hash, sealed) VALUES ($1, $2, $3, $4)";
    REPLACE_KEY = "UPDATE webhook_key SET hash = $3, sealed = $4 WHERE tenant = $1 AND integration = $2";
    SEALED_KEY = "SELECT sealed FROM webhook_key WHERE tenant = $1 AND integration = $2";
}

const KIND: &str = "Integration";

pub(super) async fn insert(
    db: &Database,
    integration: &Integration,
    key: Option<&WebhookKeyRow>,
    event: &Event,
) -> Result<(), Fault> {
    let (tenant, user) = (&integration.tenant, &integration.execution_user);
    let mut change = db.change_within(&integration.tenant).await?;
    tenants::require(&mut change, tenant).await?;
    require_logics(&mut change, integration).await?;
    let insert_user = sql(INSERT_USER).bind(tenant.as_str()).bind(user.id.0).bind(user.username.as_str());
    insert_user.execute(&mut *change).await?;
    let insert =
        bind(INSERT, integration).bind(integration.name.as_str()).bind(user.id.0).bind(micros(integration.created_at));
    insert.execute(&mut *change).await.map_err(|e| taken(e, KIND, &integration.name))?;
    subscribe(&mut change, integration).await?;
    if let (Some(key), Direction::Incoming) = (key, &integration.direction) {
        put_key(&mut change, INSERT_KEY, tenant, integration.id, key).await?;
    }
    outbox::commit(db, change, [event]).await
}

pub(super) async fn update(db: &Database, integration: &Integration, event: &Event) -> Result<(), Fault> {
    let mut change = db.change_of(&integration.tenant).await?;
    require_logics(&mut change, integration).await?;
    if bind(UPDATE, integration).execute(&mut *change).await?.rows_affected() == 0 {
        return Err(Error::not_found(KIND, integration.id).into());
    }
    sql(UNSUBSCRIBE).bind(integration.tenant.as_str()).bind(integration.id.0).execute(&mut *change).await?;
    subscribe(&mut change, integration).await?;
    outbox::commit(db, change, [event]).await
}

/// Key and subscriptions go with it by their foreign keys. Answers whether it may have open deliveries left that nobody has in hand.
pub(super) async fn delete(db: &Database, tenant: &TenantId, id: IntegrationId, event: &Event) -> Result<bool, Fault> {
    let mut change = db.change_of(tenant).await?;
    let deleted = sql(DELETE).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *change).await?;
    let deleted = deleted.ok_or_else(|| Error::not_found(KIND, id))?;
    let user: Uuid = sqlx::Row::try_get(&deleted, "execution_user")?;
    let disable = sql(DISABLE_USER).bind(tenant.as_str()).bind(user).bind(micros(event.time));
    disable.execute(&mut *change).await?;
    let ended = orphans::end(&mut change, tenant, id, event.time, orphans::STEP).await?;
    outbox::commit(db, change, [event]).await?;
    Ok(ended == orphans::STEP)
}

pub(super) async fn webhook_keys(
    db: &Database,
    tenant: &TenantId,
    ids: &[IntegrationId],
) -> Result<Vec<(IntegrationId, Vec<u8>)>, Fault> {
    let mut look = db.look_of(tenant).await?;
    let mut keys = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(row) = sql(SEALED_KEY).bind(tenant.as_str()).bind(id.0).fetch_optional(&mut *look).await? {
            keys.push((*id, sqlx::Row::try_get(&row, "sealed")?));
        }
    }
    Ok(keys)
}

pub(super) async fn replace_webhook_keys(
    db: &Database,
    tenant: &TenantId,
    keys: &[(IntegrationId, WebhookKeyRow)],
    events: &[Event],
) -> Result<(), Fault> {
    // In the order of ids, so that two calls with the same Integrations do not wait for each other in a circle.
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_by_key(|(id, _)| *id);
    let mut change = db.change_of(tenant).await?;
    for (id, key) in keys {
        if put_key(&mut change, REPLACE_KEY, tenant, *id, key).await? == 0 {
            let refusal = format!("Integration {id} is not an INCOMING one of this tenant; no key was changed");
            return Err(Error::InvalidOperation(refusal).into());
        }
    }
    outbox::commit(db, change, events).await
}

async fn put_key(
    connection: &mut Connection,
    statement: &'static str,
    tenant: &TenantId,
    id: IntegrationId,
    key: &WebhookKeyRow,
) -> Result<u64, Fault> {
    let put = sql(statement).bind(tenant.as_str()).bind(id.0).bind(key.hash.0.to_vec()).bind(key.sealed.as_slice());
    Ok(put.execute(connection).await?.rows_affected())
}

async fn require_logics(connection: &mut Connection, integration: &Integration) -> Result<(), Fault> {
    for logic in [Some(integration.core_logic), integration.enable_logic].into_iter().flatten() {
        logics::require(connection, &integration.tenant, logic).await?;
    }
    Ok(())
}

async fn subscribe(connection: &mut Connection, integration: &Integration) -> Result<(), Fault> {
    let Direction::Outgoing { subscriptions, .. } = &integration.direction else { return Ok(()) };
    for subscription in subscriptions {
        let insert = sql(SUBSCRIBE)
            .bind(integration.tenant.as_str())
            .bind(integration.id.0)
            .bind(subscription.object_type.as_str())
            .bind(subscription.event_type.as_str());
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

fn bind(statement: &'static str, integration: &Integration) -> super::Statement {
    let url = match &integration.direction {
        Direction::Incoming => None,
        Direction::Outgoing { url, .. } => Some(url.as_str()),
    };
    sql(statement)
        .bind(integration.tenant.as_str())
        .bind(integration.id.0)
        .bind(direction(&integration.direction))
        .bind(integration.description.as_deref())
        .bind(integration.http_method.as_str())
        .bind(integration.active)
        .bind(maybe_micros(integration.effective_date))
        .bind(maybe_micros(integration.expiry_date))
        .bind(integration.core_logic.0)
        .bind(integration.core_version)
        .bind(integration.enable_logic.map(|id| id.0))
        .bind(integration.enable_version)
        .bind(Json::of(&integration.settings).as_str().to_owned())
        .bind(url)
        .bind(micros(integration.updated_at))
}
