//! What an Integration keeps of the signature that it requires.

use serde_json::json;
use tidegate_model::{Settings, SignatureScheme, SignatureTemplate, TemplatePart, TokenPlace};

#[test]
fn a_template_is_text_with_known_parts_each_once() {
    use TemplatePart::{Body, Id, Method, Text, Timestamp, Url};
    let cases = [
        ("{body}", vec![Body]),
        ("v0:{timestamp}:{body}", vec![Text("v0:"), Timestamp, Text(":"), Body]),
        ("{method}\n{url}\n{id}{body}.", vec![Method, Text("\n"), Url, Text("\n"), Id, Body, Text(".")]),
    ];
    for (text, parts) in cases {
        let template: SignatureTemplate = text.parse().unwrap();
        assert_eq!((template.as_str(), template.parts()), (text, parts));
    }
    let long = "x".repeat(251) + "{body}";
    for bad in ["", "{", "}", "{}", "{Body}", "{secret}", "{body}{body}", "a}{body}", "{body}}", "{{body}}", &long] {
        assert!(bad.parse::<SignatureTemplate>().is_err(), "{bad}");
    }
}

#[test]
fn settings_are_read_as_they_were_written_and_without_a_signature_as_before() {
    let written = [
        json!({ "scheme": "STANDARD_WEBHOOKS", "credentials": ["a", "b"], "toleranceSeconds": 60 }),
        json!({ "scheme": "GITHUB", "credentials": ["a"], "toleranceSeconds": null }),
        json!({ "scheme": "TOKEN", "credentials": ["a"], "toleranceSeconds": null, "place": { "parameter": { "name": "key" } } }),
        json!({ "scheme": "GENERIC", "credentials": ["a"], "toleranceSeconds": null, "header": "x-sig", "prefix": "",
            "algorithm": "SHA512", "encoding": "BASE64", "template": "{id}.{body}", "timestampHeader": null, "idHeader": "x-id" }),
    ];
    for signature in written {
        let text = json!({ "incoming": { "signature": signature } });
        let settings: Settings = serde_json::from_value(text).unwrap();
        assert_eq!(serde_json::to_value(&settings).unwrap()["incoming"]["signature"], signature);
    }
    let older: Settings = serde_json::from_value(json!({ "limits": {}, "incoming": {} })).unwrap();
    assert_eq!(older, Settings::default());
}

#[test]
fn a_signature_that_this_version_does_not_know_is_not_read_as_none() {
    for signature in [json!({ "scheme": "NEWER", "credentials": ["a"] }), json!({ "scheme": "GITHUB" }), json!(true)] {
        let text = json!({ "incoming": { "signature": signature } });
        assert!(serde_json::from_value::<Settings>(text).is_err());
    }
}

#[test]
fn only_signatures_that_tell_their_time_have_a_tolerance() {
    let place = TokenPlace::Parameter { name: "key".to_owned() };
    let timed = [SignatureScheme::StandardWebhooks, SignatureScheme::Stripe, SignatureScheme::Slack];
    let untimed = [SignatureScheme::Github, SignatureScheme::Twilio, SignatureScheme::Token { place }];
    assert!(timed.iter().all(SignatureScheme::has_timestamp));
    assert!(!untimed.iter().any(SignatureScheme::has_timestamp));
}
