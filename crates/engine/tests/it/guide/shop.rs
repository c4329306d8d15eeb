//! The third party of the examples.

use std::sync::Arc;

use serde_json::json;
use tidegate_model::{Material, Secret};
use tokio::net::TcpListener;

use crate::http::{Answer, Server, header, serve};
use crate::vault::Kept;

/// `https://shop.example`, and `https://slow.example`, which takes calls and never answers.
pub(super) struct Shop {
    shop: Server,
    slow: TcpListener,
}

pub(super) async fn open() -> Shop {
    let shop = serve(|request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/orders/17") => {
            let mut answer = Answer::ok(r#"{"id":17,"state":"open"}"#);
            answer.headers.push(("x-request-id", "r-1".to_owned()));
            answer
        }
        ("GET", "/me") => {
            let given = header(request, "authorization").unwrap_or_default();
            let status = if given == "Bearer t0k3n" { 200 } else { 401 };
            Answer { status, headers: Vec::new(), body: format!("you sent {given}") }
        }
        ("GET", "/busy") => Answer { status: 503, headers: Vec::new(), body: "come back later".to_owned() },
        ("POST", _) => {
            let of_type = request.headers.iter().find(|(name, _)| name == "content-type");
            let answer = json!({ "received": request.body, "type": of_type.map(|(_, value)| value) });
            Answer { status: 201, headers: Vec::new(), body: answer.to_string() }
        }
        _ => Answer { status: 404, headers: Vec::new(), body: String::new() },
    });
    let slow = TcpListener::bind("127.0.0.1:0");
    let (shop, slow) = tokio::join!(shop, slow);
    Shop { shop, slow: slow.unwrap() }
}

/// The credential that the examples name.
pub(super) fn vault() -> Arc<Kept> {
    let vault = Arc::new(Kept::default());
    vault.keep("shop", &["127.0.0.1"], Material::Bearer { token: Secret::new("t0k3n") });
    vault
}

impl Shop {
    /// The script with the names replaced by where they are.
    pub(super) fn reached_from(&self, code: &str) -> String {
        let slow = format!("http://{}", self.slow.local_addr().unwrap());
        code.replace("https://shop.example", &self.shop.url("")).replace("https://slow.example", &slow)
    }
}
