use chrono::TimeDelta;
use tidegate_model::{ExecutionId, ManualClock, SystemRandomness};

#[test]
fn ids_made_a_microsecond_apart_sort_by_their_time() {
    let clock = ManualClock::new("2026-03-01T11:59:59.998500Z".parse().unwrap());
    let mut last = ExecutionId::generate(&clock, &SystemRandomness);
    assert_eq!(last.0.get_version_num(), 7);
    for _ in 0..3000 {
        clock.advance(TimeDelta::microseconds(1));
        let next = ExecutionId::generate(&clock, &SystemRandomness);
        assert!(last < next, "{last} {next}");
        last = next;
    }
}
