//! Every status that the gateway answers with, its body and its headers.

use serde_json::{Map, Value, json};
use tidegate_model::{HttpMethod, IdempotencyKey, IncomingSettings, SignatureScheme};

/// The answers to the calls of one Integration.
pub(super) fn all(incoming: &IncomingSettings, method: HttpMethod) -> Value {
    let mut all = Map::new();
    let repeats = incoming.knows_repeats();
    let replayed: &[&str] = if repeats { &["Idempotency-Replayed"] } else { &[] };
    let mut add = |status: u16, answer: Value| all.insert(status.to_string(), answer);
    add(
        200,
        json!({
            "description": "The call was accepted. Whether a script ran tells the header Integration-Outcome, not the body.",
            "headers": headers(&[&["X-Request-Id", "Integration-Outcome"][..], replayed].concat()),
            "content": { "application/json": { "schema": { "anyOf": [
                { "$ref": "#/components/schemas/Result" }, { "$ref": "#/components/schemas/Skipped" },
            ] } } },
        }),
    );
    let keyless = if incoming.idempotency_key == IdempotencyKey::None {
        "The body is not complete."
    } else {
        "The body is not complete, or the Idempotency-Key is missing or too long."
    };
    add(400, problem(keyless, &[]));
    if let Some(signature) = &incoming.signature {
        let challenge: &[&str] = if signature.scheme == SignatureScheme::Basic { &["WWW-Authenticate"] } else { &[] };
        add(
            401,
            problem(
                "The signature, or what is shown instead of it, is missing or wrong.",
                &[&["Integration-Outcome"], challenge].concat(),
            ),
        );
    }
    add(404, problem("There is nothing at this address (any more).", &[]));
    add(405, problem(&format!("The address takes {method} only."), &["Allow"]));
    add(408, problem("The body did not arrive in time.", &[]));
    if repeats {
        add(409, problem("The same call has not ended.", &["Retry-After"]));
    }
    add(413, problem("The body is too large.", &[]));
    add(414, problem("The URL is too long.", &[]));
    add(415, problem("The content encoding is not understood.", &["Accept-Encoding"]));
    let what = if method == HttpMethod::Get { "query" } else { "body" };
    let unfit = format!("The {what} is not what the schema says; `errors` tells where.");
    let other = "A call with the same id or Idempotency-Key said something else.";
    match (incoming.check_body, repeats) {
        (true, false) => _ = add(422, problem(&unfit, &["Integration-Outcome"])),
        (false, true) => _ = add(422, problem(other, &[])),
        (true, true) => _ = add(422, problem(&format!("{unfit} Or: {other}"), &[])),
        (false, false) => {}
    }
    add(429, problem("Too many calls in too short a time.", &["Retry-After"]));
    add(431, problem("The headers are too many or too large.", &[]));
    add(
        500,
        problem(
            "The integration failed, or what it was sent is no JSON although it says so.",
            &["Integration-Outcome"],
        ),
    );
    add(503, problem("Not available now: call again.", &["Retry-After", "Integration-Outcome"]));
    Value::Object(all)
}

/// What the answers are made of.
pub(super) fn components() -> Value {
    let text = json!({ "type": "string" });
    let id = json!({ "type": "string", "format": "uuid" });
    json!({
        "schemas": {
            "Result": { "description": "What the script returned.", "type": "object" },
            "Skipped": {
                "description": "No script was called for now.",
                "type": "object",
                "required": ["executed", "reason"],
                "properties": {
                    "executed": { "const": false },
                    "reason": { "enum": ["inactive", "not-in-effect", "not-enabled"] },
                },
            },
            "Problem": {
                "description": "RFC 9457.",
                "type": "object",
                "required": ["title", "status", "detail", "requestId"],
                "properties": {
                    "title": text,
                    "status": { "type": "integer" },
                    "detail": text,
                    "requestId": id,
                    "executionId": id,
                    "errors": { "type": "array", "items": {
                        "type": "object",
                        "required": ["pointer", "detail"],
                        "properties": { "pointer": { "description": "A JSON Pointer (RFC 6901).", "type": "string" }, "detail": text },
                    } },
                },
            },
        },
        "headers": {
            "X-Request-Id": header("Names this call.", &id, true),
            "Integration-Outcome": header(
                "What came of the call.",
                &json!({ "enum": ["executed", "inactive", "not-in-effect", "not-enabled", "failed"] }),
                true,
            ),
            "Idempotency-Replayed": header("There when nothing ran: the answer is that of an earlier call.", &json!({ "const": "true" }), false),
            "Retry-After": header("How many seconds to wait.", &json!({ "type": "integer", "minimum": 1 }), true),
            "Allow": header("The method that the address takes.", &json!({ "enum": ["GET", "POST"] }), true),
            "Accept-Encoding": header("The encodings that are understood.", &text, true),
            "WWW-Authenticate": header("What to show.", &text, true),
        },
    })
}

fn header(description: &str, schema: &Value, required: bool) -> Value {
    json!({ "description": description, "required": required, "schema": schema })
}

fn headers(names: &[&str]) -> Value {
    let one = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().map(one).collect())
}

fn problem(description: &str, more: &[&str]) -> Value {
    json!({
        "description": description,
        "headers": headers(&[&["X-Request-Id"], more].concat()),
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}
