//! Whether a trial calls what was called then.

use tidegate_model::contract::Tried;
use tidegate_model::{Attempt, Call, Execution, Json, PlannedCall, means_the_same};

/// A call, as far as two of them are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldCall {
    pub method: String,
    pub url: String,
    pub body: Option<String>,
}

/// A call that is another one in a trial, or one that only the record or only the trial has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallDifference {
    pub recorded: Option<ToldCall>,
    pub tried: Option<ToldCall>,
}

impl From<&Call> for ToldCall {
    fn from(call: &Call) -> Self {
        Self { method: call.method.clone(), url: call.url.clone(), body: call.request_body.clone() }
    }
}

impl From<&Attempt> for ToldCall {
    fn from(attempt: &Attempt) -> Self {
        let method = attempt.method.as_str().to_owned();
        Self { method, url: attempt.url.clone(), body: attempt.request_body.clone() }
    }
}

impl From<&PlannedCall> for ToldCall {
    fn from(call: &PlannedCall) -> Self {
        let body = call.body.as_ref().map(|body| body.as_str().to_owned());
        Self { method: call.method.as_str().to_owned(), url: call.url.clone(), body }
    }
}

/// The calls that differ: those of the scripts one by one, then the one that the result asks for.
pub(super) fn differing(record: &Execution, tried: &Tried) -> Vec<CallDifference> {
    let (before, now) = (record.calls.iter().map(ToldCall::from), tried.calls.iter().map(ToldCall::from));
    let mut all = in_pairs(before.collect(), now.collect());
    // What stands for an attempt that could not even be begun has no headers.
    let attempt = record.attempts.iter().find(|attempt| attempt.request_headers != Json::empty_object());
    let planned = tried.plan.as_ref().and_then(|plan| plan.as_ref().ok());
    all.push(CallDifference { recorded: attempt.map(ToldCall::from), tried: planned.map(ToldCall::from) });
    all.retain(|pair| match (&pair.recorded, &pair.tried) {
        (Some(before), Some(now)) => !same(before, now),
        (None, None) => false,
        _ => true,
    });
    all
}

fn in_pairs(before: Vec<ToldCall>, now: Vec<ToldCall>) -> Vec<CallDifference> {
    let most = before.len().max(now.len());
    let (mut before, mut now) = (before.into_iter(), now.into_iter());
    (0..most).map(|_| CallDifference { recorded: before.next(), tried: now.next() }).collect()
}

fn same(before: &ToldCall, now: &ToldCall) -> bool {
    let bodies = match (&before.body, &now.body) {
        (Some(before), Some(now)) => same_body(before, now),
        (before, now) => before == now,
    };
    before.method == now.method && before.url == now.url && bodies
}

/// JSON is compared by meaning: Lua writes the keys of a table in any order. Of a body that was cut only the length is known.
fn same_body(before: &str, now: &str) -> bool {
    if before == now {
        return true;
    }
    match (Json::parse(before), Json::parse(now)) {
        (Ok(before), Ok(now)) => means_the_same(&before, &now),
        _ => length_of_cut(before).is_some_and(|length| length == length_of_cut(now).unwrap_or(now.len())),
    }
}

/// How long a text was before it was cut, as `kept::start_of` says.
fn length_of_cut(text: &str) -> Option<usize> {
    let (_, said) = text.rsplit_once("… (")?;
    said.strip_suffix(" bytes in all)")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use tidegate_model::kept::start_of;

    use super::*;

    #[test]
    fn bodies_are_the_same_by_meaning_and_cut_ones_by_length() {
        let long = |c: &str| c.repeat(100);
        for (before, now) in [
            (r#"{"a":1,"b":2}"#.to_owned(), r#"{"b":2.0, "a":1}"#.to_owned()),
            ("x".to_owned(), "x".to_owned()),
            (start_of(&long("x"), 10), long("y")),
            (start_of(&long("x"), 10), start_of(&long("y"), 20)),
        ] {
            assert!(same_body(&before, &now), "{before} {now}");
        }
        for (before, now) in [
            (r#"{"a":1}"#.to_owned(), r#"{"a":2}"#.to_owned()),
            ("x".to_owned(), "y".to_owned()),
            (start_of(&long("x"), 10), long("y") + "y"),
            (long("x"), long("y")),
        ] {
            assert!(!same_body(&before, &now), "{before} {now}");
        }
    }
}
