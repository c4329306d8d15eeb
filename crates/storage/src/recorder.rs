//! Appending records, many in one commit.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::Recorder;
use tidegate_model::{Error, Execution};

use crate::contract::Store;
use crate::group::Group;

/// Appends to a store.
pub(crate) struct GroupRecorder(Group<Execution, ()>);

impl GroupRecorder {
    /// Starts the task that writes.
    pub(crate) fn start(store: Arc<dyn Store>) -> Self {
        Self(Group::start("the recorder", move |executions| append(store.clone(), executions)))
    }
}

#[async_trait]
impl Recorder for GroupRecorder {
    async fn append(&self, execution: Execution) -> Result<(), Error> {
        self.0.write(execution).await
    }
}

async fn append(store: Arc<dyn Store>, executions: Vec<Execution>) -> Vec<Result<(), Error>> {
    let written = store.append_executions(&executions).await;
    let alone = executions.len() > 1 && matches!(written, Err(Error::Internal { .. } | Error::InvalidData(_)));
    if !alone {
        return vec![written; executions.len()];
    }
    // One record that cannot be stored must not take the others with it.
    let mut results = Vec::with_capacity(executions.len());
    for execution in &executions {
        results.push(store.append_executions(std::slice::from_ref(execution)).await);
    }
    results
}
