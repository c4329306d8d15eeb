//! A tenant that has one of everything.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::contract::Incomprehensible;
use tidegate_model::{
    AsideId, Change, Clock as _, Delivery, Event, Execution, ExecutionId, Json, Status, SystemRandomness,
};
use tidegate_storage::contract::{AsideEntry, Intake};
use uuid::Uuid;

use super::graphql::Schema;
use crate::desk::{Desk, tenant, text};

const HOLDER: Uuid = Uuid::from_u128(9);

/// The ids of what there is, by what it is; and the secrets that nobody may find anywhere.
pub(crate) struct World {
    pub(crate) tenant: String,
    pub(crate) ids: HashMap<String, String>,
    pub(crate) secrets: Vec<String>,
}

impl World {
    /// Makes it. What a tenant names itself begins with its name.
    pub(crate) async fn furnish(desk: &Desk, schema: &Schema, of: &str) -> Self {
        let mut world = Self { tenant: of.to_owned(), ids: HashMap::new(), secrets: Vec::new() };
        let make = async |world: &mut Self, label: &str, operation: &str, arguments: Value| {
            let made = desk.ok(Some(of), &schema.request(operation, &arguments), arguments).await[operation].take();
            world.ids.insert(label.to_owned(), text(&made["id"]));
            world.secrets.extend(made["auth"]["credential"]["clientSecret"].as_str().map(str::to_owned));
            world.secrets.extend(made["webhookUrl"].as_str().map(str::to_owned));
            made
        };
        let w = &mut world;
        let (order, shop) = (format!("{of}Order"), format!("{of}-shop"));
        make(w, "application", "registerApplication", json!({ "in": { "name": "crm" } })).await;
        make(w, "runtime", "registerRuntime", json!({ "in": { "name": "cluster" } })).await;
        for (owner, operation) in [
            ("application", "requestClientCredentialsForApplication"),
            ("runtime", "requestClientCredentialsForRuntime"),
        ] {
            let id = w.ids[owner].clone();
            make(w, &format!("{owner}Auth"), operation, json!({ "id": id })).await;
        }
        for (label, kind) in [("core", "CORE"), ("enable", "ENABLE"), ("unused", "CORE")] {
            let input = json!({ "in": { "name": label, "kind": kind, "source": "return {}" } });
            make(w, label, "createLogic", input).await;
        }
        make(w, "objectType", "createObjectType", json!({ "in": { "name": order } })).await;
        for name in ["1", "2"] {
            let object = format!("{of}-{name}");
            make(w, "object", "createObject", json!({ "objectType": order, "id": object, "data": { "n": 1 } })).await;
        }
        let secret = format!("{of}-canary-password");
        let hosts = ["erp.example"];
        let basic = json!({ "in": { "name": shop, "kind": "BASIC", "username": "u", "secret": secret, "allowedHosts": hosts } });
        make(w, "basic", "createCredential", basic).await;
        let signing = json!({ "in": { "name": format!("{of}-hooks"), "kind": "SIGNING", "secret": format!("{of}-canary-signing-1") } });
        make(w, "signing", "createCredential", signing).await;
        let more = json!({ "id": w.ids["signing"], "secret": format!("{of}-canary-signing-2") });
        let added = make(w, "signing", "addSigningSecret", more).await;
        w.ids.insert("signingSecret".to_owned(), text(&added["signingSecrets"][1]["id"]));
        w.secrets.extend(["password", "signing-1", "signing-2"].map(|name| format!("{of}-canary-{name}")));
        let core = w.ids["core"].clone();
        let incoming = json!({ "in": { "name": "in", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": core, "enableLogicID": w.ids["enable"] } });
        make(w, "incoming", "createIntegration", incoming).await;
        let outgoing = json!({ "in": {
            "name": "out", "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": core, "url": "http://sink.example/in",
            "subscriptions": [{ "objectType": order, "eventType": "CREATE" }], "outgoing": { "credential": shop },
        } });
        make(w, "outgoing", "createIntegration", outgoing).await;
        for (label, name) in [("type", order), ("credential", shop), ("signer", format!("{of}-hooks"))] {
            w.ids.insert(label.to_owned(), name);
        }
        w.ids.insert("tenant".to_owned(), of.to_owned());
        let (ended, about) = (w.delivery(desk, true).await, w.delivery(desk, true).await);
        let open = w.delivery(desk, false).await;
        w.ids.insert("event".to_owned(), ended.event.as_ref().unwrap().id.to_string());
        w.ids.insert("ended".to_owned(), ended.id.to_string());
        w.ids.insert("endedToo".to_owned(), about.id.to_string());
        w.ids.insert("open".to_owned(), open.id.to_string());
        let filter = json!({ "filter": { "eventId": w.ids["event"] } });
        let begun = desk.ok(Some(of), &schema.request("replayExecutions", &filter), filter).await;
        w.ids.insert("replay".to_owned(), text(&begun["replayExecutions"]["replay"]["id"]));
        let filter = json!({ "filter": { "objectId": about.event.as_ref().unwrap().object_id } });
        desk.ok(Some(of), &schema.request("replayExecutions", &filter), filter).await;
        for label in ["aside", "asideToo"] {
            let id = w.aside(desk).await;
            w.ids.insert(label.to_owned(), id);
        }
        w.cursors(desk, schema).await;
        world
    }

    /// A delivery of the OUTGOING Integration, waiting or ended.
    pub(crate) async fn delivery(&self, desk: &Desk, ended: bool) -> Execution {
        desk.clock.advance(TimeDelta::milliseconds(1));
        let (from, now) = (desk.store.intake_position().await.unwrap(), desk.clock.now());
        let event = Event {
            id: format!("{}-event-{from}", self.tenant).parse().unwrap(),
            tenant: tenant(&self.tenant),
            object_type: self.ids["type"].parse().unwrap(),
            object_id: format!("{}-{from}", self.tenant).parse().unwrap(),
            change: Change::Create { new: Json::empty_object() },
            time: now,
        };
        let outgoing = self.ids["outgoing"].parse().unwrap();
        let outgoing = desk.store.integration(&tenant(&self.tenant), outgoing).await.unwrap().unwrap();
        let id = ExecutionId::generate(&*desk.clock, &SystemRandomness);
        let delivery = Delivery::open(event.clone(), &outgoing, id, now);
        let mut execution = delivery.execution.clone();
        let intake = Intake { events: vec![(event, vec![delivery])], ..Intake::default() };
        let lease = now + TimeDelta::microseconds(1);
        desk.store.take_in(from, from + 1, &intake, HOLDER, lease, now).await.unwrap().unwrap();
        if ended {
            execution.status = Status::Failed;
            execution.finished_at = Some(now);
            desk.store.finish(std::slice::from_ref(&execution), HOLDER).await.unwrap();
        }
        desk.clock.advance(TimeDelta::milliseconds(1));
        execution
    }

    /// An entry of the bus that became no event; answers its id.
    pub(crate) async fn aside(&self, desk: &Desk) -> String {
        desk.clock.advance(TimeDelta::milliseconds(1));
        let entry = Incomprehensible {
            tenant: Some(tenant(&self.tenant)),
            subject: format!("tidegate.events.{}.Order.create", self.tenant),
            payload: b"{".to_vec(),
            reason: "an object was expected".to_owned(),
            time: desk.clock.now(),
        };
        let id = AsideId::generate(&*desk.clock, &SystemRandomness);
        let intake = Intake { aside: vec![AsideEntry { id, position: 3, entry }], ..Intake::default() };
        let (from, now) = (desk.store.intake_position().await.unwrap(), desk.clock.now());
        desk.store.take_in(from, from + 1, &intake, Uuid::nil(), now, now).await.unwrap().unwrap();
        id.to_string()
    }

    /// A cursor of each list that the tenant has, under the list's name.
    async fn cursors(&mut self, desk: &Desk, schema: &Schema) {
        // The second of each noun, so that its list has a second page.
        for (operation, input) in
            [("registerApplication", json!({ "name": "crm-2" })), ("registerRuntime", json!({ "name": "cluster-2" }))]
        {
            let arguments = json!({ "in": input });
            desk.ok(Some(&self.tenant), &schema.request(operation, &arguments), arguments).await;
        }
        for query in schema.operations("Query") {
            let list = query.name.node.as_str();
            let pages = query.arguments.iter().any(|argument| argument.node.name.node == "after");
            let global = ["tenants", "integrationSystems"].contains(&list);
            if !pages {
                continue;
            }
            let mut arguments = json!({ "first": 1 });
            if list == "objects" {
                arguments["objectType"] = json!(self.ids["type"]);
            }
            let of = (!global).then_some(self.tenant.as_str());
            let page = desk.ok(of, &schema.request(list, &arguments), arguments).await[list].take();
            let cursor = text(&page["pageInfo"]["endCursor"]);
            assert!(global || !cursor.is_empty(), "{list} has one page: {page}");
            self.ids.insert(format!("cursor of {list}"), cursor);
        }
        let log = desk.ok(Some(&self.tenant), "{ auditLog(first: 1) { data { id } } }", json!({})).await;
        self.ids.insert("auditEntry".to_owned(), text(&log["auditLog"]["data"][0]["id"]));
    }
}
