use futures::future::join_all;
use tidegate_model::contract::{ScriptRule, ScriptWarning};
use tidegate_model::{Error, LogicKind};
use tidegate_wire::api::v1::{self, LogicService};

use super::convert::{asked, instant, page, required};
use super::{Face, trials};
use crate::access::Access;
use crate::service::{LogicInput, LogicUpdateInput};

fn message(logic: tidegate_model::Logic) -> v1::Logic {
    let kind = match logic.kind {
        LogicKind::Enable => v1::LogicKind::Enable,
        LogicKind::Core => v1::LogicKind::Core,
    };
    v1::Logic {
        id: logic.id.to_string(),
        name: logic.name,
        kind: kind.into(),
        description: logic.description,
        source: logic.source.to_string(),
        version: logic.version,
        created_at: Some(instant(logic.created_at)),
        updated_at: Some(instant(logic.updated_at)),
        warnings: Vec::new(),
    }
}

fn warning(warning: ScriptWarning) -> v1::ScriptWarning {
    let place = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let rule = match warning.rule {
        ScriptRule::UnknownGlobal => v1::ScriptRule::UnknownGlobal,
        ScriptRule::UnusedLocal => v1::ScriptRule::UnusedLocal,
        ScriptRule::MissingReturn => v1::ScriptRule::MissingReturn,
        ScriptRule::NotLinted => v1::ScriptRule::NotLinted,
    };
    v1::ScriptWarning {
        line: place(warning.line),
        column: place(warning.column),
        rule: rule.into(),
        message: warning.message,
    }
}

impl Face {
    async fn judged(&self, mut logic: v1::Logic) -> v1::Logic {
        logic.warnings = self.services.warnings(&logic.source).await.into_iter().map(warning).collect();
        logic
    }
}

pub(super) fn kind_of(kind: i32) -> Result<LogicKind, Error> {
    match v1::LogicKind::try_from(kind) {
        Ok(v1::LogicKind::Enable) => Ok(LogicKind::Enable),
        Ok(v1::LogicKind::Core) => Ok(LogicKind::Core),
        Ok(v1::LogicKind::Unspecified) | Err(_) => Err(Error::invalid("in.kind", "ENABLE or CORE")),
    }
}

impl LogicService for Face {
    async fn get_logic(&self, access: &Access, request: v1::GetLogicRequest) -> Result<v1::GetLogicResponse, Error> {
        let logic = self.services.logic(access, &request.id, request.version).await?;
        let logic = match logic {
            Some(logic) => Some(self.judged(message(logic)).await),
            None => None,
        };
        Ok(v1::GetLogicResponse { logic })
    }

    async fn list_logics(
        &self,
        access: &Access,
        request: v1::ListLogicsRequest,
    ) -> Result<v1::ListLogicsResponse, Error> {
        let listed = self.services.logics(access, asked(request.first, request.after)).await?;
        let (data, page_info, total_count) = page(listed, message);
        let data = join_all(data.into_iter().map(|logic| self.judged(logic))).await;
        Ok(v1::ListLogicsResponse { data, page_info, total_count })
    }

    async fn create_logic(
        &self,
        access: &Access,
        request: v1::CreateLogicRequest,
    ) -> Result<v1::CreateLogicResponse, Error> {
        let v1::LogicInput { name, kind, description, source } = required("in", request.input)?;
        let input = LogicInput { name, kind: kind_of(kind)?, description, source };
        let logic = self.services.create_logic(access, input).await?;
        Ok(v1::CreateLogicResponse { logic: Some(self.judged(message(logic)).await) })
    }

    async fn update_logic(
        &self,
        access: &Access,
        request: v1::UpdateLogicRequest,
    ) -> Result<v1::UpdateLogicResponse, Error> {
        let v1::LogicUpdateInput { description, source } = required("in", request.input)?;
        let input = LogicUpdateInput { description, source };
        let logic = self.services.update_logic(access, &request.id, input).await?;
        Ok(v1::UpdateLogicResponse { logic: Some(self.judged(message(logic)).await) })
    }

    async fn delete_logic(
        &self,
        access: &Access,
        request: v1::DeleteLogicRequest,
    ) -> Result<v1::DeleteLogicResponse, Error> {
        let logic = self.services.delete_logic(access, &request.id).await?;
        Ok(v1::DeleteLogicResponse { logic: Some(self.judged(message(logic)).await) })
    }

    async fn try_logic(&self, access: &Access, request: v1::TryLogicRequest) -> Result<v1::TryLogicResponse, Error> {
        let input = trials::input(required("in", request.input)?)?;
        let tried = self.services.try_logic(access, input).await?;
        Ok(v1::TryLogicResponse { tried_logic: Some(trials::tried(tried)) })
    }

    async fn compare_logic(
        &self,
        access: &Access,
        request: v1::CompareLogicRequest,
    ) -> Result<v1::CompareLogicResponse, Error> {
        let v1::CompareLogicRequest { logic_id, source, last } = request;
        let comparison = self.services.compare_logic(access, &logic_id, source, last.unwrap_or(100)).await?;
        Ok(v1::CompareLogicResponse { logic_comparison: Some(trials::comparison(comparison)) })
    }
}
