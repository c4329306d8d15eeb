//! The signature that an Integration requires: what of it is accepted, told and kept.

use serde_json::{Value, json};
use tidegate_model::SignatureScheme;
use tidegate_model::contract::{Resolved, WebhookKeyHash};

use crate::desk::{Desk, text};

const CREATE: &str =
    "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id webhookUrl incoming { signature { scheme
    credentials toleranceSeconds header prefix parameter algorithm encoding template timestampHeader idHeader } } } }";
const UPDATE: &str = "mutation($id: ID!, $in: IntegrationUpdateInput!) { updateIntegration(id: $id, in: $in) { incoming { signature { scheme } } } }";
const CREDENTIAL: &str = "mutation($in: CredentialInput!) { createCredential(in: $in) { id } }";

/// A desk with a credential of each kind that callers can be known by, and one Logic, whose id it answers.
async fn desk() -> (Desk, String) {
    let desk = Desk::with_tenants().await;
    let hosts = json!(["api.example.com"]);
    for credential in [
        json!({ "name": "hooks", "kind": "SIGNING", "secret": "whsec_AAECAwQF" }),
        json!({ "name": "hooks-2", "kind": "SIGNING", "secret": "no base64!" }),
        json!({ "name": "bearer", "kind": "BEARER", "allowedHosts": hosts, "secret": "three" }),
        json!({ "name": "basic", "kind": "BASIC", "allowedHosts": hosts, "username": "ada", "secret": "four" }),
    ] {
        desk.ok(Some("acme"), CREDENTIAL, json!({ "in": credential })).await;
    }
    let core = desk.create_logic("acme", "core", "CORE").await;
    (desk, core)
}

fn input(core: &str, method: &str, signature: &Value) -> Value {
    json!({ "in": { "name": "hook", "type": "INCOMING", "httpMethod": method, "coreLogicID": core,
        "incoming": { "signature": signature } } })
}

#[tokio::test]
async fn a_signature_is_kept_as_it_was_asked_for_and_goes_to_the_gateway() {
    let (desk, core) = desk().await;
    let generic = json!({ "scheme": "GENERIC", "credentials": ["hooks", "hooks-2"], "header": "X-Sig", "prefix": "v1=",
        "algorithm": "SHA512", "encoding": "BASE64", "template": "{timestamp}.{id}.{body}", "timestampHeader": "X-Time",
        "idHeader": "X-Id", "toleranceSeconds": 60 });
    let made = desk.ok(Some("acme"), CREATE, input(&core, "POST", &generic)).await["createIntegration"].take();
    let told = &made["incoming"]["signature"];
    for (field, value) in generic.as_object().unwrap() {
        assert_eq!(&told[field], value, "{field}");
    }
    assert_eq!(told["parameter"], Value::Null);
    let key = WebhookKeyHash::of(text(&made["webhookUrl"]).rsplit('/').next().unwrap());
    let Resolved::One(runnable) = desk.director.registry().resolve(key).await.unwrap() else { panic!("not resolved") };
    let kept = runnable.integration.settings.incoming.signature.clone().unwrap();
    assert!(matches!(kept.scheme, SignatureScheme::Generic(_)) && kept.tolerance() == 60, "{kept:?}");

    let replaced = json!({ "httpMethod": "POST", "active": true, "coreLogicID": core,
        "incoming": { "signature": { "scheme": "STRIPE", "credentials": ["hooks"] } } });
    let data = desk.ok(Some("acme"), UPDATE, json!({ "id": made["id"], "in": replaced })).await;
    assert_eq!(data["updateIntegration"]["incoming"]["signature"]["scheme"], "STRIPE");
    let without = json!({ "httpMethod": "POST", "active": true, "coreLogicID": core });
    let data = desk.ok(Some("acme"), UPDATE, json!({ "id": made["id"], "in": without })).await;
    assert_eq!(data["updateIntegration"]["incoming"]["signature"], Value::Null, "an update replaces everything");
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let (desk, core) = desk().await;
    let generic = json!({ "scheme": "GENERIC", "credentials": ["hooks"], "header": "X-Sig" });
    let made = desk.ok(Some("acme"), CREATE, input(&core, "POST", &generic)).await["createIntegration"].take();
    let told = &made["incoming"]["signature"];
    let defaults = ["algorithm", "encoding", "template", "prefix"].map(|field| text(&told[field]));
    assert_eq!(defaults, ["SHA256", "HEX", "{body}", ""]);
    assert_eq!(told["toleranceSeconds"], Value::Null, "without a time there is no tolerance");
}

#[tokio::test]
async fn what_does_nothing_or_too_little_is_refused_with_its_field() {
    let (desk, logic) = desk().await;
    let many = json!(["hooks", "hooks-2", "a", "b", "c", "d"]);
    let generic = |more: Value| {
        let mut all = json!({ "scheme": "GENERIC", "credentials": ["hooks"], "header": "X-Sig" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let cases = [
        ("POST", json!({ "scheme": "GITHUB", "credentials": [] }), "credentials"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": many }), "credentials"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": ["unknown"] }), "credentials[0]"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": ["hooks", "hooks"] }), "credentials[1]"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": ["hooks", "bearer"] }), "credentials[1]"),
        ("POST", json!({ "scheme": "BASIC", "credentials": ["hooks"] }), "credentials[0]"),
        ("POST", json!({ "scheme": "STANDARD_WEBHOOKS", "credentials": ["hooks", "hooks-2"] }), "credentials[1]"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": ["hooks"], "template": "{body}" }), "template"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": ["hooks"], "header": "X-Sig" }), "header"),
        ("POST", json!({ "scheme": "GITHUB", "credentials": ["hooks"], "toleranceSeconds": 300 }), "toleranceSeconds"),
        ("POST", json!({ "scheme": "STRIPE", "credentials": ["hooks"], "toleranceSeconds": 0 }), "toleranceSeconds"),
        ("POST", json!({ "scheme": "STRIPE", "credentials": ["hooks"], "toleranceSeconds": 3601 }), "toleranceSeconds"),
        ("GET", json!({ "scheme": "GITHUB", "credentials": ["hooks"] }), "scheme"),
        ("POST", json!({ "scheme": "GENERIC", "credentials": ["hooks"] }), "header"),
        ("POST", generic(json!({ "header": "X Sig" })), "header"),
        ("POST", generic(json!({ "prefix": " v1=" })), "prefix"),
        ("POST", generic(json!({ "template": "{secret}{body}" })), "template"),
        ("POST", generic(json!({ "template": "{url}" })), "template"),
        ("GET", generic(json!({ "template": "{body}" })), "template"),
        ("POST", generic(json!({ "template": "{timestamp}{body}" })), "timestampHeader"),
        ("POST", generic(json!({ "timestampHeader": "X-Time" })), "timestampHeader"),
        ("POST", generic(json!({ "idHeader": "X-Id" })), "idHeader"),
        ("POST", generic(json!({ "toleranceSeconds": 60 })), "toleranceSeconds"),
        ("POST", generic(json!({ "parameter": "key" })), "parameter"),
        ("POST", json!({ "scheme": "TOKEN", "credentials": ["hooks"] }), "header"),
        ("POST", json!({ "scheme": "TOKEN", "credentials": ["hooks"], "header": "X-T", "parameter": "t" }), "header"),
        ("POST", json!({ "scheme": "TOKEN", "credentials": ["hooks"], "parameter": "t", "prefix": "x" }), "prefix"),
        (
            "POST",
            json!({ "scheme": "TOKEN", "credentials": ["hooks"], "header": "X-T", "encoding": "HEX" }),
            "encoding",
        ),
    ];
    for (method, signature, field) in cases {
        let (code, message) = desk.refused(Some("acme"), CREATE, input(&logic, method, &signature)).await;
        let field = format!("in.incoming.signature.{field}");
        assert!(code == 22 && message.contains(&field), "{signature}: {code} {message}");
    }
    let outgoing = json!({ "in": { "name": "call", "type": "OUTGOING", "httpMethod": "POST", "coreLogicID": logic,
        "url": "https://example.com", "subscriptions": [{ "objectType": "Order", "eventType": "CREATE" }],
        "incoming": { "signature": { "scheme": "GITHUB", "credentials": ["hooks"] } } } });
    let (code, message) = desk.refused(Some("acme"), CREATE, outgoing).await;
    assert!(code == 22 && message.contains("in.incoming"), "{code} {message}");
}

#[tokio::test]
async fn each_scheme_takes_credentials_of_its_kinds() {
    let (desk, logic) = desk().await;
    for (i, (method, signature)) in [
        ("POST", json!({ "scheme": "STANDARD_WEBHOOKS", "credentials": ["hooks"] })),
        ("POST", json!({ "scheme": "SLACK", "credentials": ["hooks"], "toleranceSeconds": 3600 })),
        ("POST", json!({ "scheme": "SHOPIFY", "credentials": ["hooks"] })),
        ("GET", json!({ "scheme": "TWILIO", "credentials": ["hooks"] })),
        ("GET", json!({ "scheme": "GENERIC", "credentials": ["hooks"], "header": "X-Sig", "template": "{url}" })),
        ("GET", json!({ "scheme": "TOKEN", "credentials": ["hooks", "bearer"], "parameter": "token" })),
        (
            "POST",
            json!({ "scheme": "TOKEN", "credentials": ["bearer"], "header": "Authorization", "prefix": "Bearer " }),
        ),
        ("POST", json!({ "scheme": "BASIC", "credentials": ["basic"] })),
    ]
    .into_iter()
    .enumerate()
    {
        let mut input = input(&logic, method, &signature);
        input["in"]["name"] = json!(format!("hook-{i}"));
        let made = desk.ok(Some("acme"), CREATE, input).await["createIntegration"].take();
        assert_eq!(made["incoming"]["signature"]["scheme"], signature["scheme"]);
    }
}

#[tokio::test]
async fn a_credential_that_calls_are_checked_with_cannot_be_deleted() {
    let (desk, logic) = desk().await;
    let all = "query { credentials { data { id name } } }";
    let all = desk.ok(Some("acme"), all, json!({})).await["credentials"]["data"].take();
    let id = |name: &str| text(&all.as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()["id"]);
    let github = json!({ "scheme": "GITHUB", "credentials": ["hooks"] });
    desk.ok(Some("acme"), CREATE, input(&logic, "POST", &github)).await;
    let delete = "mutation($id: ID!) { deleteCredential(id: $id) { name } }";
    let (error, message) = desk.refused(Some("acme"), delete, json!({ "id": id("hooks") })).await;
    assert!(error == 27 && message.contains("hook"), "{error} {message}");
    desk.ok(Some("acme"), delete, json!({ "id": id("hooks-2") })).await;
}
