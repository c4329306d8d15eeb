//! Events, from here and from outside, and the calls that they cause.

use serde_json::{Value, json};

use crate::harness::{Api, Mode, Sink, Tidegate, eventually, in_every_mode};

in_every_mode!(
    a_change_is_told_with_what_changed,
    events_come_in_over_every_door_and_count_once,
    a_call_is_repeated_until_it_arrives_or_is_dead,
    a_script_decides_whether_and_how_the_call_is_made,
    one_that_fails_does_not_touch_the_others,
);

const ECHO: &str = "return { body = { event = eventType, object = object, old = oldObject or json.null, new = newObject or json.null } }";
const ALL: [(&str, &str); 3] = [("Order", "CREATE"), ("Order", "UPDATE"), ("Order", "DELETE")];

async fn a_change_is_told_with_what_changed(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let told = acme.make_outgoing("erp", ECHO, &sink.url("/erp"), &ALL, json!({})).await;
    acme.create_object("Order", "1", json!({ "qty": 1, "note": null })).await;
    sink.wait_for("/erp", 1).await;
    let update = r#"mutation { updateObject(objectType: "Order", id: "1", data: { qty: 2, note: "x" }) { version } }"#;
    assert_eq!(acme.ask(update, json!({})).await["updateObject"]["version"], 2);
    sink.wait_for("/erp", 2).await;
    acme.ask(r#"mutation { deleteObject(objectType: "Order", id: "1") { id } }"#, json!({})).await;
    let calls = sink.wait_for("/erp", 3).await;
    let bodies: Vec<Value> = calls.iter().map(super::harness::sink::Call::json).collect();
    assert_eq!(bodies[0]["event"], "CREATE");
    assert_eq!((&bodies[0]["old"], &bodies[0]["new"]["qty"]), (&Value::Null, &json!(1)));
    assert_eq!(bodies[1]["event"], "UPDATE");
    assert_eq!((&bodies[1]["old"], &bodies[1]["new"]["qty"]), (&json!({ "qty": 1, "note": null }), &json!(2)));
    assert_eq!(bodies[2]["event"], "DELETE");
    assert_eq!((&bodies[2]["new"], &bodies[2]["old"]["qty"]), (&Value::Null, &json!(2)));
    assert!(acme.ended(&told, 3).await.iter().all(|e| e["status"] == "SUCCESS"));
}

fn cloud_event(id: &str, object: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/legacy", "type": "tidegate.Order.create",
        "subject": format!("acme/Order/{object}"), "datacontenttype": "application/json",
        "data": { "objectId": object, "new": { "qty": 5 } },
    })
}

async fn events_come_in_over_every_door_and_count_once(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let told = acme.make_outgoing("erp", ECHO, &sink.url("/erp"), &ALL, json!({})).await;
    let mut expected: Vec<String> = Vec::new();
    let mut sent = |object: &str| expected.push(object.to_owned());

    let publish = r#"mutation { publishEvent(in: { id: "e-1", objectType: "Order", eventType: CREATE, objectId: "graphql", new: { qty: 5 } }) }"#;
    assert_eq!(acme.ask(publish, json!({})).await["publishEvent"], "e-1");
    assert_eq!(acme.ask(publish, json!({})).await["publishEvent"], "e-1");
    sent("graphql");

    http_binary(&acme, "e-2", "binary").await;
    http_binary(&acme, "e-2", "binary").await;
    sent("binary");
    let structured = acme.post("/v1/events").header("Content-Type", "application/cloudevents+json");
    let structured = structured.body(cloud_event("e-3", "structured").to_string()).send().await.unwrap();
    assert!(structured.status().is_success(), "{}", structured.text().await.unwrap());
    sent("structured");
    let batch = json!([cloud_event("e-4", "batch-1"), cloud_event("e-5", "batch-2")]).to_string();
    let batch = acme.post("/v1/events").header("Content-Type", "application/cloudevents-batch+json").body(batch);
    let batch = batch.send().await.unwrap();
    assert!(batch.status().is_success(), "{}", batch.text().await.unwrap());
    sent("batch-1");
    sent("batch-2");

    if let Some(servers) = &tidegate.servers {
        let nats = async_nats::connect(servers.nats_url()).await.unwrap();
        let stream = async_nats::jetstream::new(nats);
        let subject = "tidegate.events.acme.Order.create";
        for _ in 0..2 {
            let event = cloud_event("e-6", "nats").to_string();
            stream.publish(subject, event.into()).await.unwrap().await.unwrap();
        }
        sent("nats");
        stream.publish(subject, "this is no event".into()).await.unwrap().await.unwrap();
        stream.publish(subject, cloud_event("e-7", "after").to_string().into()).await.unwrap().await.unwrap();
        sent("after");
    }

    sink.wait_for("/erp", expected.len()).await;
    let records = acme.ended(&told, expected.len()).await;
    let mut objects: Vec<&str> = records.iter().map(|e| e["objectId"].as_str().unwrap()).collect();
    objects.sort_unstable();
    expected.sort();
    assert_eq!(objects, expected, "each event once");
}

async fn http_binary(acme: &Api, id: &str, object: &str) {
    let request = acme.post("/v1/events").header("Content-Type", "application/json");
    let request = request.header("ce-specversion", "1.0").header("ce-id", id).header("ce-source", "/legacy");
    let request =
        request.header("ce-type", "tidegate.Order.create").header("ce-subject", format!("acme/Order/{object}"));
    let answer = request.json(&json!({ "objectId": object, "new": { "qty": 5 } })).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

async fn a_call_is_repeated_until_it_arrives_or_is_dead(mode: Mode) {
    let Some(tidegate) = Tidegate::start_with(mode, &[("DISPATCH__ATTEMPTS", "3")]).await else { return };
    let sink = Sink::start().await;
    sink.answer("/flaky", &[503, 429]);
    sink.answer("/down", &[500; 10]);
    sink.answer("/refusing", &[400; 10]);
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let on = [("Order", "CREATE")];
    let flaky = acme.make_outgoing("flaky", ECHO, &sink.url("/flaky"), &on, json!({})).await;
    let down = acme.make_outgoing("down", ECHO, &sink.url("/down"), &on, json!({})).await;
    let refusing = acme.make_outgoing("refusing", ECHO, &sink.url("/refusing"), &on, json!({})).await;
    acme.create_object("Order", "1", json!({})).await;
    let statuses = |record: &Value| -> Vec<Value> {
        record["attempts"].as_array().unwrap().iter().map(|a| a["status"].clone()).collect()
    };
    let record = acme.ended(&flaky, 1).await.remove(0);
    assert_eq!((&record["status"], statuses(&record)), (&json!("SUCCESS"), vec![json!(503), json!(429), json!(200)]));
    let record = acme.ended(&down, 1).await.remove(0);
    assert_eq!((&record["status"], statuses(&record)), (&json!("DEAD"), vec![json!(500); 3]));
    let record = acme.ended(&refusing, 1).await.remove(0);
    assert_eq!((&record["status"], statuses(&record)), (&json!("FAILED"), vec![json!(400)]));
    let ids: Vec<_> = sink.calls("/flaky").iter().map(|c| c.headers.get("webhook-id").cloned()).collect();
    assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "one id over all attempts: {ids:?}");

    sink.answer("/down", &[]);
    let replay = "mutation($id: ID!) { replayExecution(id: $id) { id } }";
    let dead = acme.executions(&down).await.remove(0);
    acme.ask(replay, json!({ "id": dead["id"] })).await;
    let again = acme.ended(&down, 2).await.remove(0);
    assert_eq!((&again["status"], &again["trigger"]), (&json!("SUCCESS"), &json!("REPLAY")));
}

async fn a_script_decides_whether_and_how_the_call_is_made(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let on = [("Order", "CREATE")];
    let get = "return { body = { b = 'x y', a = { 1, 2 }, n = json.null } }";
    acme.make_outgoing("get", get, &sink.url("/get?k=v#part"), &on, json!({ "httpMethod": "GET" })).await;
    let silent =
        acme.make_outgoing("silent", "return { requestNeeded = false }", &sink.url("/silent"), &on, json!({})).await;
    let wrong =
        acme.make_outgoing("wrong", "return { requestNeeded = 'no' }", &sink.url("/wrong"), &on, json!({})).await;
    let never = acme.make_logic("never", "ENABLE", "return { result = 'true' }").await;
    let skipped =
        acme.make_outgoing("skipped", ECHO, &sink.url("/skipped"), &on, json!({ "enableLogicID": never })).await;
    acme.create_object("Order", "1", json!({})).await;
    let call = sink.wait_for("/get", 1).await.remove(0);
    assert_eq!((call.method.as_str(), call.query.as_deref()), ("GET", Some("k=v&a=%5B1%2C2%5D&b=x+y&n=")));
    for (integration, path, status) in
        [(&silent, "/silent", "SUCCESS"), (&wrong, "/wrong", "FAILED"), (&skipped, "/skipped", "SKIPPED")]
    {
        assert_eq!(acme.ended(integration, 1).await[0]["status"], status, "{path}");
        assert_eq!(sink.calls(path).len(), 0, "{path}");
    }
}

async fn one_that_fails_does_not_touch_the_others(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let on = [("Order", "CREATE")];
    let nowhere = format!("http://127.0.0.1:{}/", crate::harness::ports::free());
    let throws = acme.make_outgoing("throws", "error('boom')", &sink.url("/throws"), &on, json!({})).await;
    acme.make_outgoing("nowhere", ECHO, &nowhere, &on, json!({})).await;
    let private = acme.make_outgoing("private", ECHO, "http://169.254.169.254/latest", &on, json!({})).await;
    acme.make_outgoing("good", ECHO, &sink.url("/good"), &on, json!({})).await;
    for n in 0..5 {
        acme.create_object("Order", &n.to_string(), json!({})).await;
    }
    assert_eq!(sink.wait_for("/good", 5).await.len(), 5);
    let failed = acme.ended(&throws, 5).await;
    assert!(failed.iter().all(|e| e["status"] == "FAILED" && e["error"].as_str().unwrap().contains("boom")));
    eventually("the guard's refusals are on record", || async {
        let all = acme.executions(&private).await;
        (all.len() == 5 && all.iter().all(|e| e["status"] == "FAILED")).then_some(())
    })
    .await;
}
