//! Third parties' secrets: given once, used by name, never told again.
//!
//! An update that leaves the secret out keeps it. So that nobody who may write credentials learns a secret that way, the secret has to be
//! given again with an update that would send it to a place where it did not go before.

use tidegate_model::{
    AuthStyle, Change, Credential, CredentialId, CredentialKind, Error, HostPattern, Json, MAX_SIGNING_SECRETS, Made,
    Material, OpenCredential, Secret, SigningSecret, SigningSecretId, TenantId, Timestamp,
};
use tidegate_storage::Versioned;

use super::builtin::{self, BuiltIn};
use super::material::{Draft, material};
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::Rules;

/// How many patterns of hosts one credential may have.
const MAX_HOSTS: usize = 100;

/// What a credential is made of.
pub(crate) struct CredentialInput {
    pub name: String,
    pub kind: CredentialKind,
    pub definition: CredentialUpdateInput,
}

/// What of a credential can change: all of it is replaced, but the secret is kept where none is given. Which fields there are to be depends
/// on the kind.
#[derive(Default)]
pub(crate) struct CredentialUpdateInput {
    pub description: Option<String>,
    pub allowed_hosts: Vec<String>,
    /// BASIC.
    pub username: Option<String>,
    /// HEADER.
    pub header_name: Option<String>,
    /// OAUTH2.
    pub token_url: Option<String>,
    /// OAUTH2.
    pub client_id: Option<String>,
    /// OAUTH2.
    pub scope: Option<String>,
    /// OAUTH2; none is BASIC.
    pub auth_style: Option<AuthStyle>,
    /// The password, token, header value, client secret, or first signing secret.
    pub secret: Option<Secret>,
}

/// What is told of a credential: everything but its secrets.
pub(crate) struct ToldCredential {
    pub credential: Credential,
    pub username: Option<String>,
    pub header_name: Option<String>,
    pub token_url: Option<String>,
    pub client_id: Option<String>,
    pub scope: Option<String>,
    pub auth_style: Option<AuthStyle>,
    /// Of one that signs: which secrets are live, and since when; the newest first.
    pub signing_secrets: Vec<(SigningSecretId, Timestamp)>,
}

impl Services {
    pub(crate) async fn credentials(&self, access: &Access, asked: Asked) -> Result<Listed<ToldCredential>, Error> {
        let tenant = access.within(Operation::ReadCredentials)?;
        let list = List::new(&self.sealer, "credentials", Some(tenant));
        let page = self.safe.list(tenant, list.page(&asked)?).await?;
        Ok(list.listed(asked, page, |open| open.credential.id)?.map(ToldCredential::from))
    }

    pub(crate) async fn credential(&self, access: &Access, id: &str) -> Result<Option<ToldCredential>, Error> {
        let tenant = access.within(Operation::ReadCredentials)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(self.safe.find(tenant, id).await?.map(|kept| kept.open.into()))
    }

    pub(crate) async fn create_credential(
        &self,
        access: &Access,
        input: CredentialInput,
    ) -> Result<ToldCredential, Error> {
        let tenant = access.within(Operation::WriteCredentials)?;
        let CredentialInput { name, kind, definition } = input;
        let mut rules = Rules::default();
        rules.name(&name, "in.name");
        let now = self.clock.now();
        let (description, allowed_hosts) = described(&mut rules, kind, &definition);
        let first = SigningSecretId::generate(&*self.clock, &*self.randomness);
        let material = material(&mut rules, Draft { kind, input: definition, kept: None, first: (first, now) });
        rules.check()?;
        let material = material.ok_or_else(|| Error::invalid("in.secret", "a secret"))?;
        let credential = Credential {
            id: CredentialId::generate(&*self.clock, &*self.randomness),
            tenant: tenant.clone(),
            name,
            kind,
            description,
            allowed_hosts,
            created_at: now,
            updated_at: now,
        };
        let change = Change::Create { new: builtin::credential(&credential) };
        let event = self.builtin_event(tenant, BuiltIn::Credential, credential.id, change)?;
        let open = OpenCredential { credential, material };
        let made = Made::from(&event).noting("secret", &Json::of(&"set"));
        self.safe.on(self.audited(access, tenant, "createCredential", [made])).insert(&open, &event).await?;
        self.notices.announce().await;
        Ok(open.into())
    }

    pub(crate) async fn update_credential(
        &self,
        access: &Access,
        id: &str,
        input: CredentialUpdateInput,
    ) -> Result<ToldCredential, Error> {
        let tenant = access.within(Operation::WriteCredentials)?;
        let before = self.kept_credential(tenant, id).await?;
        let kind = before.open.credential.kind;
        let mut rules = Rules::default();
        let (description, allowed_hosts) = described(&mut rules, kind, &input);
        let secret_given = input.secret.is_some();
        let nothing_new = before.open.material.signing_secrets().first().map(|one| (one.id, one.created_at));
        let first = nothing_new.unwrap_or((SigningSecretId(uuid::Uuid::nil()), self.clock.now()));
        let kept = Some(&before.open.material);
        let material = material(&mut rules, Draft { kind, input, kept, first });
        let Some(material) = material else {
            rules.check()?;
            return Err(Error::invalid("in", "what a credential of this kind has"));
        };
        let goes_elsewhere = allowed_hosts.iter().any(|host| !before.open.credential.allowed_hosts.contains(host))
            || token_url(&material) != token_url(&before.open.material);
        rules.expect(
            secret_given || kind == CredentialKind::Signing || !goes_elsewhere,
            "in.secret",
            "the secret again: it would be sent where it was not sent before",
        );
        rules.check()?;
        let credential = Credential { description, allowed_hosts, ..before.open.credential.clone() };
        let after = OpenCredential { credential, material };
        self.replace_credential(access, "updateCredential", secret_given, before, after).await
    }

    pub(crate) async fn delete_credential(&self, access: &Access, id: &str) -> Result<ToldCredential, Error> {
        let tenant = access.within(Operation::WriteCredentials)?;
        let last = self.kept_credential(tenant, id).await?.open;
        let change = Change::Delete { old: builtin::credential(&last.credential) };
        let event = self.builtin_event(tenant, BuiltIn::Credential, last.credential.id, change)?;
        let store = self.audited(access, tenant, "deleteCredential", [&event]);
        self.safe.on(store).delete(tenant, last.credential.id, &event).await?;
        self.notices.announce().await;
        Ok(last.into())
    }

    /// Adds a secret in front of those that are live: from now on it signs as well, and what it signed is accepted.
    pub(crate) async fn add_signing_secret(
        &self,
        access: &Access,
        id: &str,
        secret: Secret,
    ) -> Result<ToldCredential, Error> {
        let tenant = access.within(Operation::WriteCredentials)?;
        let before = self.kept_credential(tenant, id).await?;
        let mut secrets = signing(&before.open)?;
        let mut rules = Rules::default();
        super::material::signing_secret(&mut rules, &secret, "secret");
        rules.check()?;
        if secrets.len() >= MAX_SIGNING_SECRETS {
            let full = format!("a credential holds at most {MAX_SIGNING_SECRETS} signing secrets: remove one first");
            return Err(Error::InvalidOperation(full));
        }
        let (id, created_at) = (SigningSecretId::generate(&*self.clock, &*self.randomness), self.clock.now());
        secrets.insert(0, SigningSecret { id, secret, created_at });
        self.replace_signing_secrets(access, "addSigningSecret", before, secrets).await
    }

    /// Ends one of several live secrets.
    pub(crate) async fn remove_signing_secret(
        &self,
        access: &Access,
        id: &str,
        secret_id: &str,
    ) -> Result<ToldCredential, Error> {
        let tenant = access.within(Operation::WriteCredentials)?;
        let before = self.kept_credential(tenant, id).await?;
        let mut secrets = signing(&before.open)?;
        let removed: SigningSecretId = known_id("SigningSecret", secret_id)?;
        let place = secrets.iter().position(|one| one.id == removed);
        let place = found("SigningSecret", removed, place)?;
        if secrets.len() == 1 {
            return Err(Error::InvalidOperation("the last signing secret stays: add another one first".to_owned()));
        }
        secrets.remove(place);
        self.replace_signing_secrets(access, "removeSigningSecret", before, secrets).await
    }

    async fn kept_credential(&self, tenant: &TenantId, id: &str) -> Result<Versioned, Error> {
        let id: CredentialId = known_id("Credential", id)?;
        found("Credential", id, self.safe.find(tenant, id).await?)
    }

    async fn replace_signing_secrets(
        &self,
        access: &Access,
        operation: &str,
        before: Versioned,
        secrets: Vec<SigningSecret>,
    ) -> Result<ToldCredential, Error> {
        let credential = before.open.credential.clone();
        let after = OpenCredential { credential, material: Material::Signing { secrets } };
        self.replace_credential(access, operation, true, before, after).await
    }

    /// Makes the change, unless there is none. A change of secrets is told; they are not.
    async fn replace_credential(
        &self,
        access: &Access,
        operation: &str,
        secret_given: bool,
        before: Versioned,
        mut after: OpenCredential,
    ) -> Result<ToldCredential, Error> {
        if after == before.open {
            return Ok(after.into());
        }
        after.credential.updated_at = self.clock.now();
        let (old, new) = (builtin::credential(&before.open.credential), builtin::credential(&after.credential));
        let change = builtin::update(&old, new.clone()).unwrap_or(Change::Update { old, new });
        let Credential { tenant, id, .. } = &after.credential;
        let event = self.builtin_event(tenant, BuiltIn::Credential, *id, change)?;
        let made = Made::from(&event).noting("secret", &Json::of(if secret_given { &"set" } else { &"kept" }));
        let store =
            self.audited(access, tenant, operation, [signing_told(made, &before.open.material, &after.material)]);
        self.safe.on(store).replace(before.version, &after, &event).await?;
        self.notices.announce().await;
        Ok(after.into())
    }
}

/// What every kind has.
fn described(
    rules: &mut Rules,
    kind: CredentialKind,
    input: &CredentialUpdateInput,
) -> (Option<String>, Vec<HostPattern>) {
    rules.description(input.description.as_deref(), "in.description");
    let count = input.allowed_hosts.len();
    if kind == CredentialKind::Signing {
        rules.expect(count == 0, "in.allowedHosts", "nothing: what signs is sent nowhere");
    } else {
        let some = (1..=MAX_HOSTS).contains(&count);
        rules.expect(some, "in.allowedHosts", "1 to 100 hosts that the secret may be sent to");
    }
    let mut hosts: Vec<HostPattern> = Vec::new();
    for (i, text) in input.allowed_hosts.iter().enumerate().take(MAX_HOSTS) {
        let read = rules.take(text.parse(), &format!("in.allowedHosts[{i}]"), HostPattern::RULE);
        hosts.extend(read.filter(|host| !hosts.contains(host)));
    }
    (input.description.clone(), hosts)
}

fn signing(open: &OpenCredential) -> Result<Vec<SigningSecret>, Error> {
    match &open.material {
        Material::Signing { secrets } => Ok(secrets.clone()),
        other => {
            let kind = other.kind().as_str();
            Err(Error::InvalidOperation(format!("a credential of kind {kind} has no signing secrets")))
        }
    }
}

/// Which signing secrets there were and are, by their ids.
fn signing_told(made: Made, before: &Material, after: &Material) -> Made {
    let ids =
        |material: &Material| -> Vec<SigningSecretId> { material.signing_secrets().iter().map(|one| one.id).collect() };
    let (old, new) = (ids(before), ids(after));
    if old == new {
        return made;
    }
    let told = |ids: &Vec<SigningSecretId>| Json::of(&serde_json::json!({ "signingSecrets": ids }));
    let former = made.clone().updated(&told(&old), &told(&new)).before;
    let made = made.noting("signingSecrets", &Json::of(&new));
    Made { before: former, ..made }
}

fn token_url(material: &Material) -> Option<&str> {
    match material {
        Material::OAuth2(client) => Some(&client.token_url),
        _ => None,
    }
}

impl From<OpenCredential> for ToldCredential {
    fn from(open: OpenCredential) -> Self {
        let mut told = Self {
            credential: open.credential,
            username: None,
            header_name: None,
            token_url: None,
            client_id: None,
            scope: None,
            auth_style: None,
            signing_secrets: Vec::new(),
        };
        match open.material {
            Material::Basic { username, .. } => told.username = Some(username),
            Material::Bearer { .. } => {}
            Material::Header { name, .. } => told.header_name = Some(name),
            Material::OAuth2(client) => {
                told.token_url = Some(client.token_url);
                told.client_id = Some(client.client_id);
                told.scope = client.scope;
                told.auth_style = Some(client.auth_style);
            }
            Material::Signing { secrets } => {
                told.signing_secrets = secrets.into_iter().map(|one| (one.id, one.created_at)).collect();
            }
        }
        told
    }
}
