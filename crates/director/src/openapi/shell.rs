//! A call in POSIX shell, with curl and openssl.

use tidegate_model::{SignatureAlgorithm, SignatureEncoding};

use super::snippets::{Call, Part, Proof, SecretForm, Signing};

/// The lines.
pub(super) fn text(call: &Call) -> String {
    let mut lines = vec![format!("url={}", quoted(&call.url))];
    lines.extend(call.body.iter().map(|body| format!("body={}", quoted(body))));
    let mut curl = vec!["curl -sS".to_owned()];
    if call.body.is_some() {
        curl.push("-H 'Content-Type: application/json'".to_owned());
    }
    if call.has_key {
        curl.push("-H \"Idempotency-Key: $(openssl rand -hex 16)\"".to_owned());
    }
    match &call.proof {
        Proof::Nothing => {}
        Proof::Basic => curl.push("-u \"$WEBHOOK_USERNAME:$WEBHOOK_PASSWORD\"".to_owned()),
        Proof::TokenInHeader { name, prefix } => {
            curl.push(format!("-H {}\"$WEBHOOK_SECRET\"", quoted(&format!("{name}: {prefix}"))));
        }
        Proof::TokenInQuery { name } => {
            curl.push(format!("--url-query {}\"$WEBHOOK_SECRET\"", quoted(&format!("{name}="))));
        }
        Proof::Signed(signing) => {
            lines.extend(preparation(signing));
            curl.extend(signing.headers.iter().map(|(name, parts)| {
                let name = Part::Text(format!("{name}: "));
                format!("-H {}", joined(std::iter::once(&name).chain(parts)))
            }));
        }
    }
    if call.body.is_some() {
        curl.push("--data-raw \"$body\"".to_owned());
    }
    curl.push("\"$url\"".to_owned());
    lines.push(curl.join(" \\\n  "));
    lines.join("\n") + "\n"
}

fn preparation(signing: &Signing) -> Vec<String> {
    let mut lines = Vec::new();
    if signing.names_body {
        let hash = "$(printf %s \"$body\" | openssl dgst -sha256 -r | cut -d ' ' -f 1)";
        lines.push(format!("url=\"$url?bodySHA256={hash}\""));
    }
    if signing.has(&Part::Id) {
        lines.push("id=msg_$(openssl rand -hex 16)".to_owned());
    }
    if signing.has(&Part::Time) {
        lines.push("time=$(date +%s)".to_owned());
    }
    let secret = match signing.secret {
        SecretForm::Text => "printf %s \"$WEBHOOK_SECRET\"",
        SecretForm::StandardWebhooks => "printf %s \"${WEBHOOK_SECRET#whsec_}\" | openssl base64 -d -A",
    };
    lines.push(format!("key=$({secret} | od -An -v -tx1 | tr -d ' \\n')"));
    let algorithm = match signing.algorithm {
        SignatureAlgorithm::Sha1 => "sha1",
        SignatureAlgorithm::Sha256 => "sha256",
        SignatureAlgorithm::Sha512 => "sha512",
    };
    let form = match signing.encoding {
        SignatureEncoding::Hex => "-r | cut -d ' ' -f 1",
        SignatureEncoding::Base64 => "-binary | openssl base64 -A",
    };
    let signed = joined(&signing.signed);
    lines.push(format!(
        "signature=$(printf %s {signed} |\n  openssl dgst -{algorithm} -mac HMAC -macopt \"hexkey:$key\" {form})"
    ));
    lines
}

/// One word of all parts.
fn joined<'a>(parts: impl IntoIterator<Item = &'a Part>) -> String {
    let word = |part: &Part| match part {
        Part::Text(text) => quoted(text),
        Part::Time => "\"$time\"".to_owned(),
        Part::Id => "\"$id\"".to_owned(),
        Part::Url => "\"$url\"".to_owned(),
        Part::Body => "\"$body\"".to_owned(),
        Part::Signature => "\"$signature\"".to_owned(),
    };
    parts.into_iter().map(word).collect()
}

/// A text that the shell leaves as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_ends_nothing() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
