use chrono::{TimeDelta, TimeZone, Utc};
use proptest::prelude::*;
use tidegate_model::enabling::skip_reason;
use tidegate_model::{
    Direction, ExecutionUser, HttpMethod, Integration, IntegrationId, LogicId, Settings, SkipReason, SystemClock,
    SystemRandomness, Timestamp, UserId,
};

fn at(seconds: i64) -> Timestamp {
    Utc.timestamp_opt(1_800_000_000 + seconds, 0).unwrap()
}

fn integration(active: bool, from: Option<Timestamp>, to: Option<Timestamp>) -> Integration {
    let (clock, random) = (&SystemClock, &SystemRandomness);
    Integration {
        id: IntegrationId::generate(clock, random),
        tenant: "acme".parse().unwrap(),
        name: "orders".into(),
        description: None,
        direction: Direction::Incoming,
        http_method: HttpMethod::Post,
        active,
        effective_date: from,
        expiry_date: to,
        core_logic: LogicId::generate(clock, random),
        enable_logic: None,
        core_version: None,
        enable_version: None,
        settings: Settings::default(),
        paused: None,
        execution_user: ExecutionUser { id: UserId::generate(clock, random), username: "integration/orders".into() },
        created_at: at(0),
        updated_at: at(0),
    }
}

#[test]
fn both_ends_of_the_window_are_inclusive_and_an_absent_end_is_open() {
    let tick = TimeDelta::microseconds(1);
    let window = integration(true, Some(at(0)), Some(at(10)));
    assert_eq!(skip_reason(&window, at(0) - tick), Some(SkipReason::NotInEffect));
    assert_eq!(skip_reason(&window, at(0)), None);
    assert_eq!(skip_reason(&window, at(10)), None);
    assert_eq!(skip_reason(&window, at(10) + tick), Some(SkipReason::NotInEffect));
    assert_eq!(skip_reason(&integration(true, None, Some(at(0))), at(-999)), None);
    assert_eq!(skip_reason(&integration(true, Some(at(0)), None), at(999)), None);
}

proptest! {
    #[test]
    fn inactive_is_told_before_the_window(from in proptest::option::of(-9i64..9), to in proptest::option::of(-9i64..9), now in -9i64..9) {
        let it = integration(false, from.map(at), to.map(at));
        prop_assert_eq!(skip_reason(&it, at(now)), Some(SkipReason::Inactive));
    }
}
