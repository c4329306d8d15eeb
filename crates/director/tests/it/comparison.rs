use serde_json::json;
use tidegate_model::{Execution, ExecutionId, SkipReason, Status};

use crate::desk::Desk;
use crate::trials::{core_of, ended, record, tried};

const COMPARE: &str = "mutation($id: ID!, $s: String!, $n: Int) { compareLogic(logicID: $id, source: $s, last: $n) {
    tried notTried different { executionID status error difference { statusDiffers attributes recordedStatus } } } }";

#[tokio::test]
async fn a_source_is_compared_with_the_last_runs_of_a_logic() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let (other, _) = desk.create_incoming("acme", "other").await;
    let core = core_of(&desk, &hook).await;
    let compare = async |source: &str, last: i32| {
        let asked = json!({ "id": core, "s": source, "n": last });
        desk.ok(Some("acme"), COMPARE, asked).await["compareLogic"].clone()
    };
    let mut ids = Vec::new();
    for (status, result) in [
        (Status::Success, Some(r#"{"n":9007199254740993}"#)),
        (Status::Success, Some(r#"{"n":1}"#)),
        (Status::Failed, None),
    ] {
        desk.clock.advance(chrono::TimeDelta::seconds(1));
        ids.push(record(&desk, &hook, status, result).await);
    }
    desk.clock.advance(chrono::TimeDelta::seconds(1));
    record(&desk, &other, Status::Success, Some(r#"{"n":2}"#)).await;
    let done = compare("return { n = parameters.n }", 100).await;
    assert_eq!((&done["tried"], &done["notTried"]), (&json!(3), &json!(0)), "{done}");
    let different = |id: &ExecutionId, differs: bool, was: &str| {
        json!({ "executionID": id, "status": "SUCCESS", "error": null,
        "difference": { "statusDiffers": differs, "attributes": ["n"], "recordedStatus": was } })
    };
    assert_eq!(done["different"], json!([different(&ids[2], true, "FAILED"), different(&ids[1], false, "SUCCESS")]));
    let done = compare("error('no')", 2).await;
    assert_eq!((&done["tried"], done["different"].as_array().unwrap().len()), (&json!(2), 1), "{done}");
    assert_eq!(done["different"][0]["executionID"], json!(ids[1]));

    let asked = |last: i32| json!({ "id": core, "s": "return {}", "n": last });
    for last in [0, 101] {
        assert!(desk.refused(Some("acme"), COMPARE, asked(last)).await.1.contains("last: expected 1 to 100"));
    }
    assert_eq!(desk.refused(Some("other"), COMPARE, asked(1)).await.0, 20);
    for (token, scope) in [("writer", "logic:write"), ("reader", "execution:read")] {
        desk.grant_scopes(token, &[scope]);
        assert_eq!(desk.ask_as(token, Some("acme"), COMPARE, asked(1)).await.refusal().0, 23, "{scope} alone");
    }
}

#[tokio::test]
async fn a_record_in_which_no_script_ran_is_compared_with_nothing() {
    let desk = Desk::with_tenants().await;
    let (hook, _) = desk.create_incoming("acme", "hook").await;
    let core = core_of(&desk, &hook).await;
    let keep = async |status, result, change: fn(&mut Execution)| {
        desk.clock.advance(chrono::TimeDelta::seconds(1));
        let mut record = ended(&desk, &hook, status, result, Vec::new());
        change(&mut record);
        desk.store.append_executions(std::slice::from_ref(&record)).await.unwrap();
        record.id
    };
    let source = "return { a = 1 }";
    let ran = keep(Status::Success, Some(r#"{"a":1}"#), |_| {}).await;
    let without = [
        // Not signed, not fitting, not readable.
        keep(Status::Failed, None, |record| record.core_logic_version = None).await,
        // A challenge, which the platform answers.
        keep(Status::Success, Some(r#"{"challenge":"x"}"#), |record| record.core_logic_version = None).await,
        // The door notes no versions; the dispatcher does.
        keep(Status::Skipped, None, |record| record.skip_reason = Some(SkipReason::Inactive)).await,
        // The engine was never there.
        keep(Status::Dead, None, |_| {}).await,
    ];
    let compared = desk.ok(Some("acme"), COMPARE, json!({ "id": core, "s": source, "n": 100 })).await;
    assert_eq!(compared["compareLogic"], json!({ "tried": 1, "notTried": 0, "different": [] }));

    for record in without {
        let done = tried(&desk, json!({ "source": source, "executionID": record })).await;
        assert_eq!((&done["status"], &done["result"]), (&json!("SUCCESS"), &json!({ "a": 1 })), "what it would do");
        assert!(done["difference"].is_null(), "{done}");
    }
    // Enable logic alone ran.
    let failed = keep(Status::Failed, None, |record| {
        (record.core_logic_version, record.enable_logic_version) = (None, Some(1));
    });
    let failed = failed.await;
    for (record, differs) in [(ran, false), (failed, true)] {
        let done = tried(&desk, json!({ "source": source, "executionID": record })).await;
        assert_eq!(done["difference"]["differs"], differs, "{done}");
    }
    let compared =
        desk.ok(Some("acme"), COMPARE, json!({ "id": core, "s": source, "n": 100 })).await["compareLogic"].take();
    assert_eq!((&compared["tried"], &compared["different"][0]["executionID"]), (&json!(2), &json!(failed)));
}
