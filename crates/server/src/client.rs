//! A client of Tidegate's own API, as any other: token first, then GraphQL over HTTP.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tidegate_engine::{Egress, Policy, Request, Response};
use url::Url;

use crate::data_dir::AdminFile;

/// A signed-in client.
pub(crate) struct Client {
    egress: Egress,
    base: Url,
    authorization: String,
}

/// An HTTP client that may call the hosts of these URLs: whoever typed a URL wants it called.
pub(crate) fn egress_to(urls: &[&Url]) -> anyhow::Result<Egress> {
    let hosts: Vec<&str> = urls.iter().filter_map(|url| url.host_str()).collect();
    Ok(Egress::new(Policy::allowing(hosts)?)?)
}

/// Calls a URL with a body; any answer is an answer.
pub(crate) async fn post(
    egress: &Egress,
    url: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> anyhow::Result<Response> {
    let request = Request {
        method: http::Method::POST,
        url: url.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: Some(body.into()),
        timeout: Duration::from_secs(30),
        max_response: 8 << 20,
    };
    egress.send(request).await.with_context(|| format!("{url} did not answer"))
}

impl Client {
    /// Gets a token for these credentials.
    pub(crate) async fn sign_in(base: Url, admin: &AdminFile) -> anyhow::Result<Self> {
        let token_url: Url = admin.token_url.parse().context("tokenUrl is no URL")?;
        let egress = egress_to(&[&base, &token_url])?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &admin.client_id)
            .append_pair("client_secret", &admin.client_secret)
            .finish();
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = post(&egress, token_url.as_str(), &headers, form.into_bytes()).await?;
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(token) = told["access_token"].as_str() else {
            bail!(
                "{token_url} gave no token: status {}, {}",
                answer.status,
                told["error"].as_str().unwrap_or("no reason")
            );
        };
        Ok(Self { egress, base, authorization: format!("Bearer {token}") })
    }

    /// Asks in a tenant, or in none; answers GraphQL's `data`, or fails with its first error.
    pub(crate) async fn ask(&self, tenant: Option<&str>, query: &str, variables: Value) -> anyhow::Result<Value> {
        let mut headers = vec![("Content-Type", "application/json"), ("Authorization", self.authorization.as_str())];
        headers.extend(tenant.map(|tenant| ("Tenant", tenant)));
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = post(&self.egress, self.base.join("/graphql")?.as_str(), &headers, body.into_bytes()).await?;
        let mut told: Value = serde_json::from_slice(&answer.body)
            .with_context(|| format!("/graphql answered {} with no JSON", answer.status))?;
        if let Some(message) = told["errors"][0]["message"].as_str() {
            bail!("{message}");
        }
        Ok(told["data"].take())
    }

    /// All rows of a paged list, `list` being its field in the query, which takes `$after`.
    pub(crate) async fn list(&self, tenant: Option<&str>, list: &str, query: &str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut after = Value::Null;
        loop {
            let mut data = self.ask(tenant, query, json!({ "after": after })).await?;
            let page = data[list].take();
            rows.extend(page["data"].as_array().cloned().unwrap_or_default());
            if page["pageInfo"]["hasNextPage"] != true {
                return Ok(rows);
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}
