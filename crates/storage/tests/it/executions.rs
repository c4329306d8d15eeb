use tidegate_model::{
    Call, Execution, ExecutionFilter, ExecutionId, HttpMethod, Json, LogLevel, LogLine, PageOf, ReceivedRequest,
    Status, TenantId, Timestamp,
};

use crate::days::{noon, record};
use crate::harness::{Kept, on_every_store};
use crate::intake::{batch, with_target};
use crate::samples::{event, execution, id, pending, tenant_id, type_name};

on_every_store!(
    a_record_is_kept_once_and_comes_back_whole,
    records_and_open_deliveries_are_listed_together_newest_first,
    each_filter_narrows,
    a_list_goes_on_from_the_newest_days_to_older_ones,
    a_record_of_a_tenant_that_is_gone_is_dropped_without_the_others,
);

async fn list(kept: &Kept, tenant: &TenantId, filter: ExecutionFilter) -> Vec<ExecutionId> {
    let page = kept.store.executions(tenant, &filter, PageOf { first: 100, after: None }).await.unwrap();
    let total = kept.store.count_executions(tenant, &filter).await.unwrap();
    assert_eq!(total, u64::try_from(page.data.len()).unwrap(), "the count is that of the filter {filter:?}");
    page.data.iter().map(|e| e.id).collect()
}

async fn a_record_is_kept_once_and_comes_back_whole(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut one = execution(&target);
    one.request = Some(ReceivedRequest {
        method: HttpMethod::Post,
        url: "https://host/webhook".to_owned(),
        headers: Json::parse(r#"{"x":"ü"}"#).unwrap(),
        parameters: Json::parse("[1.0,{}]").unwrap(),
        caller_address: Some([203, 0, 113, 7].into()),
    });
    one.log.push(LogLine { time: kept.now(), level: LogLevel::Warn, text: "NUL \0 and more ".repeat(2000) });
    one.calls.push(Call {
        started_at: kept.now(),
        duration_us: None,
        method: "GET".to_owned(),
        url: "https://stock.example/".to_owned(),
        credential: Some("stock".to_owned()),
        request_headers: Json::parse("{}").unwrap(),
        request_body: None,
        status: Some(200),
        response_headers: None,
        response_body: Some("NUL \0".to_owned()),
        response_truncated: false,
        error: None,
    });
    kept.store.append_executions(&[one.clone(), one.clone()]).await.unwrap();
    let mut changed = one.clone();
    changed.status = Status::Failed;
    kept.store.append_executions(&[changed]).await.unwrap();
    assert_eq!(kept.store.execution(&a, one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.execution(&tenant_id("b"), one.id).await.unwrap(), None);
    assert!(list(kept, &tenant_id("b"), ExecutionFilter::default()).await.is_empty());
    assert_eq!(list(kept, &a, ExecutionFilter::default()).await, vec![one.id]);
}

async fn records_and_open_deliveries_are_listed_together_newest_first(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let first = execution(&target);
    let intake = batch(&target, &[event(&a, "1"), event(&a, "2")]);
    let open: Vec<_> = intake.events.iter().map(|(_, d)| d[0].execution.id).collect();
    let last = execution(&target);
    kept.store.take_in(0, 2, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    kept.store.append_executions(&[last.clone(), first.clone()]).await.unwrap();
    let all = ExecutionFilter::default();
    let page = kept.store.executions(&a, &all, PageOf { first: 2, after: None }).await.unwrap();
    let ids: Vec<_> = page.data.iter().map(|e| e.id).collect();
    assert_eq!((ids, page.has_next), (vec![last.id, open[1]], true));
    assert_eq!(kept.store.count_executions(&a, &all).await.unwrap(), 4);
    kept.store.append_executions(&[execution(&target)]).await.unwrap();
    let page = kept.store.executions(&a, &all, PageOf { first: 2, after: Some(open[1]) }).await.unwrap();
    let ids: Vec<_> = page.data.iter().map(|e| e.id).collect();
    assert_eq!((ids, page.has_next), (vec![open[0], first.id], false));
    assert_eq!(kept.store.count_executions(&a, &all).await.unwrap(), 5);
}

async fn each_filter_narrows(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut hook = execution(&target);
    hook.integration = tidegate_model::IntegrationId(id());
    hook.status = Status::SuccessWithWarning;
    hook.log.push(LogLine { time: kept.now(), level: LogLevel::Info, text: "Straße 100%_done \\o/".to_owned() });
    let mut failed: Execution = pending(&target, &event(&a, "e1"));
    failed.status = Status::Failed;
    failed.started_at = kept.after(10);
    failed.error = Some("Script 'x' LINE 3".to_owned());
    kept.store.append_executions(&[hook.clone(), failed.clone()]).await.unwrap();
    let intake = batch(&target, &[event(&a, "e2")]);
    let open = intake.events[0].1[0].execution.id;
    kept.store.take_in(0, 1, &intake, id(), kept.after(30), kept.now()).await.unwrap();
    let any = ExecutionFilter::default;
    let text = |text: &str| ExecutionFilter { text: Some(text.to_owned()), ..any() };
    let cases = [
        (ExecutionFilter { integration: Some(target.id), ..any() }, vec![open, failed.id]),
        (ExecutionFilter { statuses: vec![Status::Success, Status::Pending], ..any() }, vec![open]),
        (
            ExecutionFilter { statuses: vec![Status::Failed, Status::SuccessWithWarning], ..any() },
            vec![failed.id, hook.id],
        ),
        (ExecutionFilter { from: Some(kept.after(10)), ..any() }, vec![failed.id]),
        (ExecutionFilter { to: Some(kept.after(10)), ..any() }, vec![open, hook.id]),
        (ExecutionFilter { integration: Some(target.id), statuses: vec![Status::Failed], ..any() }, vec![failed.id]),
        (ExecutionFilter { integration: Some(target.id), to: Some(kept.after(10)), ..any() }, vec![open]),
        (ExecutionFilter { integration: Some(hook.integration), from: Some(kept.after(-9)), ..any() }, vec![hook.id]),
        (ExecutionFilter { statuses: vec![Status::Failed], from: Some(kept.after(11)), ..any() }, vec![]),
        (
            ExecutionFilter { from: Some(Timestamp::MIN_UTC), to: Some(Timestamp::MAX_UTC), ..any() },
            vec![open, failed.id, hook.id],
        ),
        (ExecutionFilter { object_type: Some(type_name("Order")), ..any() }, vec![open, failed.id]),
        (ExecutionFilter { object_id: Some(event(&a, "e1").object_id), ..any() }, vec![failed.id]),
        (ExecutionFilter { event_id: Some(event(&a, "e2").id), ..any() }, vec![open]),
        (ExecutionFilter { event_id: Some(event(&a, "e2").id), statuses: vec![Status::Dead], ..any() }, vec![]),
        (text("line 3"), vec![failed.id]),
        (text("STRASSE"), vec![]),
        (text("sTRAßE 100%_DONE \\"), vec![hook.id]),
        (text("%"), vec![hook.id]),
        (text("1_0"), vec![]),
        (text("order of e2"), vec![open]),
    ];
    // The ids are drawn in this order: hook, failed, open.
    for (filter, expected) in cases {
        let mut expected = expected;
        expected.sort_by(|a, b| b.cmp(a));
        assert_eq!(list(kept, &a, filter.clone()).await, expected, "{filter:?}");
    }
}

async fn a_list_goes_on_from_the_newest_days_to_older_ones(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    kept.clock.advance(noon(40) - kept.now());
    for day in (0..=40).step_by(4) {
        kept.store.make_days(noon(day)).await.unwrap();
    }
    // The first is ahead of the clock.
    let mut records: Vec<_> = [42, 40, 39, 38, 33, 32, 3, 0].map(|day| record(&target, noon(day))).to_vec();
    for record in records.iter_mut().step_by(2) {
        record.status = Status::Failed;
    }
    kept.store.append_executions(&records).await.unwrap();
    let any = ExecutionFilter::default;
    let filters = [
        any(),
        ExecutionFilter { integration: Some(target.id), ..any() },
        ExecutionFilter { statuses: vec![Status::Failed], ..any() },
        ExecutionFilter { from: Some(noon(3)), to: Some(noon(39)), ..any() },
        ExecutionFilter { integration: Some(target.id), statuses: vec![Status::Success], to: Some(noon(5)), ..any() },
    ];
    for filter in filters {
        let is_in = |record: &&Execution| {
            (filter.statuses.is_empty() || filter.statuses.contains(&record.status))
                && filter.from.is_none_or(|from| from <= record.started_at)
                && filter.to.is_none_or(|to| record.started_at < to)
        };
        let expected: Vec<_> = records.iter().filter(is_in).map(|record| record.id).collect();
        for first in [1, 2, 3, 100] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = kept.store.executions(&a, &filter, PageOf { first, after }).await.unwrap();
                seen.extend(page.data.iter().map(|record| record.id));
                after = seen.last().copied();
                if !page.has_next {
                    break;
                }
            }
            assert_eq!(seen, expected, "{filter:?}, {first} at a time");
        }
    }
}

async fn a_record_of_a_tenant_that_is_gone_is_dropped_without_the_others(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let (mine, mut lost) = (execution(&target), execution(&target));
    lost.tenant = tenant_id("gone");
    kept.store.append_executions(&[lost.clone(), mine.clone()]).await.unwrap();
    assert_eq!(list(kept, &a, ExecutionFilter::default()).await, vec![mine.id]);
    assert_eq!(kept.store.execution(&lost.tenant, lost.id).await.unwrap(), None);
}
