//! Replays and cancelling by filter.

use tidegate_model::ReplayState;
use tidegate_wire::api::v1;

use super::convert::instant;
use crate::service::{CancelledExecutions, ReplayedExecutions};

pub(super) fn message(replay: tidegate_model::Replay) -> v1::Replay {
    let state = match replay.state {
        ReplayState::Running => v1::ReplayState::Running,
        ReplayState::Done => v1::ReplayState::Done,
        ReplayState::Stopped => v1::ReplayState::Stopped,
    };
    v1::Replay {
        id: replay.id.to_string(),
        state: state.into(),
        count: told(replay.count),
        replayed: told(replay.replayed),
        refused: told(replay.refused),
        rate_per_second: told(replay.rate_per_second.into()),
        created_by: replay.created_by,
        created_at: Some(instant(replay.created_at)),
        ended_at: replay.ended_at.map(instant),
    }
}

pub(super) fn replayed(answer: &ReplayedExecutions) -> v1::ReplayedExecutions {
    v1::ReplayedExecutions {
        count: told(answer.count),
        replay_id: answer.replay.as_ref().map(|replay| replay.id.to_string()),
    }
}

pub(super) fn cancelled(answer: &CancelledExecutions) -> v1::CancelledExecutions {
    v1::CancelledExecutions {
        count: told(answer.count),
        cancelled: told(answer.cancelled),
        in_hand: told(answer.in_hand),
    }
}

fn told(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
