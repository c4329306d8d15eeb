//! `time`, in seconds since 1970 (with a fraction) and RFC 3339 in UTC; and `uuid`.

use std::rc::Rc;

use chrono::{DateTime, SecondsFormat, Utc};
use mlua::{Lua, Table};
use tidegate_model::kept;

use super::answering;
use crate::sandbox::Shared;

pub(super) fn table(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let telling = Rc::clone(shared);
    table.raw_set(
        "now",
        answering(lua, move |_, ()| {
            let run = telling.run.borrow().clone().ok_or("no run")?;
            Ok(seconds(run.parts().clock.now()))
        })?,
    )?;
    table.raw_set(
        "parse",
        answering(lua, |_, text: String| {
            let instant = DateTime::parse_from_rfc3339(&text)
                .map_err(|e| format!("{:?} is not RFC 3339: {e}", kept::start_of(&text, 64)))?;
            Ok(seconds(instant.with_timezone(&Utc)))
        })?,
    )?;
    let formatting = Rc::clone(shared);
    table.raw_set(
        "format",
        answering(lua, move |_, seconds: Option<f64>| {
            let instant = match seconds {
                Some(seconds) => instant(seconds).ok_or_else(|| format!("no such time: {seconds}"))?,
                None => formatting.run.borrow().clone().ok_or("no run")?.parts().clock.now(),
            };
            Ok(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        })?,
    )?;
    Ok(table)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit a double's 53 bits until the year 2255")]
fn seconds(instant: DateTime<Utc>) -> f64 {
    instant.timestamp_micros() as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "out of range saturates, and is no time then")]
fn instant(seconds: f64) -> Option<DateTime<Utc>> {
    if !seconds.is_finite() {
        return None;
    }
    DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)
}

pub(super) fn uuid(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let drawing = Rc::clone(shared);
    table.raw_set(
        "v4",
        answering(lua, move |_, ()| {
            let run = drawing.run.borrow().clone().ok_or("no run")?;
            Ok(run.parts().randomness.uuid().to_string())
        })?,
    )?;
    let sorting = Rc::clone(shared);
    table.raw_set(
        "v7",
        answering(lua, move |_, ()| {
            let run = sorting.run.borrow().clone().ok_or("no run")?;
            let mut random = [0; 10];
            run.parts().randomness.fill(&mut random);
            let millis = u64::try_from(run.parts().clock.now().timestamp_millis()).unwrap_or(0);
            Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
        })?,
    )?;
    Ok(table)
}
