//! What every [`Repeats`] does. Included by the tests of each crate that implements it.

use std::sync::Arc;

use tidegate_model::contract::{Claim, Claimed, ContentHash, RepeatKey, RepeatedBy, Repeats};
use tidegate_model::{ExecutionId, IntegrationId, Json, SystemClock, SystemRandomness, TenantId, Timestamp};
use uuid::Uuid;

/// Whatever time it is.
const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(NOW + seconds, 0).unwrap()
}

/// A new call of `tenant` with this key that says this.
pub(crate) fn call(tenant: &TenantId, key: &str, content: &str) -> Claim {
    Claim {
        tenant: tenant.clone(),
        key: RepeatKey::of(IntegrationId(Uuid::from_u128(7)), RepeatedBy::IdempotencyKey, key),
        content: ContentHash::of(&[content.as_bytes()]),
        holder: ExecutionId::generate(&SystemClock, &SystemRandomness),
    }
}

fn answer(text: &str) -> Json {
    Json::of(&text)
}

/// All of it, with two handles on the same memory and two tenants.
pub(crate) async fn holds(one: &Arc<dyn Repeats>, other: &Arc<dyn Repeats>, tenants: [&TenantId; 2]) {
    a_repeated_call_gets_the_answer_of_the_first(one, other, tenants[0]).await;
    a_call_that_says_something_else_is_told_so(one, other, tenants[0]).await;
    tenants_do_not_meet(one, tenants).await;
    what_is_let_go_is_first_again(one, other, tenants[0]).await;
    a_claim_ends_with_its_time(one, other, tenants[0]).await;
    who_lost_its_claim_changes_nothing(one, other, tenants[0]).await;
    of_many_at_once_one_is_first(one, other, tenants[0]).await;
}

async fn a_repeated_call_gets_the_answer_of_the_first(
    one: &Arc<dyn Repeats>,
    other: &Arc<dyn Repeats>,
    tenant: &TenantId,
) {
    let (first, second) = (call(tenant, "repeated", "a"), call(tenant, "repeated", "a"));
    assert_eq!(one.claim(&first, at(0), at(60)).await.unwrap(), Claimed::First);
    assert_eq!(one.claim(&first, at(0), at(60)).await.unwrap(), Claimed::First, "its own, asked twice");
    assert_eq!(other.claim(&second, at(1), at(61)).await.unwrap(), Claimed::Running);
    let large = answer(&"grüße \" ".repeat(20_000));
    one.settle(&first, &large, at(3600)).await.unwrap();
    one.settle(&first, &large, at(3600)).await.unwrap();
    for now in [2, 61, 3599] {
        assert_eq!(other.claim(&second, at(now), at(now + 60)).await.unwrap(), Claimed::Answered(large.clone()));
    }
    assert_eq!(other.claim(&second, at(3600), at(3660)).await.unwrap(), Claimed::First, "its time is over");
}

async fn a_call_that_says_something_else_is_told_so(
    one: &Arc<dyn Repeats>,
    other: &Arc<dyn Repeats>,
    tenant: &TenantId,
) {
    let (first, second) = (call(tenant, "content", "a"), call(tenant, "content", "b"));
    assert_eq!(one.claim(&first, at(0), at(60)).await.unwrap(), Claimed::First);
    assert_eq!(other.claim(&second, at(0), at(60)).await.unwrap(), Claimed::OtherContent);
    one.settle(&first, &answer("a"), at(3600)).await.unwrap();
    assert_eq!(other.claim(&second, at(0), at(60)).await.unwrap(), Claimed::OtherContent);
}

async fn tenants_do_not_meet(repeats: &Arc<dyn Repeats>, tenants: [&TenantId; 2]) {
    for tenant in tenants {
        let claim = call(tenant, "tenants", tenant.as_str());
        assert_eq!(repeats.claim(&claim, at(0), at(60)).await.unwrap(), Claimed::First, "{tenant}");
    }
}

async fn what_is_let_go_is_first_again(one: &Arc<dyn Repeats>, other: &Arc<dyn Repeats>, tenant: &TenantId) {
    let (first, second) = (call(tenant, "released", "a"), call(tenant, "released", "b"));
    assert_eq!(one.claim(&first, at(0), at(60)).await.unwrap(), Claimed::First);
    one.release(&first).await.unwrap();
    assert_eq!(other.claim(&second, at(0), at(60)).await.unwrap(), Claimed::First);
    one.release(&first).await.unwrap();
    let third = call(tenant, "released", "b");
    assert_eq!(one.claim(&third, at(0), at(60)).await.unwrap(), Claimed::Running, "another's stays");
    other.release(&second).await.unwrap();
    assert_eq!(one.claim(&third, at(0), at(60)).await.unwrap(), Claimed::First);
}

async fn a_claim_ends_with_its_time(one: &Arc<dyn Repeats>, other: &Arc<dyn Repeats>, tenant: &TenantId) {
    let (first, second) = (call(tenant, "expired", "a"), call(tenant, "expired", "b"));
    assert_eq!(one.claim(&first, at(0), at(60)).await.unwrap(), Claimed::First);
    assert_eq!(other.claim(&second, at(59), at(119)).await.unwrap(), Claimed::OtherContent);
    assert_eq!(other.claim(&second, at(60), at(120)).await.unwrap(), Claimed::First);
}

async fn who_lost_its_claim_changes_nothing(one: &Arc<dyn Repeats>, other: &Arc<dyn Repeats>, tenant: &TenantId) {
    let (first, second) = (call(tenant, "lost", "a"), call(tenant, "lost", "a"));
    assert_eq!(one.claim(&first, at(0), at(60)).await.unwrap(), Claimed::First);
    assert_eq!(other.claim(&second, at(60), at(120)).await.unwrap(), Claimed::First);
    one.settle(&first, &answer("late"), at(3600)).await.unwrap();
    one.release(&first).await.unwrap();
    let third = call(tenant, "lost", "a");
    assert_eq!(one.claim(&third, at(61), at(121)).await.unwrap(), Claimed::Running);
    other.settle(&second, &answer("right"), at(3600)).await.unwrap();
    one.settle(&first, &answer("later"), at(3600)).await.unwrap();
    one.release(&first).await.unwrap();
    assert_eq!(one.claim(&third, at(61), at(121)).await.unwrap(), Claimed::Answered(answer("right")));
}

async fn of_many_at_once_one_is_first(one: &Arc<dyn Repeats>, other: &Arc<dyn Repeats>, tenant: &TenantId) {
    for round in 0..8 {
        let key = format!("race-{round}");
        let claims: Vec<Claim> = (0..16).map(|_| call(tenant, &key, "a")).collect();
        let asked = claims.iter().enumerate().map(|(number, claim)| {
            let repeats = if number % 2 == 0 { one } else { other };
            async move { repeats.claim(claim, at(0), at(60)).await.unwrap() }
        });
        let found = futures::future::join_all(asked).await;
        assert_eq!(found.iter().filter(|found| **found == Claimed::First).count(), 1, "{found:?}");
        assert_eq!(found.iter().filter(|found| **found == Claimed::Running).count(), 15, "{found:?}");
    }
}
