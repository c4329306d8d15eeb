//! What a third party needs to call an INCOMING Integration: an OpenAPI 3.1 document for its tools, and lines to copy. Pure.
//!
//! `mod.rs` is the document's frame, `answers` tells every status there is, `proofs` how a caller shows who it is, `schema` moves the
//! Integration's JSON Schema into the document, `sample` makes something that fits it, `snippets` writes the calls (`shell`, `python`) and
//! `yaml` writes the document down.

mod answers;
mod proofs;
mod python;
mod sample;
mod schema;
mod shell;
mod snippets;
mod yaml;

use serde_json::{Map, Value, json};
use tidegate_model::{HttpMethod, IdempotencyKey, Integration, SignatureScheme};

use self::schema::Moved;

pub(crate) use snippets::{Snippet, snippets};
pub(crate) use yaml::text as yaml;

/// The document of an INCOMING Integration that is called at `url`.
pub(crate) fn document(integration: &Integration, url: &str) -> Value {
    let incoming = &integration.settings.incoming;
    let (server, path) = split(url);
    let moved = incoming.body_schema.as_ref().map(|schema| Moved::to("Input", &schema.to_value()));
    let proof = incoming.signature.as_ref().map(|signature| &signature.scheme);
    let mut parameters = proof.map(proofs::parameters).unwrap_or_default();
    parameters.extend(idempotency_key(incoming.idempotency_key));
    let mut operation = json!({
        "operationId": "call",
        "summary": integration.name,
        "responses": answers::all(incoming, integration.http_method),
        "x-codeSamples": snippets(integration, url).iter().map(Snippet::sample).collect::<Vec<_>>(),
    });
    match integration.http_method {
        HttpMethod::Get => parameters.extend(query(moved.as_ref())),
        HttpMethod::Post => operation["requestBody"] = body(moved.is_some(), proof),
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    let mut components = answers::components();
    if let Some((name, security)) = proof.and_then(proofs::security) {
        components["securitySchemes"] = json!({ name: security });
        operation["security"] = json!([{ name: [] }]);
    }
    if let Some(moved) = moved {
        components["schemas"]["Input"] = moved.schema;
    }
    let mut info = json!({ "title": integration.name, "version": version(integration) });
    if let Some(description) = &integration.description {
        info["description"] = json!(description);
    }
    json!({
        "openapi": "3.1.0",
        "info": info,
        "servers": [{ "url": server }],
        "paths": { path: { integration.http_method.as_str().to_ascii_lowercase(): operation } },
        "components": components,
    })
}

/// The header by which a caller says which calls are the same, where it may.
fn idempotency_key(policy: IdempotencyKey) -> Option<Value> {
    (policy != IdempotencyKey::None).then(|| {
        json!({
            "name": "Idempotency-Key", "in": "header", "required": policy == IdempotencyKey::Required,
            "description": "New for each new call; a call that comes again with it within 24 hours gets the first one's answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        })
    })
}

/// A document changes when its Integration does.
fn version(integration: &Integration) -> String {
    integration.updated_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// What stands before the webhook's path in its URL, and the path.
fn split(url: &str) -> (&str, &str) {
    url.rfind("/webhook/").map_or((url, ""), |at| url.split_at(at))
}

fn body(has_schema: bool, proof: Option<&SignatureScheme>) -> Value {
    let schema = if has_schema { json!({ "$ref": "#/components/schemas/Input" }) } else { json!({}) };
    let mut content = json!({ "application/json": { "schema": schema } });
    if proof == Some(&SignatureScheme::Twilio) {
        content["application/x-www-form-urlencoded"] = json!({ "schema": { "type": "object" } });
    }
    json!({ "required": has_schema, "content": content })
}

/// The parameters of the query: those that the schema names, or any.
fn query(moved: Option<&Moved>) -> Vec<Value> {
    let none = Map::new();
    let named = moved.and_then(|moved| moved.schema.get("properties")?.as_object()).unwrap_or(&none);
    if named.is_empty() {
        let any = json!({ "type": "object", "additionalProperties": { "type": ["string", "array"], "items": { "type": "string" } } });
        return vec![json!({ "name": "parameters", "in": "query", "style": "form", "explode": true, "schema": any })];
    }
    let required = moved.and_then(|moved| moved.schema.get("required")?.as_array());
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let parameter = |(name, schema): (&String, &Value)| json!({ "name": name, "in": "query", "required": is_required(name), "schema": schema });
    named.iter().map(parameter).collect()
}
