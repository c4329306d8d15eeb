//! The words that columns hold for values that are enums in Rust.

use tidegate_model::{ClientOwner, CredentialKind, Direction, EventType, HttpMethod, LogicKind, PauseReason, Trigger};

/// A kind's word.
pub(crate) fn logic_kind(kind: LogicKind) -> &'static str {
    match kind {
        LogicKind::Enable => "ENABLE",
        LogicKind::Core => "CORE",
    }
}

/// What caused a run, as a word.
pub(crate) fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Webhook => "WEBHOOK",
        Trigger::Event => "EVENT",
        Trigger::Try => "TRY",
        Trigger::Replay => "REPLAY",
    }
}

/// Which way an Integration works, as a word.
pub(crate) fn direction(direction: &Direction) -> &'static str {
    match direction {
        Direction::Incoming => "INCOMING",
        Direction::Outgoing { .. } => "OUTGOING",
    }
}

/// A kind of owner, as a word.
pub(crate) fn owner_kind(owner: &ClientOwner) -> &'static str {
    match owner {
        ClientOwner::Administrator => "ADMINISTRATOR",
        ClientOwner::IntegrationSystem(_) => "INTEGRATION_SYSTEM",
        ClientOwner::Application(..) => "APPLICATION",
        ClientOwner::Runtime(..) => "RUNTIME",
        ClientOwner::Service(_) => "SERVICE",
    }
}

/// A column's word is none of those that this version knows.
#[derive(Debug, thiserror::Error)]
#[error("unknown word {0:?}")]
pub(crate) struct UnknownWord(pub(crate) String);

/// Reads a kind of Logic.
pub(crate) fn read_logic_kind(word: String) -> Result<LogicKind, UnknownWord> {
    match word.as_str() {
        "ENABLE" => Ok(LogicKind::Enable),
        "CORE" => Ok(LogicKind::Core),
        _ => Err(UnknownWord(word)),
    }
}

/// Reads a kind of credential.
pub(crate) fn read_credential_kind(word: String) -> Result<CredentialKind, UnknownWord> {
    use CredentialKind as K;
    let kinds = [K::Basic, K::Bearer, K::Header, K::OAuth2, K::Signing];
    kinds.into_iter().find(|kind| kind.as_str() == word).ok_or(UnknownWord(word))
}

/// Reads a method.
pub(crate) fn read_http_method(word: String) -> Result<HttpMethod, UnknownWord> {
    match word.as_str() {
        "GET" => Ok(HttpMethod::Get),
        "POST" => Ok(HttpMethod::Post),
        _ => Err(UnknownWord(word)),
    }
}

/// Reads why deliveries wait.
pub(crate) fn read_pause_reason(word: String) -> Result<PauseReason, UnknownWord> {
    let reasons = [PauseReason::Gone, PauseReason::Failing];
    reasons.into_iter().find(|reason| reason.as_str() == word).ok_or(UnknownWord(word))
}

/// Reads a kind of event.
pub(crate) fn read_event_type(word: &str) -> Result<EventType, UnknownWord> {
    match word {
        "CREATE" => Ok(EventType::Create),
        "UPDATE" => Ok(EventType::Update),
        "DELETE" => Ok(EventType::Delete),
        _ => Err(UnknownWord(word.to_owned())),
    }
}
