//! Tokens of third parties' token endpoints (RFC 6749, section 4.4).
//!
//! A token is asked for once and used until shortly before it expires; who needs it meanwhile waits for the one question under way. One that
//! was not given is not asked for again at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde::Deserialize;
use tidegate_model::{AuthStyle, Clock, CredentialId, OAuth2Client, Secret, TenantId, Timestamp};

use crate::egress::{Egress, EgressError, Request, Response};
use crate::masks::Masks;

/// How long a token endpoint may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of its answer is read.
const MAX_ANSWER: usize = 64 * 1024;

/// The longest token that is put into a header.
const MAX_TOKEN: usize = 16 * 1024;

/// How long a token is used that says nothing about it.
const UNSAID: i64 = 300;

/// A token is used no longer than until this many seconds before its end, or a tenth of its life where that is less: it still has to travel.
const MARGIN: i64 = 30;

/// How long after a refusal the endpoint is left alone.
const PAUSE: TimeDelta = TimeDelta::seconds(1);

/// Tokens held; beyond this many, those that ended go, or all.
const MOST: usize = 10_000;

/// Whose token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    pub(super) tenant: TenantId,
    pub(super) credential: CredentialId,
}

/// Why a third party gave no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It was not reached.
    #[error("its token endpoint was not reached: {0}")]
    Unreached(EgressError),
    /// It refused.
    #[error("its token endpoint answered {status}{}", .error.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    Refused {
        /// The status.
        status: u16,
        /// The error code of RFC 6749, section 5.2, where there is one.
        error: Option<String>,
    },
    /// It answered something else.
    #[error("its token endpoint answered no token: {0}")]
    Malformed(&'static str),
}

impl NoToken {
    /// Whether asking again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreached(error) => error.is_transient(),
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::Malformed(_) => false,
        }
    }
}

/// The tokens in use.
pub(super) struct Tokens {
    egress: Egress,
    clock: Arc<dyn Clock>,
    places: Mutex<HashMap<Owner, Arc<Place>>>,
}

/// One credential's token; whoever asks for it holds the lock.
type Place = tokio::sync::Mutex<Option<Held>>;

/// What the endpoint said last.
struct Held {
    /// The client that was asked for: a credential that was changed asks anew.
    client: OAuth2Client,
    said: Result<Secret, NoToken>,
    until: Timestamp,
}

impl Tokens {
    pub(super) fn new(egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self { egress, clock, places: Mutex::default() }
    }

    /// A token that is good for a while.
    pub(super) async fn token(&self, owner: &Owner, client: &OAuth2Client) -> Result<Secret, NoToken> {
        let place = self.place(owner);
        let mut held = place.lock().await;
        let now = self.clock.now();
        if let Some(held) = held.as_ref().filter(|held| held.client == *client && now < held.until) {
            return held.said.clone();
        }
        let (said, until) = match self.ask(client).await {
            Ok((token, lifetime)) => (Ok(token), now + lifetime),
            Err(why) => (Err(why), now + PAUSE),
        };
        *held = Some(Held { client: client.clone(), said: said.clone(), until });
        said
    }

    /// Uses this token no longer; another one that was issued meanwhile stays.
    pub(super) async fn forget(&self, owner: &Owner, token: &Secret) {
        let place = self.place(owner);
        let mut held = place.lock().await;
        if held.as_ref().is_some_and(|held| held.said.as_ref() == Ok(token)) {
            *held = None;
        }
    }

    fn place(&self, owner: &Owner) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(owner) {
            return place.clone();
        }
        if places.len() >= MOST {
            let now = self.clock.now();
            let in_use = |place: &Arc<Place>| {
                place.try_lock().map_or(true, |held| held.as_ref().is_some_and(|held| now < held.until))
            };
            places.retain(|_, place| in_use(place));
            if places.len() >= MOST {
                places.clear();
            }
        }
        places.entry(owner.clone()).or_default().clone()
    }

    async fn ask(&self, client: &OAuth2Client) -> Result<(Secret, TimeDelta), NoToken> {
        let response = self.egress.send(question(client)).await.map_err(NoToken::Unreached)?;
        answer(&response, &Masks::of([client.client_secret.reveal()]))
    }
}

fn question(client: &OAuth2Client) -> Request {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &client.scope {
        form.append_pair("scope", scope);
    }
    let mut headers = vec![
        ("accept".to_owned(), "application/json".to_owned()),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    let (id, secret) = (&client.client_id, client.client_secret.reveal());
    match client.auth_style {
        AuthStyle::Basic => {
            // Encoded as in a form before they are put together (RFC 6749, section 2.3.1).
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            headers.push(("authorization".to_owned(), format!("Basic {pair}")));
        }
        AuthStyle::Post => {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
    }
    Request {
        method: http::Method::POST,
        url: client.token_url.clone(),
        headers,
        body: Some(form.finish().into()),
        timeout: PATIENCE,
        max_response: MAX_ANSWER,
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

fn answer(response: &Response, masks: &Masks) -> Result<(Secret, TimeDelta), NoToken> {
    if response.status != 200 {
        let refusal = serde_json::from_slice::<Refusal>(&response.body).ok();
        // Only what looks like a code: a text of the third party's may say more than is meant for a record.
        let code = |error: &String| error.len() <= 64 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let error = refusal.map(|refusal| refusal.error).filter(code).map(|error| masks.text(error));
        return Err(NoToken::Refused { status: response.status, error });
    }
    let granted: Granted =
        serde_json::from_slice(&response.body).map_err(|_| NoToken::Malformed("no access_token and token_type"))?;
    if !granted.token_type.eq_ignore_ascii_case("bearer") {
        return Err(NoToken::Malformed("its token_type is not Bearer"));
    }
    let token = granted.access_token;
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(NoToken::Malformed("its access_token cannot stand in a header"));
    }
    // A number by the RFC; some write it as a text.
    let seconds = granted.expires_in.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    let lifetime = seconds.unwrap_or(UNSAID).clamp(0, 7 * 24 * 3600);
    let margin = MARGIN.min(lifetime / 10);
    Ok((Secret::new(token), TimeDelta::seconds(lifetime - margin)))
}
