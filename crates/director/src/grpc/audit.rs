use tidegate_model::{Error, Face as Way};
use tidegate_wire::api::v1::{self, AuditLogService};

use super::Face;
use super::convert::{asked, instant, page, text_of, time};
use crate::access::Access;
use crate::service::AuditFilterInput;

fn face(face: Way) -> i32 {
    let face = match face {
        Way::Graphql => v1::AuditFace::Graphql,
        Way::Grpc => v1::AuditFace::Grpc,
        Way::Http => v1::AuditFace::Http,
        Way::Cli => v1::AuditFace::Cli,
        Way::Script => v1::AuditFace::Script,
        Way::System => v1::AuditFace::System,
    };
    face.into()
}

fn message(entry: tidegate_model::AuditEntry) -> v1::AuditEntry {
    let (trace, made) = (entry.trace, entry.made);
    v1::AuditEntry {
        id: entry.id.to_string(),
        time: Some(instant(entry.at)),
        actor: trace.actor,
        owner: trace.owner,
        face: face(trace.face),
        address: trace.address.map(|address| address.to_string()),
        operation: trace.operation,
        kind: made.kind,
        object_id: made.id,
        before: made.before.as_ref().map(text_of),
        after: made.after.as_ref().map(text_of),
        error: entry.refused,
        count: i32::try_from(entry.count).unwrap_or(i32::MAX),
    }
}

fn filter(filter: v1::AuditFilter) -> Result<AuditFilterInput, Error> {
    Ok(AuditFilterInput {
        actor: filter.actor,
        kind: filter.kind,
        object_id: filter.object_id,
        refused: filter.refused,
        from: time("filter.from_time", filter.from_time)?,
        to: time("filter.to_time", filter.to_time)?,
    })
}

impl AuditLogService for Face {
    async fn get_audit_entry(
        &self,
        access: &Access,
        request: v1::GetAuditEntryRequest,
    ) -> Result<v1::GetAuditEntryResponse, Error> {
        let entry = self.services.audit_entry(access, &request.id).await?;
        Ok(v1::GetAuditEntryResponse { audit_entry: entry.map(message) })
    }

    async fn list_audit_log(
        &self,
        access: &Access,
        request: v1::ListAuditLogRequest,
    ) -> Result<v1::ListAuditLogResponse, Error> {
        let filter = request.filter.map(filter).transpose()?.unwrap_or_default();
        let listed = self.services.audit_log(access, filter, asked(request.first, request.after), true).await?;
        let (data, page_info, total_count) = page(listed, message);
        Ok(v1::ListAuditLogResponse { data, page_info, total_count })
    }
}
