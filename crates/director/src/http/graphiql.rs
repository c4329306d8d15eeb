//! GraphiQL for whoever opens `/graphql` in a browser, where the operator has it on. Everything it needs is here: no page of Tidegate's loads
//! anything from elsewhere, and the policy that goes with it would refuse it.

use axum::Router;
use axum::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

const PAGE: &str = include_str!("../../assets/graphiql/page.html");

/// GraphiQL's editor writes styles into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its parts; they go beside `POST /graphql`.
pub(super) fn router<S: Clone + Send + Sync + 'static>(token_url: &str) -> Router<S> {
    let page = PAGE.replace("{token_url}", &attribute(token_url));
    let plain = |kind: &'static str, text: &'static str| get(move || async move { ([(CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/graphql", get(move || std::future::ready(shown(page.clone()))))
        .route("/graphql/page.js", plain(SCRIPT, include_str!("../../assets/graphiql/page.js")))
        .route("/graphql/page.css", plain(STYLE, include_str!("../../assets/graphiql/page.css")))
        .route("/graphql/graphiql.js", packed(SCRIPT, include_bytes!("../../assets/graphiql/graphiql.js.gz")))
        .route("/graphql/graphiql.css", packed(STYLE, include_bytes!("../../assets/graphiql/graphiql.css.gz")))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

fn shown(page: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)], page)
}

/// Every browser takes gzip, and nobody else comes here.
fn packed<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    bytes: &'static [u8],
) -> axum::routing::MethodRouter<S> {
    get(move || async move { ([(CONTENT_TYPE, kind), (CONTENT_ENCODING, "gzip")], bytes) })
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
