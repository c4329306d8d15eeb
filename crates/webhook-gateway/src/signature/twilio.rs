//! Twilio: `X-Twilio-Signature: <base64>`, HMAC-SHA1 over the URL and the sorted fields of the form. What is no form is named by its hash in the
//! query parameter `bodySHA256`, which the URL's signature covers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ring::{digest, hmac};
use tidegate_model::OpenCredential;

use super::keys::{Keys, base64, hex};
use super::{Place, Presented, Unverified, Verified};

pub(super) const SIGNATURE: &str = "x-twilio-signature";
const BODY_HASH: &str = "bodySHA256";

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let keys = Keys::of_texts(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, credentials)?;
    let place = || Place::header(SIGNATURE);
    let signature = base64(call.header(SIGNATURE)?).ok_or_else(|| Unverified::Malformed(place()))?;
    let fields = fields(call)?;
    let signatures = [signature];
    if urls(call.url).iter().any(|url| keys.signed(&[url.as_bytes(), fields.as_bytes()], &signatures)) {
        Ok(Verified::default())
    } else {
        Err(Unverified::Mismatch(place()))
    }
}

/// What is signed of the body beside the URL. A body that neither is a form nor has its hash in the URL is signed by nobody.
fn fields(call: &Presented<'_>) -> Result<String, Unverified> {
    let place = || Place::Parameter(BODY_HASH.to_owned());
    if let Some(hash) = call.parameter(BODY_HASH)? {
        let hash = hex(&hash).ok_or_else(|| Unverified::Malformed(place()))?;
        let is = digest::digest(&digest::SHA256, call.body);
        return if is.as_ref() == hash { Ok(String::new()) } else { Err(Unverified::OtherBody(place())) };
    }
    if !call.is_form() {
        return if call.body.is_empty() { Ok(String::new()) } else { Err(Unverified::Missing(place())) };
    }
    let mut sorted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(call.body) {
        sorted.entry(name).or_default().insert(value);
    }
    let lines = sorted.iter().flat_map(|(name, values)| values.iter().flat_map(move |value| [&**name, &**value]));
    Ok(lines.collect())
}

/// The URL as it was called, and as Twilio may have written it: with or without its port.
fn urls(url: &str) -> Vec<String> {
    let mut urls = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return urls };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    if let Some((host, _)) = authority.rsplit_once(':').filter(|(_, port)| is_port(port)) {
        urls.push(format!("{scheme}://{host}{path}"));
    } else {
        let port = if scheme == "https" { 443 } else { 80 };
        urls.push(format!("{scheme}://{authority}:{port}{path}"));
    }
    urls
}
