use tidegate_model::{Error, SecretHash};

use crate::harness::Kept;
use crate::samples::{any_event, client, logic, with_tenants};

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_internal_error_and_others_stay_readable() {
    let kept = Kept::file().await.unwrap();
    let a = with_tenants(&kept, &["a"]).await;
    let (bad, good) = (logic(&a, "bad"), logic(&a, "good"));
    for one in [&bad, &good] {
        kept.store.insert_logic(one, &any_event(&a)).await.unwrap();
    }
    let administrator = client(tidegate_model::ClientOwner::Administrator);
    kept.store.insert_client(&administrator, SecretHash([7; 32])).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&kept.url.to_string()).await.unwrap();
    sqlx::query("UPDATE logic SET kind = 'NEITHER' WHERE name = 'bad'").execute(&pool).await.unwrap();
    sqlx::query("UPDATE client SET secret = x'00'").execute(&pool).await.unwrap();
    let told = kept.store.logic(&a, bad.id, None).await.unwrap_err();
    assert!(matches!(&told, Error::Internal { id } if !id.contains("NEITHER")), "{told}");
    let again = kept.store.logic(&a, bad.id, None).await.unwrap_err();
    assert_ne!(told, again, "each failure has its own id");
    assert_eq!(kept.store.logic(&a, good.id, None).await.unwrap(), Some(good));
    assert!(matches!(kept.store.client(administrator.id).await, Err(Error::Internal { .. })));
}

#[tokio::test]
async fn nul_in_a_name_is_refused_by_the_server_as_the_callers_fault() {
    let Some(kept) = Kept::postgres().await else { return };
    let a = with_tenants(&kept, &["a"]).await;
    let told = kept.store.insert_logic(&logic(&a, "a\0b"), &any_event(&a)).await;
    assert!(matches!(told, Err(Error::InvalidData(_))), "{told:?}");
}
