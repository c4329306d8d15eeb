//! Durations and sizes, written with their unit.

use std::time::Duration;

const DURATIONS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Reads `500ms`, `10s`, `5m`, `24h`, `30d`; at least a millisecond.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    amount(text, &DURATIONS).map(Duration::from_millis)
}

/// As [`duration`], and `0s`.
pub(crate) fn duration_or_none(text: &str) -> Option<Duration> {
    if text == "0s" { Some(Duration::ZERO) } else { duration(text) }
}

/// Reads `512B`, `64KiB`, `1MiB`, `1GiB`; at least a byte.
pub(crate) fn size(text: &str) -> Option<usize> {
    amount(text, &SIZES).and_then(|bytes| usize::try_from(bytes).ok())
}

/// Reads a whole number from 1 on, of which a machine can have so many things.
pub(crate) fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number| (1..=1 << 24).contains(number))
}

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|amount| *amount > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("30d"), Some(Duration::from_hours(30 * 24)));
        assert_eq!(size("64 KiB"), Some(65_536));
    }

    #[test]
    fn an_amount_without_unit_or_number_or_sense_is_refused() {
        for text in ["10", "s", "", "10x", "-1s", "0s", "1.5s", "99999999999999999d", "10S"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(size("1MB"), None);
        for text in ["0", "-1", "1.5", "", "99999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
