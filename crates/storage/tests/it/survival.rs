use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tidegate_model::{PageOf, SystemClock, TenantId};
use tidegate_storage::contract::ObjectWrite;
use tidegate_storage::{DatabaseUrl, Opened, Options, migrate, open};

use crate::samples::{any_event, event, execution, logic, object, object_type, outgoing, tenant, tenant_id, type_name};

const CHILD: &str = "TIDEGATE_TEST_CHILD";

async fn opened(url: &DatabaseUrl) -> Opened {
    migrate(url).await.unwrap();
    open(&Options { url: url.clone(), max_connections: 2, clock: Arc::new(SystemClock) }).await.unwrap()
}

/// Not a test of its own: what the next one starts and kills.
#[tokio::test]
#[ignore = "runs as a child of the test below"]
async fn a_process_that_tells_what_was_acknowledged() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let Opened { store, local_log, recorder, .. } = opened(&DatabaseUrl::file(path)).await;
    let a: TenantId = tenant_id("a");
    store.insert_tenant(&tenant("a")).await.unwrap();
    store.insert_object_type(&object_type(&a, "Order")).await.unwrap();
    let core = logic(&a, "core");
    store.insert_logic(&core, &any_event(&a)).await.unwrap();
    let target = outgoing(&a, "target", core.id, &[]);
    for number in 0.. {
        let name = number.to_string();
        let write =
            ObjectWrite { object: object(&a, &name, "{}"), expected: None, delete: false, event: any_event(&a) };
        store.write_objects(&[write]).await.unwrap();
        local_log.as_ref().unwrap().publish(&event(&a, &name)).await.unwrap();
        let record = execution(&target);
        let id = record.id;
        recorder.append(record).await.unwrap();
        println!("acknowledged {number} {id}");
    }
}

#[tokio::test]
async fn a_file_that_is_opened_after_a_kill_has_what_was_acknowledged() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("store.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["survival::a_process_that_tells_what_was_acknowledged", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.filter_map(|line| line.split_once("acknowledged ").map(|(_, told)| told.to_owned()));
    let told: Vec<_> = told.take(40).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told.len(), 40);

    let Opened { store, local_log, .. } = opened(&DatabaseUrl::file(&path)).await;
    let a = tenant_id("a");
    let published = local_log.unwrap().read(0, 1000).await.unwrap();
    for (number, told) in told.iter().enumerate() {
        let (name, id) = told.split_once(' ').unwrap();
        assert_eq!(name, number.to_string());
        assert!(store.execution(&a, id.parse().unwrap()).await.unwrap().is_some());
        assert!(store.object(&a, &type_name("Order"), &name.parse().unwrap()).await.unwrap().is_some());
    }
    assert!(published.len() >= told.len());
    // Each object has its event, and none has one without it.
    let objects = store.objects(&a, &type_name("Order"), PageOf { first: 1, after: None }).await.unwrap().total;
    let events =
        store.outbox_claim(any_uuid(), tidegate_model::Clock::now(&SystemClock), 10_000).await.unwrap().unwrap();
    assert_eq!(u64::try_from(events.len()).unwrap(), objects + 1);
}

fn any_uuid() -> uuid::Uuid {
    crate::samples::id()
}
