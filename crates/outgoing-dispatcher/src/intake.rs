//! The intake loop: from the log into the table, exactly once per event, whoever else does the same.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_model::cloud_event::CloudEvent;
use tidegate_model::contract::{EventLog, Incomprehensible, LogBounds, LogEntry, Position, Received, Registry};
use tidegate_model::{AsideId, DeliveryOrdering, Error, Event, ExecutionId, Timestamp};
use tidegate_storage::contract::AsideEntry;
use tidegate_storage::{Store, contract};

use crate::Options;
use crate::fan_out::fan_out;
use crate::in_hand::InHand;
use crate::lanes::{Entry, From, Place};

/// How often an entry that the store cannot take is offered before it is kept aside.
const PATIENCE: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Intake {
    pub(crate) options: Arc<Options>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) events: Arc<dyn EventLog>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) in_hand: Arc<InHand>,
    /// When the log was made that the position is known to be a place in.
    pub(crate) log: Mutex<Option<Timestamp>>,
}

/// What one look at the log came to.
enum Turn {
    /// There may be more.
    More,
    /// Nothing after this position, where the log was like this.
    Nothing(Position, LogBounds),
}

impl Intake {
    /// Takes events in until shutdown.
    pub(crate) async fn run(&self) {
        let shutdown = &self.in_hand.shutdown;
        let mut faults = 0;
        let mut pause = Duration::from_millis(50);
        while !shutdown.is_cancelled() {
            match self.turn(faults).await {
                Ok(Turn::More) => faults = 0,
                Ok(Turn::Nothing(position, bounds)) => self.rest(position, bounds).await,
                Err(error) => {
                    if pause == LONGEST_PAUSE {
                        tracing::warn!(%error, "events wait: they cannot be taken in now");
                    }
                    faults += u32::from(!matches!(error, Error::Unavailable(_)));
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            }
            pause = Duration::from_millis(50);
        }
    }

    /// Waits until there may be more. One who waits to be woken waits on while nothing happens: each of them costs the broker something.
    async fn rest(&self, position: Position, bounds: LogBounds) {
        let shutdown = &self.in_hand.shutdown;
        let mut woken = pin!(self.events.wake(position));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = woken.as_mut() => return,
                () = tokio::time::sleep(self.options.poll) => {}
            }
            if self.events.bounds().await != Ok(bounds) {
                return;
            }
        }
    }

    /// After a fault entries go one by one, so that one that cannot be stored does not hold up the others.
    async fn turn(&self, faults: u32) -> Result<Turn, Error> {
        let max = if faults == 0 { self.options.batch } else { 1 };
        let from = self.store.intake_position().await?;
        let bounds = self.events.bounds().await?;
        if !self.is_place_in(from, bounds).await? {
            return Ok(Turn::More);
        }
        let entries = if bounds.last > from { self.events.read(from, max).await? } else { Vec::new() };
        let Some(first) = entries.first() else { return self.look_for_loss(from, bounds).await };
        if first.position > from + 1 {
            tell_gap(from, self.events.bounds().await?);
        }
        let mut intake = contract::Intake::default();
        let mut to = from;
        let mut away = None;
        for entry in entries {
            let position = entry.position;
            if let Err(error) = self.add(entry, &mut intake).await {
                away = Some(error);
                break;
            }
            to = position;
        }
        if to > from {
            self.take_in(from, to, intake, faults).await?;
        }
        away.map_or(Ok(Turn::More), Err)
    }

    async fn add(&self, entry: LogEntry, intake: &mut contract::Intake) -> Result<(), Error> {
        let event = match entry.received {
            Received::Event(event) => event,
            Received::Incomprehensible(other) => {
                // A publisher writes no more of this log than its own share; the whole of it is kept aside.
                if intake.aside.is_empty() {
                    tracing::warn!(
                        position = entry.position,
                        subject = cut(&other.subject),
                        reason = cut(&other.reason),
                        "an entry of the log is no event; it is kept aside, as are others like it that follow"
                    );
                }
                intake.aside.push(self.kept(entry.position, other));
                return Ok(());
            }
        };
        let deliverer = &self.in_hand.deliverer;
        match fan_out(&event, &*self.registry, &*deliverer.clock, &*deliverer.randomness).await {
            Ok(deliveries) => intake.events.push((event, deliveries)),
            Err(error @ (Error::Unavailable(_) | Error::Internal { .. })) => return Err(error),
            Err(refusal) => intake.aside.push(self.kept(entry.position, aside(&event, &refusal))),
        }
        Ok(())
    }

    fn kept(&self, position: Position, entry: Incomprehensible) -> AsideEntry {
        let deliverer = &self.in_hand.deliverer;
        AsideEntry { id: AsideId::generate(&*deliverer.clock, &*deliverer.randomness), position, entry }
    }

    /// Events whose tenant is not there are kept aside with the others.
    async fn take_in(
        &self,
        from: Position,
        to: Position,
        mut intake: contract::Intake,
        faults: u32,
    ) -> Result<(), Error> {
        loop {
            let mut places = self.places(&mut intake);
            let unknown = match self.try_to_take_in(from, to, &intake, faults).await {
                Err(Error::TenantNotFound(tenant)) => tenant,
                Err(error) => return Err(error),
                Ok(new) => {
                    for delivery in intake.events.into_iter().flat_map(|(_, deliveries)| deliveries) {
                        let execution = &delivery.execution;
                        let place = places.remove(&execution.id);
                        match place.filter(|_| new.contains(&execution.id)) {
                            Some(place) => self.in_hand.begin(delivery, place).await,
                            None if new.contains(&execution.id) => {
                                self.in_hand.take_up(delivery, From::Intake).await;
                            }
                            // Also where it was known before; then nothing is found, and that is all.
                            None if intake.waiting.contains(&execution.id) => {
                                self.in_hand.lanes.waits(execution.integration);
                            }
                            None => {}
                        }
                    }
                    return Ok(());
                }
            };
            let (strange, known) = intake.events.into_iter().partition(|(event, _)| event.tenant.as_str() == unknown);
            let strange: Vec<_> = strange;
            if strange.is_empty() {
                return Err(Error::TenantNotFound(unknown));
            }
            tracing::warn!(
                tenant = unknown,
                events = strange.len(),
                "events of a tenant that is not there; they are kept aside"
            );
            let refusal = Error::TenantNotFound(unknown);
            intake.aside.extend(strange.iter().map(|(event, _)| self.kept(to, aside(event, &refusal))));
            intake.events = known;
        }
    }

    /// Places for the deliveries that are there to have, before they are stored: the others are stored as waiting in their lanes, and are not
    /// written twice. Whether one of an order is the first, only the store knows.
    fn places(&self, intake: &mut contract::Intake) -> HashMap<ExecutionId, Place> {
        let mut places = HashMap::new();
        intake.waiting.clear();
        let deliveries = intake.events.iter().flat_map(|(_, deliveries)| deliveries);
        for delivery in deliveries.filter(|delivery| delivery.ordering == DeliveryOrdering::None) {
            let execution = &delivery.execution;
            match self.in_hand.lanes.enter(execution.id, (&execution.tenant, execution.integration), From::Intake) {
                Entry::Place(place) => drop(places.insert(execution.id, place)),
                Entry::Full | Entry::InHand => drop(intake.waiting.insert(execution.id)),
            }
        }
        places
    }

    /// The deliveries that are new and leased.
    async fn try_to_take_in(
        &self,
        from: Position,
        to: Position,
        intake: &contract::Intake,
        faults: u32,
    ) -> Result<HashSet<ExecutionId>, Error> {
        let deliverer = &self.in_hand.deliverer;
        let now = deliverer.clock.now();
        let take =
            async |intake| self.store.take_in(from, to, intake, deliverer.holder, now + self.options.lease, now).await;
        let taken = match (take(intake).await, intake.events.first()) {
            (Err(Error::Internal { .. }), Some((event, _))) if faults >= PATIENCE => {
                tracing::error!(position = to, tenant = %event.tenant, event = %event.id, "an event cannot be stored; it is kept aside");
                let reason = Error::InvalidOperation("the store could not take it".to_owned());
                let aside = vec![self.kept(to, aside(event, &reason))];
                take(&contract::Intake { aside, ..contract::Intake::default() }).await?
            }
            (taken, _) => taken?,
        };
        // Where another intake was faster, it has them.
        Ok(taken.into_iter().flatten().collect())
    }

    /// Whether the position is one in the log that is there. In another one it says nothing: that one is read from its start.
    async fn is_place_in(&self, from: Position, bounds: LogBounds) -> Result<bool, Error> {
        let Some(made) = bounds.made else { return Ok(true) };
        if *self.known_log() == Some(made) {
            return Ok(true);
        }
        match self.store.intake_log().await? {
            Some(known) if known == made => {}
            // As long as nobody said so, it is the one that is there.
            None if self.store.begin_log(made, from, from).await? => {}
            None => return Ok(false),
            Some(_) => {
                let start = bounds.first.saturating_sub(1);
                if self.store.begin_log(made, from, start).await? {
                    // Events that were seen before add nothing.
                    tracing::error!(
                        position = from,
                        start,
                        "ALARM: the log was replaced by another one, which is read from its start; what was not taken in before is lost"
                    );
                }
                return Ok(false);
            }
        }
        *self.known_log() = Some(made);
        Ok(true)
    }

    fn known_log(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An end of the log that is not where the position says is a loss too.
    async fn look_for_loss(&self, from: Position, bounds: LogBounds) -> Result<Turn, Error> {
        let to = bounds.first.saturating_sub(1);
        if to > from && bounds.last >= bounds.first {
            // It came meanwhile; the next look reads it, and tells.
            return Ok(Turn::More);
        }
        if to > from {
            tell_gap(from, bounds);
        } else if bounds.last < from {
            // What is there may be new. Events that were seen before add nothing.
            tracing::error!(
                position = from,
                last = bounds.last,
                "ALARM: the log ends before the position; it is read again from its start"
            );
        } else {
            return Ok(Turn::Nothing(from, bounds));
        }
        self.take_in(from, to, contract::Intake::default(), 0).await?;
        Ok(Turn::More)
    }
}

/// The oldest entry of the log may be younger than the position: what was between is gone.
fn tell_gap(from: Position, bounds: LogBounds) {
    if bounds.first > from + 1 {
        tracing::error!(
            position = from,
            first = bounds.first,
            "ALARM: the log dropped events before they were taken in"
        );
    }
}

/// So much of a publisher's text as a line may hold.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

fn aside(event: &Event, refusal: &Error) -> Incomprehensible {
    let kind = event.change.event_type().as_str().to_lowercase();
    Incomprehensible {
        tenant: Some(event.tenant.clone()),
        subject: format!("tidegate.events.{}.{}.{kind}", event.tenant, event.object_type),
        payload: CloudEvent::structured(event).as_str().as_bytes().to_vec(),
        reason: refusal.to_string(),
        time: event.time,
    }
}
