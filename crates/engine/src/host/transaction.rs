//! `objects.transaction`: what a run changes between its beginning and its end is made at the end, all of it or nothing.

use std::sync::Arc;

use mlua::{MultiValue, Value};
use tidegate_model::Error;
use tidegate_model::contract::{Actor, Objects};

use super::overlay::Overlay;
use super::{Asked, Refusal, mistake};
use crate::running::Running;

/// Reads what the prelude asks for.
pub(super) fn read(run: &Running, args: &MultiValue) -> Result<Option<Asked>, Refusal> {
    match args.front() {
        Some(Value::String(step)) if step == "begin" => {
            let parts = run.parts();
            let overlay = Overlay::new(parts.objects.clone(), parts.clock.clone(), parts.randomness.clone());
            if !run.begin(Arc::new(overlay)) {
                return mistake(
                    "objects.transaction: there is one already, and a transaction within another is not possible",
                );
            }
            Ok(None)
        }
        Some(Value::String(step)) if step == "commit" => match run.end() {
            Some(overlay) => Ok(Some(Asked::Commit(run.actor(), overlay))),
            None => mistake("objects.transaction: it has ended already"),
        },
        _ => {
            run.end();
            Ok(None)
        }
    }
}

/// Makes the changes.
pub(super) async fn commit(objects: &dyn Objects, actor: &Actor, overlay: &Overlay) -> Result<(), Error> {
    let changes = overlay.changes()?;
    if changes.is_empty() {
        return Ok(());
    }
    objects.apply(actor, &changes).await
}
