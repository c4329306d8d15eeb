use tidegate_model::{
    Change, Direction, Error, EventType, ExecutionUser, HttpMethod, Integration, IntegrationId, LogicId, LogicKind,
    Settings, Subscription, TenantId, Timestamp, TypeName, UserId, micros,
};

use super::builtin::{self, BuiltIn};
use super::{Services, SignatureInput, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::{Rules, is_http_url};

/// To how many pairs of object type and change one Integration may subscribe.
const MAX_SUBSCRIPTIONS: usize = 100;

/// One subscription, as the caller wrote it.
pub(crate) struct SubscriptionInput {
    pub object_type: String,
    pub event_type: EventType,
}

/// What an Integration is made of.
pub(crate) struct IntegrationInput {
    pub name: String,
    pub incoming: bool,
    pub definition: IntegrationUpdateInput,
}

/// What of an Integration can change: all of it is replaced.
pub(crate) struct IntegrationUpdateInput {
    pub description: Option<String>,
    pub http_method: HttpMethod,
    pub active: bool,
    pub effective_date: Option<Timestamp>,
    pub expiry_date: Option<Timestamp>,
    pub core_logic_id: String,
    /// The version that runs; `None` follows the newest.
    pub core_logic_version: Option<i32>,
    pub enable_logic_id: Option<String>,
    pub enable_logic_version: Option<i32>,
    pub settings: Settings,
    /// INCOMING: the signature that every call must have.
    pub signature: Option<SignatureInput>,
    pub url: Option<String>,
    pub subscriptions: Option<Vec<SubscriptionInput>>,
}

impl Services {
    pub(crate) async fn integrations(&self, access: &Access, asked: Asked) -> Result<Listed<Integration>, Error> {
        let tenant = access.within(Operation::ReadIntegrations)?;
        let list = List::new(&self.sealer, "integrations", Some(tenant));
        let page = self.store.integrations(tenant, list.page(&asked)?).await?;
        list.listed(asked, page, |i| i.id)
    }

    pub(crate) async fn integration(&self, access: &Access, id: &str) -> Result<Option<Integration>, Error> {
        let tenant = access.within(Operation::ReadIntegrations)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.integration(tenant, id).await
    }

    /// Makes it with its execution user, and of an incoming one its webhook key.
    pub(crate) async fn create_integration(
        &self,
        access: &Access,
        input: IntegrationInput,
    ) -> Result<Integration, Error> {
        let tenant = access.within(Operation::WriteIntegrations)?;
        let mut rules = Rules::default();
        rules.name(&input.name, "in.name");
        let direction = direction(&mut rules, input.incoming, &input.definition);
        let user = ExecutionUser {
            id: UserId::generate(&*self.clock, &*self.randomness),
            username: format!("integration/{}", input.name),
        };
        let now = self.clock.now();
        let blank = Integration {
            id: IntegrationId::generate(&*self.clock, &*self.randomness),
            tenant: tenant.clone(),
            name: input.name,
            description: None,
            direction,
            http_method: input.definition.http_method,
            active: false,
            effective_date: None,
            expiry_date: None,
            core_logic: LogicId(uuid::Uuid::nil()),
            enable_logic: None,
            core_version: None,
            enable_version: None,
            settings: Settings::default(),
            paused: None,
            execution_user: user,
            created_at: now,
            updated_at: now,
        };
        let integration = self.defined(blank, input.definition, rules, now).await?;
        let key = match integration.direction {
            Direction::Incoming => Some(self.new_webhook_key(integration.id)?),
            Direction::Outgoing { .. } => None,
        };
        let change = Change::Create { new: builtin::integration(&integration) };
        let event = self.builtin_event(tenant, BuiltIn::Integration, integration.id, change)?;
        self.audited(access, tenant, "createIntegration", [&event])
            .insert_integration(&integration, key.as_ref(), &event)
            .await?;
        self.notices.announce().await;
        Ok(integration)
    }

    pub(crate) async fn update_integration(
        &self,
        access: &Access,
        id: &str,
        input: IntegrationUpdateInput,
    ) -> Result<Integration, Error> {
        let tenant = access.within(Operation::WriteIntegrations)?;
        let id = known_id("Integration", id)?;
        let before = found("Integration", id, self.store.integration(tenant, id).await?)?;
        let mut rules = Rules::default();
        let incoming = matches!(before.direction, Direction::Incoming);
        let direction = direction(&mut rules, incoming, &input);
        let now = self.clock.now();
        // Another URL is another destination.
        let paused = before.paused.filter(|_| direction.url() == before.direction.url());
        let after = self.defined(Integration { direction, paused, ..before.clone() }, input, rules, now).await?;
        let Some(change) = builtin::update(&builtin::integration(&before), builtin::integration(&after)) else {
            return Ok(before);
        };
        let event = self.builtin_event(tenant, BuiltIn::Integration, id, change)?;
        self.audited(access, tenant, "updateIntegration", [&event]).update_integration(&after, &event).await?;
        self.notices.announce().await;
        Ok(after)
    }

    /// Lets its deliveries go on; one that is not paused stays as it is.
    pub(crate) async fn resume_integration(&self, access: &Access, id: &str) -> Result<Integration, Error> {
        let tenant = access.within(Operation::WriteIntegrations)?;
        let id = known_id("Integration", id)?;
        let before = found("Integration", id, self.store.integration(tenant, id).await?)?;
        let after = Integration { paused: None, ..before.clone() };
        let Some(change) = builtin::update(&builtin::integration(&before), builtin::integration(&after)) else {
            return Ok(before);
        };
        let event = self.builtin_event(tenant, BuiltIn::Integration, id, change)?;
        if self.audited(access, tenant, "resumeIntegration", [&event]).resume(tenant, id, &event).await? {
            self.notices.announce().await;
        }
        Ok(after)
    }

    pub(crate) async fn delete_integration(&self, access: &Access, id: &str) -> Result<Integration, Error> {
        let tenant = access.within(Operation::WriteIntegrations)?;
        let id = known_id("Integration", id)?;
        let last = found("Integration", id, self.store.integration(tenant, id).await?)?;
        let change = Change::Delete { old: builtin::integration(&last) };
        let event = self.builtin_event(tenant, BuiltIn::Integration, id, change)?;
        self.audited(access, tenant, "deleteIntegration", [&event]).delete_integration(tenant, id, &event).await?;
        self.notices.announce().await;
        Ok(last)
    }

    /// The Integration with everything that an update replaces, checked; `direction` is settled already.
    async fn defined(
        &self,
        integration: Integration,
        input: IntegrationUpdateInput,
        mut rules: Rules,
        now: Timestamp,
    ) -> Result<Integration, Error> {
        rules.description(input.description.as_deref(), "in.description");
        let effective_date = input.effective_date.map(micros);
        let expiry_date = input.expiry_date.map(micros);
        let ordered = effective_date.zip(expiry_date).is_none_or(|(start, end)| start <= end);
        rules.expect(ordered, "in.expiryDate", "an instant that is not before in.effectiveDate");
        let tenant = &integration.tenant;
        let core = self.logic_of(tenant, &input.core_logic_id, LogicKind::Core).await?;
        rules.expect(core.is_some(), "in.coreLogicID", "the id of a Logic of kind CORE of this tenant");
        if let (Some(core), Some(version)) = (core, input.core_logic_version) {
            let known = self.store.logic(tenant, core, Some(version)).await?.is_some();
            rules.expect(known, "in.coreLogicVersion", "a version that the Logic has, or nothing to follow the newest");
        }
        let enable = match &input.enable_logic_id {
            None => None,
            Some(id) => {
                let enable = self.logic_of(tenant, id, LogicKind::Enable).await?;
                rules.expect(enable.is_some(), "in.enableLogicID", "the id of a Logic of kind ENABLE of this tenant");
                enable
            }
        };
        if let Some(version) = input.enable_logic_version {
            let known = match enable {
                Some(enable) => self.store.logic(tenant, enable, Some(version)).await?.is_some(),
                None => false,
            };
            rules.expect(
                known,
                "in.enableLogicVersion",
                "a version that the Logic has, or nothing to follow the newest",
            );
        }
        let way = (&integration.direction, input.http_method);
        let settings = self.settings(&mut rules, tenant, way, input.settings, input.signature).await?;
        rules.check()?;
        Ok(Integration {
            description: input.description,
            http_method: input.http_method,
            active: input.active,
            effective_date,
            expiry_date,
            core_logic: core.unwrap_or(integration.core_logic),
            core_version: input.core_logic_version,
            enable_logic: enable,
            enable_version: input.enable_logic_version,
            settings,
            updated_at: now,
            ..integration
        })
    }

    async fn logic_of(&self, tenant: &TenantId, id: &str, kind: LogicKind) -> Result<Option<LogicId>, Error> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(self.store.logic(tenant, id, None).await?.filter(|l| l.kind == kind).map(|l| l.id))
    }
}

/// What the input says about the direction; what that way does not have must not be there.
fn direction(rules: &mut Rules, incoming: bool, input: &IntegrationUpdateInput) -> Direction {
    let subscriptions = input.subscriptions.as_deref().unwrap_or_default();
    if incoming {
        rules.expect(input.url.is_none(), "in.url", "nothing: an INCOMING Integration calls no URL");
        rules.expect(
            subscriptions.is_empty(),
            "in.subscriptions",
            "nothing: an INCOMING Integration listens to no events",
        );
        return Direction::Incoming;
    }
    let url = input.url.clone().unwrap_or_default();
    rules.expect(is_http_url(&url), "in.url", "an absolute http or https URL without credentials");
    let some = (1..=MAX_SUBSCRIPTIONS).contains(&subscriptions.len());
    rules.expect(some, "in.subscriptions", "1 to 100 pairs of object type and event type");
    let mut read: Vec<Subscription> = subscriptions
        .iter()
        .enumerate()
        .filter_map(|(i, s)| {
            let field = format!("in.subscriptions[{i}].objectType");
            let object_type = rules.take(s.object_type.parse(), &field, TypeName::RULE)?;
            Some(Subscription { object_type, event_type: s.event_type })
        })
        .collect();
    read.sort();
    read.dedup();
    Direction::Outgoing { url, subscriptions: read }
}
