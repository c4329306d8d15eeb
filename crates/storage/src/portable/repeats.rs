//! Which calls of webhooks came.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tidegate_model::contract::{Claim, Claimed};
use tidegate_model::{Json, Timestamp};
use uuid::Uuid;

use super::super::dialect::Connection;
use super::row::Columns;
use super::{Database, micros, sql, tenants};
use crate::body;
use crate::contract::RepeatStep;
use crate::fault::Fault;

statements! {
    CLAIM = "INSERT INTO repeat (tenant, hash, content, holder, held_until, answer) VALUES ($1, $2, $3, $4, $5, NULL) \
        ON CONFLICT (tenant, hash) DO UPDATE SET content = excluded.content, holder = excluded.holder, \
        held_until = excluded.held_until, answer = NULL WHERE repeat.held_until <= $6";
    FIND = "SELECT content, holder, answer FROM repeat WHERE tenant = $1 AND hash = $2";
    SETTLE = "UPDATE repeat SET answer = $4, held_until = $5 WHERE tenant = $1 AND hash = $2 AND holder = $3";
    RELEASE = "DELETE FROM repeat WHERE tenant = $1 AND hash = $2 AND holder = $3";
    PRUNE = "DELETE FROM repeat WHERE (tenant, hash) IN \
        (SELECT tenant, hash FROM repeat WHERE held_until <= $1 ORDER BY held_until LIMIT $2)";
}

/// In the order of their keys, so that two batches never wait for each other.
pub(super) async fn take(db: &Database, steps: &[RepeatStep]) -> Result<Vec<Claimed>, Fault> {
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|place| {
        let claim = claim_of(&steps[*place]);
        (&claim.tenant, claim.key)
    });
    let mut found = vec![Claimed::First; steps.len()];
    let mut change = db.change().await?;
    let mut held = HashMap::new();
    for place in order {
        let tenant = &claim_of(&steps[place]).tenant;
        let there = match held.entry(tenant) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(tenants::hold(&mut change, tenant).await?),
        };
        if there {
            found[place] = take_one(&mut change, &steps[place]).await?;
        }
    }
    change.commit().await?;
    Ok(found)
}

pub(super) async fn prune(db: &Database, now: Timestamp, max: u32) -> Result<u64, Fault> {
    let prune = sql(PRUNE).bind(micros(now)).bind(i64::from(max));
    Ok(prune.execute(&mut *db.writes().await?).await?.rows_affected())
}

async fn take_one(change: &mut Connection, step: &RepeatStep) -> Result<Claimed, Fault> {
    match step {
        RepeatStep::Claim { claim, now, until } => {
            let insert = sql(CLAIM)
                .bind(claim.tenant.as_str())
                .bind(&claim.key.0[..])
                .bind(&claim.content.0[..])
                .bind(claim.holder.0)
                .bind(micros(*until))
                .bind(micros(*now));
            if insert.execute(&mut *change).await?.rows_affected() == 1 {
                return Ok(Claimed::First);
            }
            find(change, claim).await
        }
        RepeatStep::Settle { claim, answer, until } => {
            let settle = sql(SETTLE)
                .bind(claim.tenant.as_str())
                .bind(&claim.key.0[..])
                .bind(claim.holder.0)
                .bind(body::pack(answer)?)
                .bind(micros(*until));
            settle.execute(change).await?;
            Ok(Claimed::First)
        }
        RepeatStep::Release { claim } => {
            let release = sql(RELEASE).bind(claim.tenant.as_str()).bind(&claim.key.0[..]).bind(claim.holder.0);
            release.execute(change).await?;
            Ok(Claimed::First)
        }
    }
}

/// What another call that has the key is to this one.
async fn find(change: &mut Connection, claim: &Claim) -> Result<Claimed, Fault> {
    let row = sql(FIND).bind(claim.tenant.as_str()).bind(&claim.key.0[..]).fetch_one(change).await?;
    let columns = Columns::of("repeat", &row);
    if columns.hash("content")? != claim.content.0 {
        return Ok(Claimed::OtherContent);
    }
    if columns.get::<Option<&[u8]>>("answer")?.is_some() {
        return Ok(Claimed::Answered(columns.body::<Json>("answer")?));
    }
    let is_own = columns.get::<Uuid>("holder")? == claim.holder.0;
    Ok(if is_own { Claimed::First } else { Claimed::Running })
}

fn claim_of(step: &RepeatStep) -> &Claim {
    let (RepeatStep::Claim { claim, .. } | RepeatStep::Settle { claim, .. } | RepeatStep::Release { claim }) = step;
    claim
}
