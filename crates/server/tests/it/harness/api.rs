//! The registry over HTTP, as callers use it.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::eventually;

/// Client credentials.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

/// A signed-in client, perhaps in a tenant.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    pub(crate) token: String,
    tenant: Option<String>,
}

/// The HTTP client of all tests; each call opens its own connection, as strangers do.
pub(crate) fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Whose certificate it is shown is looked at where that is what is tested.
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        client.tls_danger_accept_invalid_certs(true).build().unwrap()
    })
}

impl Api {
    pub(crate) async fn sign_in(token_url: &str, base: String, admin: &Admin) -> Self {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &admin.client_id),
            ("client_secret", &admin.client_secret),
        ];
        let answer = http().post(token_url).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let told: Value = answer.json().await.unwrap();
        Self { base, token: told["access_token"].as_str().unwrap().to_owned(), tenant: None }
    }

    pub(crate) fn in_tenant(&self, tenant: &str) -> Self {
        Self { tenant: Some(tenant.to_owned()), ..self.clone() }
    }

    /// A request with the token and the tenant.
    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let request = http().post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        self.tenant.iter().fold(request, |request, tenant| request.header("Tenant", tenant))
    }

    /// The whole GraphQL answer.
    pub(crate) async fn answer(&self, query: &str, variables: Value) -> Value {
        let request = self.post("/graphql").json(&json!({ "query": query, "variables": variables }));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// GraphQL's data; any error fails the test.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.answer(query, variables).await;
        assert!(answer["errors"].is_null(), "{query}: {answer}");
        answer["data"].take()
    }

    /// The `error_code` of a refused operation.
    pub(crate) async fn refused(&self, query: &str, variables: Value) -> i64 {
        let answer = self.answer(query, variables).await;
        let code = answer["errors"][0]["extensions"]["error_code"].as_i64();
        code.unwrap_or_else(|| panic!("{query} was not refused: {answer}"))
    }

    /// Makes a tenant with object types, and goes there.
    pub(crate) async fn make_tenant(&self, id: &str, object_types: &[&str]) -> Self {
        let make = "mutation($in: TenantInput!) { createTenant(in: $in) { id } }";
        self.ask(make, json!({ "in": { "id": id, "name": id } })).await;
        let there = self.in_tenant(id);
        for name in object_types {
            let make = "mutation($in: ObjectTypeInput!) { createObjectType(in: $in) { id } }";
            there.ask(make, json!({ "in": { "name": name } })).await;
        }
        there
    }

    /// Makes a Logic; answers its id.
    pub(crate) async fn make_logic(&self, name: &str, kind: &str, source: &str) -> String {
        let make = "mutation($in: LogicInput!) { createLogic(in: $in) { id } }";
        let input = json!({ "in": { "name": name, "kind": kind, "source": source } });
        self.ask(make, input).await["createLogic"]["id"].as_str().unwrap().to_owned()
    }

    /// Makes an INCOMING Integration that runs `core`; `more` adds to its input. Answers it.
    pub(crate) async fn make_incoming(&self, name: &str, core: &str, more: Value) -> Value {
        let logic = self.make_logic(&format!("{name}-core"), "CORE", core).await;
        let input = json!({ "name": name, "type": "INCOMING", "httpMethod": "POST", "coreLogicID": logic });
        self.make_integration(input, more).await
    }

    /// Makes an OUTGOING Integration that runs `core` on these (type, event) pairs and calls `url`.
    pub(crate) async fn make_outgoing(
        &self,
        name: &str,
        core: &str,
        url: &str,
        on: &[(&str, &str)],
        more: Value,
    ) -> Value {
        let logic = self.make_logic(&format!("{name}-core"), "CORE", core).await;
        let on: Vec<Value> = on.iter().map(|(t, e)| json!({ "objectType": t, "eventType": e })).collect();
        let input = json!({ "name": name, "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": logic,
            "url": url, "subscriptions": on });
        self.make_integration(input, more).await
    }

    async fn make_integration(&self, mut input: Value, more: Value) -> Value {
        input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let make = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id webhookUrl executionUser { username } } }";
        self.ask(make, json!({ "in": input })).await["createIntegration"].take()
    }

    pub(crate) async fn object(&self, object_type: &str, id: &str) -> Value {
        let query = "query($t: String!, $id: ID!) { object(objectType: $t, id: $id) { id data version createdBy } }";
        self.ask(query, json!({ "t": object_type, "id": id })).await["object"].take()
    }

    pub(crate) async fn create_object(&self, object_type: &str, id: &str, data: Value) -> Value {
        let make = "mutation($t: String!, $id: ID, $data: JSON!) { createObject(objectType: $t, id: $id, data: $data) { id version } }";
        self.ask(make, json!({ "t": object_type, "id": id, "data": data })).await["createObject"].take()
    }

    /// The records of an Integration, newest first.
    pub(crate) async fn executions(&self, integration: &Value) -> Vec<Value> {
        let query = "query($id: ID!) { executions(filter: { integrationID: $id }) { data {
            id trigger status skipReason method url headers parameters objectType eventType objectId eventId enableResult coreResult log error
            coreLogicVersion executionUser { username } finishedAt durationMs nextAttemptAt
            attempts { number status url method requestBody responseBody error } } } }";
        let mut told = self.ask(query, json!({ "id": integration["id"] })).await;
        serde_json::from_value(told["executions"]["data"].take()).unwrap()
    }

    /// Waits until an Integration has that many records, each of which has ended.
    pub(crate) async fn ended(&self, integration: &Value, count: usize) -> Vec<Value> {
        eventually(&format!("{count} ended executions of {integration}"), || async {
            let all = self.executions(integration).await;
            let ended = all.iter().all(|e| !["PENDING", "RETRYING"].contains(&e["status"].as_str().unwrap()));
            Some(all).filter(|all| ended && all.len() >= count)
        })
        .await
    }
}
