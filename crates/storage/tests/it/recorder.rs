use std::sync::Arc;

use tidegate_model::ExecutionFilter;

use crate::harness::{Kept, on_every_store};
use crate::intake::with_target;
use crate::samples::execution;

on_every_store!(a_record_is_there_when_the_recorder_answers, many_at_once_are_all_kept);

async fn a_record_is_there_when_the_recorder_answers(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let one = execution(&target);
    kept.recorder.append(one.clone()).await.unwrap();
    assert_eq!(kept.store.execution(&a, one.id).await.unwrap(), Some(one.clone()));
    kept.recorder.append(one).await.unwrap();
}

async fn many_at_once_are_all_kept(kept: &Kept) {
    let (a, target) = with_target(kept).await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..600 {
        let (recorder, record) = (Arc::clone(&kept.recorder), execution(&target));
        callers.spawn(async move { recorder.append(record).await });
    }
    while let Some(answer) = callers.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(kept.store.count_executions(&a, &ExecutionFilter::default()).await.unwrap(), 600);
}
