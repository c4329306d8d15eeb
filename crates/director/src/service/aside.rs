//! Entries of the log that became no events: shown, corrected and sent again, or deleted.

use tidegate_model::cloud_event::{CloudEvent, InvalidCloudEvent, parse_change};
use tidegate_model::{AsideId, Error, Event, EventId, EventType, Json, Made, TenantId, TypeName};
use tidegate_storage::contract::AsideEntry;

use super::events::check_form;
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};

const KIND: &str = "AsideEvent";

impl Services {
    /// Newest first: the tenant's, or for the operator without a tenant those whose tenant is not known.
    pub(crate) async fn aside_events(&self, access: &Access, asked: Asked) -> Result<Listed<AsideEntry>, Error> {
        let whose = access.within_or_above(Operation::ReadEvents)?;
        let list = List::new(&self.sealer, "asideEvents", whose);
        let page = self.store.aside_entries(whose, list.page(&asked)?).await?;
        list.listed(asked, page, |kept| kept.id)
    }

    pub(crate) async fn aside_event(&self, access: &Access, id: &str) -> Result<Option<AsideEntry>, Error> {
        let whose = access.within_or_above(Operation::ReadEvents)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.aside_entry(whose, id).await
    }

    pub(crate) async fn delete_aside_event(&self, access: &Access, id: &str) -> Result<AsideEntry, Error> {
        let whose = access.within_or_above(Operation::WriteEvents)?;
        let id: AsideId = known_id(KIND, id)?;
        let store = self.store.audited(self.entries(access, whose, "deleteAsideEvent", [Made::to(KIND, id)]));
        found(KIND, id, store.delete_aside_entry(whose, id).await?)
    }

    /// Publishes it, corrected where there is a payload, and forgets the entry once the event is durable. Whoever is above tenants and names
    /// one sends nobody's entries there.
    ///
    /// The bus may remember the id from when the entry came; what was taken in under that id still adds nothing.
    pub(crate) async fn resend_aside_event(
        &self,
        access: &Access,
        id: &str,
        payload: Option<&str>,
    ) -> Result<EventId, Error> {
        let whose = access.within_or_above(Operation::PublishEvents)?;
        let id: AsideId = known_id(KIND, id)?;
        let mut kept = self.store.aside_entry(whose, id).await?;
        if kept.is_none() && access.is_above_tenants() {
            kept = self.store.aside_entry(None, id).await?;
        }
        let kept = found(KIND, id, kept)?;
        let subject = Subject::of(&kept.entry.subject);
        let tenant = match whose {
            Some(tenant) => tenant.clone(),
            None => self.tenant_of(&subject).await?,
        };
        let bytes = payload.map_or(kept.entry.payload.as_slice(), str::as_bytes);
        let event = self.corrected(tenant, &subject, bytes).map_err(|fault| match payload {
            Some(_) => Error::invalid(format!("payload: {}", fault.field), fault.expected),
            None => Error::InvalidOperation(format!("it is no event still, send a payload that is one: {fault}")),
        })?;
        self.events.republish(&event).await?;
        let made = Made::to(KIND, id).noting("event", &Json::of(&event.id));
        let store = self.store.audited(self.entries(access, whose, "resendAsideEvent", [made.clone()]));
        if store.delete_aside_entry(kept.entry.tenant.as_ref(), id).await?.is_none() {
            self.tell(access, whose, "resendAsideEvent", [made]).await?;
        }
        Ok(event.id)
    }

    async fn tenant_of(&self, subject: &Subject) -> Result<TenantId, Error> {
        let there = match &subject.tenant {
            Some(tenant) => self.store.tenant(tenant).await?,
            None => None,
        };
        there.map(|tenant| tenant.id).ok_or_else(|| {
            Error::InvalidOperation(
                "its subject names no tenant that there is; name the tenant that it is for, with the header Tenant"
                    .to_owned(),
            )
        })
    }

    /// The event that these bytes are: type and kind of change as the subject says, else as the attribute `type` does.
    fn corrected(&self, tenant: TenantId, subject: &Subject, bytes: &[u8]) -> Result<Event, InvalidCloudEvent> {
        let cloud = CloudEvent::from_structured(bytes)?;
        let (object_type, event_type) = match &subject.place {
            Some(place) => place.clone(),
            None => cloud.subject_of_type()?,
        };
        let event = cloud.into_event(tenant, object_type, event_type, self.clock.now())?;
        check_form(&event)?;
        Ok(event)
    }
}

/// What a subject of the bus says, as far as it does: `<anything>.<tenant>.<ObjectType>.<create|update|delete>`.
struct Subject {
    tenant: Option<TenantId>,
    place: Option<(TypeName, EventType)>,
}

impl Subject {
    fn of(text: &str) -> Self {
        let mut parts = text.rsplit('.');
        let change = parts.next().and_then(parse_change);
        let object_type = parts.next().and_then(|name| name.parse().ok());
        let tenant = parts.next().and_then(|name| name.parse().ok());
        Self { tenant, place: object_type.zip(change) }
    }
}
