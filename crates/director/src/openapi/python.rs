//! A call in Python, with its standard library.

use serde_json::Value;
use tidegate_model::{SignatureAlgorithm, SignatureEncoding};

use super::snippets::{Call, Part, Proof, SecretForm, Signing};

/// The lines.
pub(super) fn text(call: &Call) -> String {
    let mut modules = vec!["urllib.request"];
    let mut lines = vec![format!("url = {}", quoted(&call.url))];
    lines.extend(call.body.iter().map(|body| format!("body = {}.encode()", quoted(body))));
    let mut headers: Vec<(String, String)> = Vec::new();
    if call.body.is_some() {
        headers.push(("Content-Type".to_owned(), quoted("application/json")));
    }
    if call.has_key {
        modules.push("secrets");
        headers.push(("Idempotency-Key".to_owned(), "secrets.token_hex(16)".to_owned()));
    }
    if !matches!(call.proof, Proof::Nothing) {
        modules.push("os");
    }
    match &call.proof {
        Proof::Nothing => {}
        Proof::Basic => {
            modules.push("base64");
            lines.push("user = os.environ[\"WEBHOOK_USERNAME\"] + \":\" + os.environ[\"WEBHOOK_PASSWORD\"]".to_owned());
            headers
                .push(("Authorization".to_owned(), "\"Basic \" + base64.b64encode(user.encode()).decode()".to_owned()));
        }
        Proof::TokenInHeader { name, prefix } => {
            headers.push((name.clone(), format!("{} + os.environ[\"WEBHOOK_SECRET\"]", quoted(prefix))));
        }
        Proof::TokenInQuery { name } => {
            modules.push("urllib.parse");
            let before = if call.url.contains('?') { "&" } else { "?" };
            let before = quoted(&format!("{before}{name}="));
            lines.push(format!("url += {before} + urllib.parse.quote(os.environ[\"WEBHOOK_SECRET\"], safe=\"\")"));
        }
        Proof::Signed(signing) => {
            modules.extend(["hashlib", "hmac"]);
            lines.extend(preparation(signing, &mut modules));
            headers.extend(signing.headers.iter().map(|(name, parts)| (name.clone(), joined(parts, text_of))));
        }
    }
    modules.sort_unstable();
    modules.dedup();
    let (data, method) = if call.body.is_some() { (", data=body", "POST") } else { ("", "GET") };
    lines.push(format!("request = urllib.request.Request(url{data}, method=\"{method}\")"));
    lines.extend(headers.iter().map(|(name, value)| format!("request.add_header({}, {value})", quoted(name))));
    lines.push("with urllib.request.urlopen(request) as answer:\n    print(answer.read().decode())".to_owned());
    let modules: Vec<String> = modules.iter().map(|module| format!("import {module}")).collect();
    format!("{}\n\n{}\n", modules.join("\n"), lines.join("\n"))
}

fn preparation(signing: &Signing, modules: &mut Vec<&'static str>) -> Vec<String> {
    let mut lines = Vec::new();
    if signing.names_body {
        lines.push("url += \"?bodySHA256=\" + hashlib.sha256(body).hexdigest()".to_owned());
    }
    if signing.has(&Part::Id) {
        modules.push("secrets");
        lines.push("delivery = \"msg_\" + secrets.token_hex(16)".to_owned());
    }
    if signing.has(&Part::Time) {
        modules.push("time");
        lines.push("timestamp = str(int(time.time()))".to_owned());
    }
    lines.push(match signing.secret {
        SecretForm::Text => "key = os.environ[\"WEBHOOK_SECRET\"].encode()".to_owned(),
        SecretForm::StandardWebhooks => {
            modules.push("base64");
            "key = base64.b64decode(os.environ[\"WEBHOOK_SECRET\"].removeprefix(\"whsec_\") + \"==\")".to_owned()
        }
    });
    let algorithm = match signing.algorithm {
        SignatureAlgorithm::Sha1 => "sha1",
        SignatureAlgorithm::Sha256 => "sha256",
        SignatureAlgorithm::Sha512 => "sha512",
    };
    lines.push(format!("mac = hmac.new(key, {}, hashlib.{algorithm})", joined(&signing.signed, bytes_of)));
    lines.push(match signing.encoding {
        SignatureEncoding::Hex => "signature = mac.hexdigest()".to_owned(),
        SignatureEncoding::Base64 => {
            modules.push("base64");
            "signature = base64.b64encode(mac.digest()).decode()".to_owned()
        }
    });
    lines
}

fn joined(parts: &[Part], form: fn(&Part) -> String) -> String {
    parts.iter().map(form).collect::<Vec<_>>().join(" + ")
}

fn text_of(part: &Part) -> String {
    match part {
        Part::Text(text) => quoted(text),
        Part::Time => "timestamp".to_owned(),
        Part::Id => "delivery".to_owned(),
        Part::Url => "url".to_owned(),
        Part::Body => "body.decode()".to_owned(),
        Part::Signature => "signature".to_owned(),
    }
}

fn bytes_of(part: &Part) -> String {
    match part {
        Part::Body => "body".to_owned(),
        other => format!("{}.encode()", text_of(other)),
    }
}

/// A text as a literal: Python reads JSON's strings alike.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
