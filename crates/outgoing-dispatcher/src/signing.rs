//! Signatures as Standard Webhooks 1.0 says: `v1,<base64>` of an HMAC-SHA256 over `id.timestamp.body`, one of each live secret.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac;
use tidegate_model::contract::Vault;
use tidegate_model::{Error, OpenCredential, TenantId};

/// Secrets in base64, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Keys that each call is signed with; none signs nothing.
#[derive(Default)]
pub(crate) struct Keys(Vec<hmac::Key>);

/// Why a call cannot show who makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanting {
    /// The vault is away: another time.
    Away,
    /// Somebody has to set something right.
    Amiss(String),
}

impl Keys {
    /// The keys of the tenant's credentials of these names.
    pub(crate) async fn find(vault: &dyn Vault, tenant: &TenantId, names: &[String]) -> Result<Self, Wanting> {
        let mut keys = Vec::new();
        for name in names {
            let open = match vault.credential(tenant, name).await {
                Ok(Some(open)) => open,
                Ok(None) => return Err(Wanting::Amiss(format!("there is no credential {name:?} to sign with"))),
                Err(error) => return Err(Wanting::of(&error, name)),
            };
            let own = of(&open);
            if own.is_empty() {
                let amiss = format!("credential {name:?} has no secret that can sign: whsec_ and base64");
                return Err(Wanting::Amiss(amiss));
            }
            keys.extend(own);
        }
        Ok(Self(keys))
    }

    /// The value of `webhook-signature`; `None` without keys. `body` is exactly what is sent: nothing of a GET.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &str) -> Option<String> {
        let signature = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            for part in [id, ".", &timestamp.to_string(), ".", body] {
                context.update(part.as_bytes());
            }
            format!("v1,{}", STANDARD.encode(context.sign()))
        };
        let all: Vec<_> = self.0.iter().map(signature).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

impl Wanting {
    pub(crate) fn of(error: &Error, name: &str) -> Self {
        match error {
            Error::Unavailable(_) | Error::Internal { .. } => Self::Away,
            other => Self::Amiss(format!("credential {name:?}: {other}")),
        }
    }
}

/// What `whpk_` begins is known to everybody, and signs nothing.
fn of(open: &OpenCredential) -> Vec<hmac::Key> {
    let texts = open.material.signing_secrets().iter().map(|one| one.secret.reveal());
    let bytes = texts.filter_map(|text| LENIENT.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok());
    bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of the specification's own tests.
    #[test]
    fn the_signature_is_the_specifications() {
        let bytes = LENIENT.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let key = || hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let sign = |keys: Keys| keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(Keys(vec![key()])).as_deref(), Some(expected));
        assert_eq!(sign(Keys(vec![key(), key()])), Some(format!("{expected} {expected}")));
        assert_eq!(sign(Keys::default()), None);
    }
}
