//! A third party's own scheme: an HMAC in a header, over what a template says.

use std::sync::Arc;

use ring::hmac;
use tidegate_model::{GenericSignature, OpenCredential, SignatureAlgorithm, SignatureEncoding, TemplatePart};

use super::keys::{Keys, base64, hex};
use super::{Place, Presented, Unverified, Verified};

pub(super) fn verify(
    generic: &GenericSignature,
    credentials: &[Arc<OpenCredential>],
    call: &Presented<'_>,
) -> Result<Verified, Unverified> {
    let keys = Keys::of_texts(algorithm(generic.algorithm), credentials)?;
    let place = || Place::header(&generic.header);
    let signature =
        call.header(&generic.header)?.strip_prefix(&*generic.prefix).and_then(|text| match generic.encoding {
            SignatureEncoding::Hex => hex(text),
            SignatureEncoding::Base64 => base64(text),
        });
    let signature = signature.ok_or_else(|| Unverified::Malformed(place()))?;
    let timestamp = generic.timestamp_header.as_deref().map(|name| Ok((name, call.header(name)?))).transpose()?;
    if let Some((name, text)) = timestamp {
        call.check_time(text, || Place::header(name))?;
    }
    let id = generic.id_header.as_deref().map(|name| call.header(name)).transpose()?;
    let part = |part: &TemplatePart<'_>| match part {
        TemplatePart::Text(text) => text.as_bytes().to_vec(),
        TemplatePart::Timestamp => timestamp.map_or("", |(_, text)| text).as_bytes().to_vec(),
        TemplatePart::Id => id.unwrap_or_default().as_bytes().to_vec(),
        TemplatePart::Method => call.method.as_str().as_bytes().to_vec(),
        TemplatePart::Url => call.url.as_bytes().to_vec(),
        TemplatePart::Body => call.body.to_vec(),
    };
    let signed: Vec<u8> = generic.template.parts().iter().flat_map(part).collect();
    keys.check(&[&signed], &[signature], place())?;
    Ok(Verified { delivery: id.map(str::to_owned), answer: None })
}

fn algorithm(algorithm: SignatureAlgorithm) -> hmac::Algorithm {
    match algorithm {
        SignatureAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureAlgorithm::Sha256 => hmac::HMAC_SHA256,
        SignatureAlgorithm::Sha512 => hmac::HMAC_SHA512,
    }
}
