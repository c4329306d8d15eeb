//! A change of script is tried on what really happened, before it goes live.

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Mode, Sink, Tidegate, in_every_mode};

in_every_mode!(a_script_is_tried_on_the_records_of_real_runs_and_nothing_happens);

const IN: &str =
    "local saved = objects.upsert('Order', parameters.id, { qty = parameters.qty }) return { saved = saved.id }";
const OUT: &str = "return { body = { order = newObject.id, qty = newObject.qty } }";

const TRY: &str = "mutation($in: TryLogicInput!) { tryLogic(in: $in) { status result error calls { url sent } changes { objectId eventType new }
    difference { differs attributes } } }";

async fn a_script_is_tried_on_the_records_of_real_runs_and_nothing_happens(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let incoming = acme.make_incoming("shop", IN, json!({})).await;
    let outgoing = acme.make_outgoing("erp", OUT, &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;
    let order = json!({ "id": "o-1", "qty": 9_007_199_254_740_993_i64 });
    let answer = http().post(incoming["webhookUrl"].as_str().unwrap()).json(&order).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let (received, told) = (acme.ended(&incoming, 1).await.remove(0), acme.ended(&outgoing, 1).await.remove(0));
    let tried = async |source: &str, record: &Value| {
        let input = json!({ "source": source, "executionID": record["id"] });
        acme.ask(TRY, json!({ "in": input })).await["tryLogic"].take()
    };

    let same = tried(OUT, &told).await;
    assert_eq!(same["difference"], json!({ "differs": false, "attributes": [] }), "{same}");
    let same = tried(IN, &received).await;
    assert_eq!(same["difference"]["differs"], false, "{same}");
    assert_eq!(same["changes"], json!([]), "the object is like that already");
    let other = tried(&IN.replace("qty = ", "amount = ").replace("{ saved", "{ made"), &received).await;
    assert_eq!(other["difference"], json!({ "differs": true, "attributes": ["made", "saved"] }), "{other}");
    let new = json!({ "qty": order["qty"], "amount": order["qty"] });
    assert_eq!(other["changes"], json!([{ "objectId": "o-1", "eventType": "UPDATE", "new": new }]));
    let calling = format!("http.post('{}', {{ json = object }}) return {{}}", sink.url("/tried"));
    let calling = tried(&calling, &told).await;
    assert_eq!(calling["calls"], json!([{ "url": sink.url("/tried"), "sent": false }]), "{calling}");

    assert_eq!(acme.object("Order", "o-1").await["version"], 1);
    assert_eq!((acme.executions(&incoming).await.len(), acme.executions(&outgoing).await.len()), (1, 1));
}
