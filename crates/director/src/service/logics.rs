use tidegate_model::contract::ScriptWarning;
use tidegate_model::{Change, Error, Logic, LogicId, LogicKind};

use super::builtin::{self, BuiltIn};
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};
use crate::rules::Rules;

/// How many bytes a script may have.
const MAX_SOURCE: usize = 256 * 1024;

/// What a Logic is made of.
pub(crate) struct LogicInput {
    pub name: String,
    pub kind: LogicKind,
    pub description: Option<String>,
    pub source: String,
}

/// What of a Logic can change.
pub(crate) struct LogicUpdateInput {
    pub description: Option<String>,
    pub source: String,
}

impl Services {
    pub(crate) async fn logics(&self, access: &Access, asked: Asked) -> Result<Listed<Logic>, Error> {
        let tenant = access.within(Operation::ReadLogics)?;
        let list = List::new(&self.sealer, "logics", Some(tenant));
        let page = self.store.logics(tenant, list.page(&asked)?).await?;
        list.listed(asked, page, |l| l.id)
    }

    /// The newest version, or the one asked for.
    pub(crate) async fn logic(&self, access: &Access, id: &str, version: Option<i32>) -> Result<Option<Logic>, Error> {
        let tenant = access.within(Operation::ReadLogics)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.logic(tenant, id, version).await
    }

    /// What is doubtful in a source that is saved.
    pub(crate) async fn warnings(&self, source: &str) -> Vec<ScriptWarning> {
        self.scripts.lint(source).await
    }

    pub(crate) async fn create_logic(&self, access: &Access, input: LogicInput) -> Result<Logic, Error> {
        let tenant = access.within(Operation::WriteLogics)?;
        let mut rules = Rules::default();
        rules.name(&input.name, "in.name");
        self.check_logic(rules, input.description.as_deref(), &input.source)?;
        let now = self.clock.now();
        let logic = Logic {
            id: LogicId::generate(&*self.clock, &*self.randomness),
            tenant: tenant.clone(),
            name: input.name,
            kind: input.kind,
            description: input.description,
            source: input.source.into(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let change = Change::Create { new: builtin::logic(&logic) };
        let event = self.builtin_event(tenant, BuiltIn::Logic, logic.id, change)?;
        self.audited(access, tenant, "createLogic", [&event]).insert_logic(&logic, &event).await?;
        self.notices.announce().await;
        Ok(logic)
    }

    /// Another source makes a new version; the description alone does not.
    pub(crate) async fn update_logic(
        &self,
        access: &Access,
        id: &str,
        input: LogicUpdateInput,
    ) -> Result<Logic, Error> {
        let tenant = access.within(Operation::WriteLogics)?;
        self.check_logic(Rules::default(), input.description.as_deref(), &input.source)?;
        let id = known_id("Logic", id)?;
        let before = found("Logic", id, self.store.logic(tenant, id, None).await?)?;
        let mut after = Logic { description: input.description, ..before.clone() };
        let rewritten = *before.source != *input.source;
        if rewritten {
            after.source = input.source.into();
            after.version += 1;
            after.updated_at = self.clock.now();
        }
        let Some(change) = builtin::update(&builtin::logic(&before), builtin::logic(&after)) else {
            return Ok(before);
        };
        let event = self.builtin_event(tenant, BuiltIn::Logic, id, change)?;
        let store = self.audited(access, tenant, "updateLogic", [&event]);
        if rewritten {
            store.add_logic_version(&after, &event).await?;
        } else {
            store.describe_logic(&after, &event).await?;
        }
        self.notices.announce().await;
        Ok(after)
    }

    pub(crate) async fn delete_logic(&self, access: &Access, id: &str) -> Result<Logic, Error> {
        let tenant = access.within(Operation::WriteLogics)?;
        let id = known_id("Logic", id)?;
        let last = found("Logic", id, self.store.logic(tenant, id, None).await?)?;
        let change = Change::Delete { old: builtin::logic(&last) };
        let event = self.builtin_event(tenant, BuiltIn::Logic, id, change)?;
        self.audited(access, tenant, "deleteLogic", [&event]).delete_logic(tenant, id, &event).await?;
        self.notices.announce().await;
        Ok(last)
    }

    pub(super) fn check_logic(&self, mut rules: Rules, description: Option<&str>, source: &str) -> Result<(), Error> {
        rules.description(description, "in.description");
        if source.len() > MAX_SOURCE || source.contains('\0') {
            rules.expect(false, "in.source", "at most 256 KiB of text without NUL characters");
        } else if let Err(fault) = self.scripts.check(source) {
            rules.expect(false, "in.source", &format!("a script that compiles; {fault}"));
        }
        rules.check()
    }
}
