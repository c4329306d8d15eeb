//! Events of objects one after the other (`ordering: PER_OBJECT`), and whether calls were made in their order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::load::{Accepted, Load};
use super::tally::about;
use crate::harness::Api;
use crate::harness::api::http;
use crate::harness::sink::Call;

/// So many events has an object.
const EVENTS: u64 = 6;

/// What a webhook does to an object: `parameters.id` is `OBJECT/NUMBER`.
pub(super) const CHANGE: &str =
    "objects.upsert('Step', parameters.object, { step = parameters.id }) return { id = parameters.id }";

/// Tells the receiver which event of which object this is.
pub(super) const TELL: &str = "return { body = { id = newObject.step } }";

/// What publishes events of objects, or has webhooks change objects.
pub(super) struct Steps {
    pub(super) published: Accepted,
    pub(super) changed: Accepted,
}

impl Steps {
    /// Begins with one more caller of each kind.
    pub(super) fn begin(load: &mut Load, webhook: &str, api: &Api) -> Self {
        let steps = Self { published: Accepted::default(), changed: Accepted::default() };
        let api = api.clone();
        load.calls(ids("p"), steps.published.clone(), move |id| {
            api.post("/v1/events").header("Content-Type", "application/cloudevents+json").body(event(id))
        });
        let url = webhook.to_owned();
        load.calls(ids("c"), steps.changed.clone(), move |id| {
            http().post(&url).json(&json!({ "id": id, "object": split(id).0 }))
        });
        steps
    }

    /// Everything that was accepted.
    pub(super) fn all(&self) -> BTreeSet<String> {
        self.published.all().into_iter().chain(self.changed.all()).collect()
    }
}

/// The next event of an object comes once the one before is accepted. One that was not may still be on its way: nothing follows it.
fn ids(kind: &'static str) -> impl FnMut(u32, bool) -> String + Send {
    let (mut object, mut number) = (0, 0);
    move |asked, accepted| {
        if !accepted || number == EVENTS {
            (object, number) = (asked, 0);
        }
        number += 1;
        format!("{kind}-{object}/{number}")
    }
}

/// The object, and which of its events.
fn split(id: &str) -> (&str, u64) {
    let (object, number) = id.split_once('/').unwrap();
    (object, number.parse().unwrap())
}

fn event(id: &str) -> String {
    let (object, number) = split(id);
    let mut data = json!({ "objectId": object, "new": { "step": id } });
    let kind = if number == 1 { "create" } else { "update" };
    if number > 1 {
        data["old"] = json!({ "step": format!("{object}/{}", number - 1) });
    }
    json!({ "specversion": "1.0", "id": id, "source": "/legacy", "type": format!("tidegate.Step.{kind}"),
        "subject": format!("acme/Step/{object}"), "datacontenttype": "application/json", "data": data })
    .to_string()
}

/// Fails where a call was made before all events that its object had before were at their end, or after a later one was called: what may come
/// again is the one whose turn it is. Answers how many objects there were.
pub(super) fn assert_kept(calls: &[(Call, u16)], records: &[Value]) -> usize {
    let called = |(call, status): &(Call, u16)| (call.json()["id"].as_str().unwrap().to_owned(), *status);
    let calls: Vec<_> = calls.iter().map(called).collect();
    kept(&calls, records).unwrap()
}

fn kept(calls: &[(String, u16)], records: &[Value]) -> Result<usize, String> {
    let dead: BTreeSet<String> = records.iter().filter(|record| record["status"] == "DEAD").map(about).collect();
    let mut came: BTreeMap<&str, Vec<(u64, u16)>> = BTreeMap::new();
    for (id, status) in calls {
        let (object, number) = split(id);
        came.entry(object).or_default().push((number, *status));
    }
    for (object, calls) in &came {
        let (mut turn, mut ended) = (0, true);
        for (number, status) in calls {
            if *number != turn {
                if !ended || *number != turn + 1 {
                    return Err(format!("{object}: event {number} after {turn}; all calls: {calls:?}"));
                }
                (turn, ended) = (*number, dead.contains(&format!("{object}/{number}")));
            }
            ended |= *status == 200;
        }
    }
    Ok(came.len())
}

#[test]
fn a_broken_order_is_seen() {
    let calls =
        |all: &[(&str, u16)]| -> Vec<_> { all.iter().map(|(id, status)| ((*id).to_owned(), *status)).collect() };
    let good = [("a/1", 200), ("b/1", 503), ("a/1", 200), ("b/1", 200), ("a/2", 503), ("a/2", 200), ("b/2", 200)];
    assert_eq!(kept(&calls(&good), &[]), Ok(2));
    let broken: [&[(&str, u16)]; 4] = [
        &[("a/2", 200)],
        &[("a/1", 503), ("a/2", 200)],
        &[("a/1", 200), ("a/3", 200)],
        &[("a/1", 200), ("a/2", 200), ("a/1", 200)],
    ];
    for broken in broken {
        assert!(kept(&calls(broken), &[]).is_err(), "{broken:?}");
    }
    let dead = json!({ "status": "DEAD", "coreResult": { "body": { "id": "a/1" } } });
    assert_eq!(kept(&calls(&[("a/1", 503), ("a/2", 200)]), &[dead]), Ok(1));
}
