//! What the signature that an Integration requires must be: whole for its scheme, over what scripts read, and nothing in it that does nothing.

use tidegate_model::{
    Error, GenericSignature, HttpMethod, Material, SignatureAlgorithm, SignatureEncoding, SignatureScheme,
    SignatureSettings, SignatureTemplate, TemplatePart, TenantId, TokenPlace,
};

use super::Services;
use super::material::signs_standard_webhooks;
use crate::rules::Rules;

/// A scheme, by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemeName {
    StandardWebhooks,
    Github,
    Stripe,
    Slack,
    Shopify,
    Twilio,
    Generic,
    Token,
    Basic,
}

/// The signature that a caller asks for; which fields there are to be depends on the scheme.
pub(crate) struct SignatureInput {
    pub scheme: SchemeName,
    pub credentials: Vec<String>,
    /// Schemes that tell their time.
    pub tolerance_seconds: Option<u32>,
    /// GENERIC; TOKEN in a header.
    pub header: Option<String>,
    /// GENERIC; TOKEN in a header.
    pub prefix: Option<String>,
    /// TOKEN in the query.
    pub parameter: Option<String>,
    /// GENERIC; none is SHA256.
    pub algorithm: Option<SignatureAlgorithm>,
    /// GENERIC; none is HEX.
    pub encoding: Option<SignatureEncoding>,
    /// GENERIC; none is `{body}`.
    pub template: Option<String>,
    /// GENERIC.
    pub timestamp_header: Option<String>,
    /// GENERIC.
    pub id_header: Option<String>,
}

impl Services {
    /// Reads the signature, with every broken rule noted; its credentials have to be the tenant's, and of a kind that fits.
    pub(super) async fn signature(
        &self,
        rules: &mut Rules,
        tenant: &TenantId,
        method: HttpMethod,
        input: SignatureInput,
    ) -> Result<Option<SignatureSettings>, Error> {
        let names = input.credentials.clone();
        let Some(signature) = read(rules, method, input) else { return Ok(None) };
        let kinds = signature.scheme.credential_kinds();
        let words: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let is_standard = signature.scheme == SignatureScheme::StandardWebhooks;
        let more = if is_standard { ", with a secret that is whsec_ or whpk_ and base64" } else { "" };
        let expected =
            format!("the name of a credential of kind {} of this tenant{more}, each once", words.join(" or "));
        for (i, name) in names.iter().enumerate().take(SignatureSettings::MAX_CREDENTIALS) {
            let material = self.safe.find_named(tenant, name).await?.map(|kept| kept.open.material);
            let fits = |material: Material| {
                kinds.contains(&material.kind()) && (!is_standard || signs_standard_webhooks(&material))
            };
            let fits = material.is_some_and(fits) && !names[..i].contains(name);
            rules.expect(fits, &format!("in.incoming.signature.credentials[{i}]"), &expected);
        }
        Ok(Some(signature))
    }
}

/// `None` when a rule was broken that leaves nothing.
fn read(rules: &mut Rules, method: HttpMethod, input: SignatureInput) -> Option<SignatureSettings> {
    only_of_its_scheme(rules, &input);
    let count = input.credentials.len();
    let some = (1..=SignatureSettings::MAX_CREDENTIALS).contains(&count);
    rules.expect(some, "in.incoming.signature.credentials", "1 to 5 names of credentials");
    let scheme = match input.scheme {
        SchemeName::StandardWebhooks => SignatureScheme::StandardWebhooks,
        SchemeName::Github => SignatureScheme::Github,
        SchemeName::Stripe => SignatureScheme::Stripe,
        SchemeName::Slack => SignatureScheme::Slack,
        SchemeName::Shopify => SignatureScheme::Shopify,
        SchemeName::Twilio => SignatureScheme::Twilio,
        SchemeName::Generic => SignatureScheme::Generic(generic(rules, method, &input)?),
        SchemeName::Token => SignatureScheme::Token { place: token(rules, &input) },
        SchemeName::Basic => SignatureScheme::Basic,
    };
    let over_body_alone = matches!(
        scheme,
        SignatureScheme::StandardWebhooks
            | SignatureScheme::Github
            | SignatureScheme::Stripe
            | SignatureScheme::Slack
            | SignatureScheme::Shopify
    );
    rules.expect(
        method == HttpMethod::Post || !over_body_alone,
        "in.incoming.signature.scheme",
        "TWILIO, GENERIC, TOKEN or BASIC: the others do not sign the query, which is all that a GET call says",
    );
    let tolerance = input.tolerance_seconds;
    let field = "in.incoming.signature.toleranceSeconds";
    let most = SignatureSettings::MAX_TOLERANCE;
    rules.expect(tolerance.is_none_or(|s| (1..=most).contains(&s)), field, &format!("1 to {most}"));
    let expected = "nothing: signatures of this scheme do not tell when they were made";
    rules.expect(tolerance.is_none() || scheme.has_timestamp(), field, expected);
    Some(SignatureSettings { scheme, credentials: input.credentials, tolerance_seconds: tolerance })
}

fn generic(rules: &mut Rules, method: HttpMethod, input: &SignatureInput) -> Option<GenericSignature> {
    let header = input.header.clone().unwrap_or_default();
    header_name(rules, Some(&header), "header");
    let prefix = prefix(rules, input);
    header_name(rules, input.timestamp_header.as_deref(), "timestampHeader");
    header_name(rules, input.id_header.as_deref(), "idHeader");
    let template = input.template.as_deref().unwrap_or("{body}");
    let field = "in.incoming.signature.template";
    let template: SignatureTemplate = rules.take(template.parse(), field, SignatureTemplate::RULE)?;
    let (said, what) = match method {
        HttpMethod::Get => (TemplatePart::Url, "{url} in it: that is what a GET call says"),
        HttpMethod::Post => (TemplatePart::Body, "{body} in it: that is what a POST call says"),
    };
    rules.expect(template.has(said), field, what);
    for (part, header, field, expected) in [
        (
            TemplatePart::Timestamp,
            &input.timestamp_header,
            "timestampHeader",
            "a header exactly when the template has {timestamp}",
        ),
        (TemplatePart::Id, &input.id_header, "idHeader", "a header exactly when the template has {id}"),
    ] {
        let fits = template.has(part) == header.is_some();
        rules.expect(fits, &format!("in.incoming.signature.{field}"), expected);
    }
    Some(GenericSignature {
        header,
        prefix,
        algorithm: input.algorithm.unwrap_or(SignatureAlgorithm::Sha256),
        encoding: input.encoding.unwrap_or(SignatureEncoding::Hex),
        template,
        timestamp_header: input.timestamp_header.clone(),
        id_header: input.id_header.clone(),
    })
}

fn token(rules: &mut Rules, input: &SignatureInput) -> TokenPlace {
    let one = input.header.is_some() != input.parameter.is_some();
    rules.expect(one, "in.incoming.signature.header", "a header, or else in.incoming.signature.parameter");
    if let Some(name) = input.parameter.clone() {
        let fits = (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        rules.expect(fits, "in.incoming.signature.parameter", "1 to 128 characters, no control characters");
        let none = input.prefix.is_none();
        rules.expect(none, "in.incoming.signature.prefix", "nothing: a parameter is the token and nothing else");
        return TokenPlace::Parameter { name };
    }
    header_name(rules, input.header.as_deref(), "header");
    TokenPlace::Header { name: input.header.clone().unwrap_or_default(), prefix: prefix(rules, input) }
}

/// What stands before a signature in its header, whose value begins with no space.
fn prefix(rules: &mut Rules, input: &SignatureInput) -> String {
    let prefix = input.prefix.clone().unwrap_or_default();
    let fits = prefix.len() <= 64 && prefix.bytes().all(|b| (b' '..=b'~').contains(&b)) && !prefix.starts_with(' ');
    rules.expect(
        fits,
        "in.incoming.signature.prefix",
        "at most 64 visible ASCII characters, with spaces only after them",
    );
    prefix
}

fn header_name(rules: &mut Rules, name: Option<&str>, field: &str) {
    rules.expect(name.is_none_or(is_header_name), &format!("in.incoming.signature.{field}"), "the name of a header");
}

/// RFC 9110's token, of sensible length.
pub(super) fn is_header_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=128).contains(&name.len()) && name.bytes().all(token)
}

/// What another scheme has must not be there: whoever wrote it meant something by it.
fn only_of_its_scheme(rules: &mut Rules, input: &SignatureInput) {
    use SchemeName::{Generic, Token};
    let given: [(&str, &[SchemeName], bool); 8] = [
        ("header", &[Generic, Token], input.header.is_some()),
        ("prefix", &[Generic, Token], input.prefix.is_some()),
        ("parameter", &[Token], input.parameter.is_some()),
        ("algorithm", &[Generic], input.algorithm.is_some()),
        ("encoding", &[Generic], input.encoding.is_some()),
        ("template", &[Generic], input.template.is_some()),
        ("timestampHeader", &[Generic], input.timestamp_header.is_some()),
        ("idHeader", &[Generic], input.id_header.is_some()),
    ];
    for (field, owners, is_there) in given {
        let allowed = !is_there || owners.contains(&input.scheme);
        rules.expect(allowed, &format!("in.incoming.signature.{field}"), "nothing: this scheme has none");
    }
}
