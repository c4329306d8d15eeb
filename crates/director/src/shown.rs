//! What both faces show, alike.

use tidegate_model::{Execution, Json, LogLine, PlannedCall, Timestamp, kept};

/// A line each, with its time and level.
pub(crate) fn log_text(lines: &[LogLine]) -> String {
    let instant = |time: Timestamp| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let line = |l: &LogLine| format!("{} {} {}", instant(l.time), l.level.as_str(), l.text);
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The headers of a planned call; those of credentials are masked.
pub(crate) fn planned_headers(call: &PlannedCall) -> Json {
    let all = call.headers.attributes().unwrap_or_default();
    let texts: Vec<_> = all.iter().map(|(name, text)| (name.as_str(), text.to_value())).collect();
    kept::headers(texts.iter().filter_map(|(name, text)| Some((*name, text.as_str()?))))
}

/// How many bytes of what came from the bus are shown.
pub(crate) const MAX_PAYLOAD: usize = 64 << 10;

/// The beginning of what came from the bus: text, other bytes as base64.
pub(crate) fn payload(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MAX_PAYLOAD)];
    kept::body(shown, shown.len() < bytes.len())
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "exact for runs of up to 285 years")]
pub(crate) fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

/// How long a run took, where it has ended.
pub(crate) fn duration_ms(execution: &Execution) -> Option<f64> {
    let took = execution.finished_at? - execution.started_at;
    Some(millis(took.num_microseconds()?.max(0).unsigned_abs()))
}
