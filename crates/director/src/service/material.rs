//! What the secrets of each kind of credential must be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_model::{
    AuthStyle, CredentialKind, Material, OAuth2Client, Reserved, Secret, SigningSecret, SigningSecretId, Timestamp,
};

use super::credentials::CredentialUpdateInput;
use crate::rules::{Rules, is_http_url};

/// How many bytes a secret may have.
const MAX_SECRET: usize = 8192;

/// What material is made of.
pub(super) struct Draft<'a> {
    pub(super) kind: CredentialKind,
    pub(super) input: CredentialUpdateInput,
    /// What there was; of the same kind.
    pub(super) kept: Option<&'a Material>,
    /// What the first signing secret is called.
    pub(super) first: (SigningSecretId, Timestamp),
}

/// Reads the material; `None` when a rule was broken that leaves none.
pub(super) fn material(rules: &mut Rules, draft: Draft<'_>) -> Option<Material> {
    let Draft { kind, input, kept, first } = draft;
    only_of_its_kind(rules, kind, &input);
    let kept_secret = kept.and_then(kept_secret);
    let secret = match input.secret.or(kept_secret) {
        Some(secret) => secret,
        // One that signs keeps all that it has.
        None if kind == CredentialKind::Signing && kept.is_some() => return kept.cloned(),
        None => {
            rules.expect(false, "in.secret", "the secret");
            return None;
        }
    };
    let length = (1..=MAX_SECRET).contains(&secret.reveal().len());
    rules.expect(length, "in.secret", "1 to 8192 bytes");
    match kind {
        CredentialKind::Basic => {
            let username = input.username.unwrap_or_default();
            let fits = username.len() <= 256 && !username.contains(':') && !username.chars().any(char::is_control);
            rules.expect(fits, "in.username", "at most 256 bytes without a colon and control characters");
            no_control(rules, &secret, "in.secret");
            Some(Material::Basic { username, password: secret })
        }
        CredentialKind::Bearer => {
            let fits = secret.reveal().bytes().all(|b| b.is_ascii_graphic());
            rules.expect(fits, "in.secret", "a token of visible ASCII characters without spaces");
            Some(Material::Bearer { token: secret })
        }
        CredentialKind::Header => {
            let name = input.header_name.unwrap_or_default();
            rules.expect(is_header_name(&name), "in.headerName", "the name of a header that is not the platform's own");
            let value = secret.reveal();
            let fits = value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') && value.trim() == value;
            rules.expect(fits, "in.secret", "visible ASCII characters, with spaces only between them");
            Some(Material::Header { name, value: secret })
        }
        CredentialKind::OAuth2 => {
            let token_url = input.token_url.unwrap_or_default();
            rules.expect(is_http_url(&token_url), "in.tokenUrl", "an absolute http or https URL without credentials");
            let client_id = input.client_id.unwrap_or_default();
            let fits = (1..=512).contains(&client_id.len()) && !client_id.chars().any(char::is_control);
            rules.expect(fits, "in.clientId", "1 to 512 bytes without control characters");
            let scope = input.scope.filter(|scope| !scope.is_empty());
            let fits =
                scope.as_deref().is_none_or(|s| s.len() <= 2000 && s.bytes().all(|b| (b' '..=b'~').contains(&b)));
            rules.expect(fits, "in.scope", "at most 2000 ASCII characters: scopes with spaces between them");
            no_control(rules, &secret, "in.secret");
            let auth_style = input.auth_style.unwrap_or(AuthStyle::Basic);
            Some(Material::OAuth2(OAuth2Client { token_url, client_id, client_secret: secret, scope, auth_style }))
        }
        CredentialKind::Signing => {
            rules.expect(kept.is_none(), "in.secret", "nothing: addSigningSecret and removeSigningSecret change it");
            signing_secret(rules, &secret, "in.secret");
            let (id, created_at) = first;
            Some(Material::Signing { secrets: vec![SigningSecret { id, secret, created_at }] })
        }
    }
}

/// A secret that signs is text as the scheme has it: what `whsec_` begins is base64 for one, and text as it is for another.
pub(super) fn signing_secret(rules: &mut Rules, secret: &Secret, field: &str) {
    let text = secret.reveal();
    rules.expect((1..=MAX_SECRET).contains(&text.len()), field, "1 to 8192 bytes");
    no_control(rules, secret, field);
}

/// Whether one of the secrets is one of Standard Webhooks: base64, after `whsec_` or `whpk_` where it says what it is.
pub(super) fn signs_standard_webhooks(material: &Material) -> bool {
    material.signing_secrets().iter().any(|one| {
        let text = one.secret.reveal();
        let encoded = text.strip_prefix("whsec_").or_else(|| text.strip_prefix("whpk_")).unwrap_or(text);
        STANDARD.decode(encoded).is_ok_and(|bytes| !bytes.is_empty())
    })
}

/// Whether it can sign as Standard Webhooks does: a secret in base64, after `whsec_` or as it is; a public key makes no signature.
pub(super) fn makes_standard_webhooks(material: &Material) -> bool {
    material.signing_secrets().iter().any(|one| {
        let text = one.secret.reveal();
        let encoded = text.strip_prefix("whsec_").unwrap_or(text);
        STANDARD.decode(encoded).is_ok_and(|bytes| !bytes.is_empty())
    })
}

fn no_control(rules: &mut Rules, secret: &Secret, field: &str) {
    rules.expect(!secret.reveal().chars().any(char::is_control), field, "no control characters");
}

/// The secret that an update without one keeps; one that signs has several, and keeps them otherwise.
fn kept_secret(material: &Material) -> Option<Secret> {
    match material {
        Material::Basic { password, .. } => Some(password.clone()),
        Material::Bearer { token } => Some(token.clone()),
        Material::Header { value, .. } => Some(value.clone()),
        Material::OAuth2(client) => Some(client.client_secret.clone()),
        Material::Signing { .. } => None,
    }
}

/// What another kind has must not be there: whoever wrote it meant something by it.
fn only_of_its_kind(rules: &mut Rules, kind: CredentialKind, input: &CredentialUpdateInput) {
    use CredentialKind as K;
    let given = [
        ("in.username", K::Basic, input.username.is_some()),
        ("in.headerName", K::Header, input.header_name.is_some()),
        ("in.tokenUrl", K::OAuth2, input.token_url.is_some()),
        ("in.clientId", K::OAuth2, input.client_id.is_some()),
        ("in.scope", K::OAuth2, input.scope.is_some()),
        ("in.authStyle", K::OAuth2, input.auth_style.is_some()),
    ];
    for (field, owner, is_there) in given {
        let expected = format!("nothing: only a credential of kind {} has it", owner.as_str());
        rules.expect(!is_there || owner == kind, field, &expected);
    }
}

fn is_header_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=128).contains(&name.len()) && name.bytes().all(token) && Reserved::of(name).is_none()
}
