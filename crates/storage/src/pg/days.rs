//! Records by day: each day's are a table of their own, a range of ids (`migrations/postgres/0018_days.sql`).

use uuid::Uuid;

use super::dialect::Connection;

statements! {
    MAKE = "SELECT make_execution_day($1)";
    DROP = "SELECT drop_execution_day($1)";
    KEPT = "SELECT (array_agg(low ORDER BY low))[1], (array_agg(high ORDER BY high DESC))[1] FROM execution_places() \
        WHERE low IS NOT NULL AND high > $1";
}

/// How many days are there before they begin: as long as nobody has to make any.
const AHEAD: i32 = 3;

/// Makes this day, counted from 1970, and those after it; answers how many were made. Each is a transaction of its own.
pub(crate) async fn make(connection: &mut Connection, today: i32) -> sqlx::Result<u64> {
    let mut made = 0;
    for day in today..=today + AHEAD {
        match sqlx::query_scalar::<_, String>(MAKE).bind(day).fetch_one(&mut *connection).await?.as_str() {
            "made" => made += 1,
            "there" => {}
            reason if day == today => tracing::warn!(reason, "today's records have no place of their own"),
            reason => tracing::debug!(day, reason, "a day's place was not made"),
        }
    }
    Ok(made)
}

/// Drops days whose every record began before then, in microseconds, the oldest first; answers how many. Each is a transaction of its own.
pub(crate) async fn drop(connection: &mut Connection, before: i64) -> sqlx::Result<u64> {
    let mut dropped = 0;
    loop {
        match sqlx::query_scalar::<_, String>(DROP).bind(before).fetch_one(&mut *connection).await?.as_str() {
            "dropped" => dropped += 1,
            reason => {
                tracing::debug!(dropped, reason, "no further day was dropped");
                return Ok(dropped);
            }
        }
    }
}

/// The ids of the days that are there and not overdue, the first and the one after the last; none are as if they came after all.
pub(crate) async fn kept(connection: &mut Connection, overdue: Uuid) -> sqlx::Result<(Uuid, Uuid)> {
    let (from, to) =
        sqlx::query_as::<_, (Option<Uuid>, Option<Uuid>)>(KEPT).bind(overdue).fetch_one(&mut *connection).await?;
    Ok((from.unwrap_or(Uuid::max()), to.unwrap_or(Uuid::max())))
}
