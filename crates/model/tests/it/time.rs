use chrono::{Datelike as _, TimeZone as _, Utc};
use proptest::prelude::*;
use tidegate_model::{Timestamp, micros, parse_instant, writable};

fn read(text: &str) -> Option<String> {
    parse_instant(text).map(|time| time.to_rfc3339())
}

#[test]
fn an_instant_is_read_in_the_years_that_it_can_be_told_in() {
    for (text, is) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999+00:00"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500+00:00"),
    ] {
        assert_eq!(read(text).as_deref(), Some(is), "{text}");
    }
    for text in [
        "0000-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00+00:01",
        "0000-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59-00:01",
        "2026-01-31",
        "yesterday",
        "",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_was_read_is_told_so_that_it_is_read_again(seconds in -63_000_000_000_i64..254_000_000_000, nanos in 0_u32..2_000_000_000) {
        let time: Timestamp = Utc.timestamp_opt(seconds, nanos).single().unwrap_or_default();
        match writable(time) {
            Some(told) => prop_assert_eq!(parse_instant(&told.to_rfc3339()), Some(told)),
            None => prop_assert!(!(1..=9999).contains(&micros(time).year())),
        }
    }
}
