//! How access tokens are issued.

use super::*;

pub(super) async fn tokens_are_issued_under_it() {
    let running = together(&[("OAUTH2__PUBLIC_URL", "https://id.example.com")]).await;
    let told = http().get(running.credentials("/.well-known/oauth-authorization-server")).send().await.unwrap();
    let told: Value = told.json().await.unwrap();
    assert_eq!(
        (&told["issuer"], &told["token_endpoint"]),
        (&json!("https://id.example.com"), &json!("https://id.example.com/oauth2/token"))
    );
    running.api().await.ask("{ tenants { totalCount } }", json!({})).await;
}

pub(super) async fn tokens_live_so_long() {
    let running = together(&[("OAUTH2__TOKEN_LIFETIME", "2m")]).await;
    let admin = running.admin();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*admin.client_id),
        ("client_secret", &*admin.client_secret),
    ];
    let issued: Value =
        http().post(running.credentials("/oauth2/token")).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(issued["expires_in"], 120);
}

pub(super) async fn another_key_is_published_after_it() {
    let running = together(&[("OAUTH2__KEY_LIFETIME", "1s")]).await;
    eventually("a second key", async || {
        let keys: Value =
            http().get(running.credentials("/.well-known/jwks.json")).send().await.unwrap().json().await.unwrap();
        (keys["keys"].as_array().unwrap().len() > 1).then_some(())
    })
    .await;
}
