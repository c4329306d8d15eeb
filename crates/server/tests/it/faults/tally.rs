//! Counting afterwards, from the records and from what arrived.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::sink::Call;
use crate::harness::{Api, eventually};

/// Waits until everything accepted has ended on record; answers all records of the Integration.
pub(super) async fn ended(api: &Api, integration: &Value, accepted: &BTreeSet<String>) -> Vec<Value> {
    eventually("everything that was accepted has ended", || async {
        let all = records(api, integration).await;
        let open = |record: &Value| record["finishedAt"].is_null();
        let known: BTreeSet<String> = all.iter().filter(|record| !open(record)).map(about).collect();
        let whole = accepted.is_subset(&known) && !all.iter().any(open);
        whole.then_some(all)
    })
    .await
}

/// What a run is about, as its script named it in what it answers or sends.
pub(super) fn about(record: &Value) -> String {
    let result = &record["coreResult"];
    result["body"]["id"].as_str().or_else(|| result["id"].as_str()).unwrap_or_default().to_owned()
}

/// Nothing is half-written: where a run is on record as a success, whoever was told so, its object has its deliveries.
pub(super) fn done(runs: &[Value]) -> impl Iterator<Item = String> {
    runs.iter().filter(|run| run["status"] == "SUCCESS").map(about)
}

async fn records(api: &Api, integration: &Value) -> Vec<Value> {
    let query = "query($id: ID!, $after: PageCursor) { executions(filter: { integrationID: $id }, after: $after) {
        data { id status coreResult finishedAt error attempts { number status error durationMs } }
        pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut told = api.ask(query, json!({ "id": integration["id"], "after": after })).await["executions"].take();
        all.append(told["data"].as_array_mut().unwrap());
        if told["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = told["pageInfo"]["endCursor"].take();
    }
}

/// What became of the deliveries of one Integration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) deliveries: usize,
    pub(super) arrived: usize,
    pub(super) dead: usize,
    pub(super) attempts: usize,
    /// Attempts whose answer nobody saw: the process was gone, or waited too long.
    pub(super) unseen: usize,
    /// Calls beyond the first that the destination said yes to.
    pub(super) duplicates: usize,
}

impl Tally {
    /// Counts, and fails where a record is not complete or says what is not so.
    pub(super) fn of(records: &[Value], calls: &[(Call, u16)], accepted: &BTreeSet<String>) -> Self {
        let mut yes: BTreeMap<String, usize> = BTreeMap::new();
        for (call, _) in calls.iter().filter(|(_, status)| *status == 200) {
            *yes.entry(call.json()["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let mut tally = Self { deliveries: records.len(), ..Self::default() };
        tally.duplicates = yes.values().map(|times| times - 1).sum();
        let mut ended: BTreeMap<String, &str> = BTreeMap::new();
        for record in records {
            let status = record["status"].as_str().unwrap();
            assert!(ended.insert(about(record), status).is_none(), "one delivery per event: {record}");
            let attempts = record["attempts"].as_array().unwrap();
            assert!(!attempts.is_empty(), "an attempt is on record: {record}");
            for (number, attempt) in attempts.iter().enumerate() {
                assert_eq!(attempt["number"], number + 1, "{record}");
                assert!(!attempt["status"].is_null() || !attempt["error"].is_null(), "an attempt has an end: {record}");
            }
            tally.attempts += attempts.len();
            tally.unseen += attempts.iter().filter(|attempt| attempt["status"].is_null()).count();
            match status {
                "SUCCESS" => {
                    tally.arrived += 1;
                    assert_eq!(attempts.last().unwrap()["status"], 200, "{record}");
                    assert!(yes.contains_key(&about(record)), "a success has arrived: {record}");
                }
                "DEAD" => {
                    tally.dead += 1;
                    assert_eq!(attempts.len(), 8, "dead after all attempts: {record}");
                }
                other => panic!("{other}: {record}"),
            }
        }
        for id in accepted {
            assert!(ended.contains_key(id), "{id} was accepted and is not on record");
        }
        assert!(tally.duplicates <= tally.unseen, "{tally:?}");
        tally
    }
}
