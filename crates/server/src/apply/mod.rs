//! Makes a running Tidegate hold what a manifest says. What is there already, by name, is updated; what is as it should be is left alone.

mod manifest;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::client::Client;
pub(crate) use manifest::Manifest;
use manifest::{Integration, Logic};

/// What was done to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Made,
    Updated,
    Unchanged,
}

/// One line of what was done: kind, name, and for an incoming Integration its URL.
pub(crate) struct Applied {
    pub(crate) what: &'static str,
    pub(crate) name: String,
    pub(crate) done: Done,
    pub(crate) webhook_url: Option<String>,
}

/// Applies a manifest.
pub(crate) async fn apply(client: &Client, manifest: &Manifest) -> anyhow::Result<Vec<Applied>> {
    let run = Run { client, tenant: &manifest.tenant.id };
    let mut all = vec![run.tenant(&manifest.tenant.name).await.with_context(|| format!("tenant {}", run.tenant))?];
    let known = run.ask("query { objectTypes { name } }", json!({})).await?;
    let known: Vec<&str> =
        known["objectTypes"].as_array().into_iter().flatten().filter_map(|t| t["name"].as_str()).collect();
    for name in &manifest.object_types {
        let done = if known.contains(&name.as_str()) { Done::Unchanged } else { run.object_type(name).await? };
        all.push(applied("object type", name, done));
    }
    let mut logics = by_name(client.list(Some(run.tenant), "logics", LOGICS).await?);
    for logic in &manifest.logics {
        let known = logics.get(&logic.name);
        let (done, id) = run.logic(logic, known).await.with_context(|| format!("logic {}", logic.name))?;
        logics.insert(logic.name.clone(), json!({ "id": id }));
        all.push(applied("logic", &logic.name, done));
    }
    let integrations = by_name(client.list(Some(run.tenant), "integrations", INTEGRATIONS).await?);
    for integration in &manifest.integrations {
        let known = integrations.get(&integration.name);
        let named = || format!("integration {}", integration.name);
        let (done, webhook_url) = run.integration(integration, known, &logics).await.with_context(named)?;
        all.push(Applied { webhook_url, ..applied("integration", &integration.name, done) });
    }
    Ok(all)
}

const LOGICS: &str = "query($after: PageCursor) { logics(after: $after) {
    data { id name kind description source } pageInfo { endCursor hasNextPage } } }";

const INTEGRATIONS: &str = "query($after: PageCursor) { integrations(after: $after) {
    data { id name type description httpMethod active effectiveDate expiryDate coreLogic { id } enableLogic { id } webhookUrl url
        subscriptions { objectType eventType } }
    pageInfo { endCursor hasNextPage } } }";

struct Run<'a> {
    client: &'a Client,
    tenant: &'a str,
}

impl Run<'_> {
    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        self.client.ask(Some(self.tenant), query, variables).await
    }

    async fn tenant(&self, name: &str) -> anyhow::Result<Applied> {
        let id = json!({ "id": self.tenant });
        let found = self.client.ask(None, "query($id: ID!) { tenant(id: $id) { id } }", id).await?;
        if !found["tenant"].is_null() {
            return Ok(applied("tenant", self.tenant, Done::Unchanged));
        }
        let make = "mutation($in: TenantInput!) { createTenant(in: $in) { id } }";
        self.client.ask(None, make, json!({ "in": { "id": self.tenant, "name": name } })).await?;
        Ok(applied("tenant", self.tenant, Done::Made))
    }

    async fn object_type(&self, name: &str) -> anyhow::Result<Done> {
        let make = "mutation($in: ObjectTypeInput!) { createObjectType(in: $in) { id } }";
        let answer = self.ask(make, json!({ "in": { "name": name } })).await;
        answer.with_context(|| format!("object type {name}")).map(|_| Done::Made)
    }

    async fn logic(&self, logic: &Logic, known: Option<&Value>) -> anyhow::Result<(Done, Value)> {
        let (source, description) = (&logic.source, &logic.description);
        let Some(known) = known else {
            let input = json!({ "name": logic.name, "kind": logic.kind, "description": description, "source": source });
            let make = "mutation($in: LogicInput!) { createLogic(in: $in) { id } }";
            let mut answer = self.ask(make, json!({ "in": input })).await?;
            return Ok((Done::Made, answer["createLogic"]["id"].take()));
        };
        if known["kind"] != logic.kind.as_str() {
            bail!("it is there as {}; a kind never changes, so choose another name", known["kind"]);
        }
        let input = json!({ "description": description, "source": source });
        let done = if holds(known, &input) {
            Done::Unchanged
        } else {
            let change = "mutation($id: ID!, $in: LogicUpdateInput!) { updateLogic(id: $id, in: $in) { id } }";
            self.ask(change, json!({ "id": known["id"], "in": input })).await?;
            Done::Updated
        };
        Ok((done, known["id"].clone()))
    }

    async fn integration(
        &self,
        integration: &Integration,
        known: Option<&Value>,
        logics: &BTreeMap<String, Value>,
    ) -> anyhow::Result<(Done, Option<String>)> {
        let id_of = |name: &String| {
            let logic = logics.get(name).with_context(|| format!("there is no logic {name}"))?;
            Ok::<_, anyhow::Error>(logic["id"].clone())
        };
        let core = id_of(&integration.core)?;
        let enable = integration.enable.as_ref().map(id_of).transpose()?;
        let mut input = json!({
            "description": integration.description, "httpMethod": integration.http_method,
            "coreLogicID": core, "enableLogicID": enable,
            "url": integration.url, "subscriptions": integration.subscriptions(),
        });
        let Some(known) = known else {
            input["name"] = integration.name.clone().into();
            input["type"] = integration.direction.clone().into();
            let make = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { webhookUrl } }";
            let answer = self.ask(make, json!({ "in": input })).await?;
            return Ok((Done::Made, text(&answer["createIntegration"]["webhookUrl"])));
        };
        if known["type"] != integration.direction.as_str() {
            bail!("it is there as {}; a type never changes, so choose another name", known["type"]);
        }
        // What the manifest has no word for stays as it is.
        for kept in ["active", "effectiveDate", "expiryDate"] {
            input[kept] = known[kept].clone();
        }
        if holds(&flat(known), &input) {
            return Ok((Done::Unchanged, text(&known["webhookUrl"])));
        }
        let change =
            "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) { webhookUrl } }";
        let changed = self.ask(change, json!({ "id": known["id"], "in": input })).await?;
        Ok((Done::Updated, text(&changed["updateIntegration"]["webhookUrl"])))
    }
}

/// An Integration as it is read, in the form in which it is written.
fn flat(known: &Value) -> Value {
    let mut flat = known.clone();
    flat["coreLogicID"] = known["coreLogic"]["id"].clone();
    flat["enableLogicID"] = known["enableLogic"]["id"].clone();
    flat
}

/// Whether `known` has every field of `wanted`; lists in any order, nothing and an empty list alike.
fn holds(known: &Value, wanted: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.into()
        }
        other => other.clone(),
    };
    wanted.as_object().is_some_and(|fields| fields.iter().all(|(name, value)| plain(&known[name]) == plain(value)))
}

fn by_name(rows: Vec<Value>) -> BTreeMap<String, Value> {
    rows.into_iter().filter_map(|row| Some((text(&row["name"])?, row))).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn applied(what: &'static str, name: &str, done: Done) -> Applied {
    Applied { what, name: name.to_owned(), done, webhook_url: None }
}

impl std::fmt::Display for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let done = match self.done {
            Done::Made => "made",
            Done::Updated => "updated",
            Done::Unchanged => "unchanged",
        };
        write!(f, "{:<11} {:<24} {done}", self.what, self.name)?;
        self.webhook_url.as_ref().map_or(Ok(()), |url| write!(f, "  {url}"))
    }
}
