//! Ids: what a thing is called, by its own type, so that one kind never passes for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Clock, Randomness};

/// Defines an id that is a UUID v7: unique everywhere, and sorted by the time it was made.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a new id that sorts after those made earlier.
            pub fn generate(clock: &dyn Clock, randomness: &dyn Randomness) -> Self {
                Self(uuid_v7(clock, randomness))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(/** Names an [`IntegrationSystem`](crate::IntegrationSystem). */ IntegrationSystemId);
uuid_id!(/** Names an [`Application`](crate::Application). */ ApplicationId);
uuid_id!(/** Names a [`Runtime`](crate::Runtime). */ RuntimeId);
uuid_id!(/** Names a [`Logic`](crate::Logic). */ LogicId);
uuid_id!(/** Names an [`Integration`](crate::Integration). */ IntegrationId);
uuid_id!(/** Names an [`ExecutionUser`](crate::ExecutionUser). */ UserId);
uuid_id!(/** Names an [`Execution`](crate::Execution); a delivery has the id of the record it becomes. */ ExecutionId);
uuid_id!(/** Names an entry of the log that became no event. */ AsideId);
uuid_id!(/** Names an [`AuditEntry`](crate::AuditEntry). */ AuditId);
uuid_id!(/** Names a [`Replay`](crate::Replay). */ ReplayId);
uuid_id!(/** Names an [`ObjectType`](crate::ObjectType). */ ObjectTypeId);
uuid_id!(/** Names a [`Credential`](crate::Credential). */ CredentialId);
uuid_id!(/** Names one of the live secrets of a [`Credential`](crate::Credential) that signs. */ SigningSecretId);
uuid_id!(/** Names an OAuth2 client; a `SystemAuth` is one and has the same id. */ ClientId);
uuid_id!(/** Names one of the live secrets of a [`Client`](crate::Client). */ ClientSecretId);
uuid_id!(/** Names an access token; its `jti`. */ TokenId);

/// The microseconds within the millisecond stand in the twelve bits that RFC 9562 leaves for that (section 6.2, method 3), so that
/// ids sort by as much of the time as the clock tells.
fn uuid_v7(clock: &dyn Clock, randomness: &dyn Randomness) -> Uuid {
    let mut random = [0u8; 10];
    randomness.fill(&mut random);
    let now = clock.now();
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let fraction = (now.timestamp_subsec_micros() % 1000) * 4096 / 1000;
    let [.., high, low] = fraction.to_be_bytes();
    random[0] = high;
    random[1] = low;
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Names a tenant: a DNS label (RFC 1123, 1..=63 characters, lower case) chosen when it is made.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

/// Names an object type: `[A-Za-z][A-Za-z0-9_]{0,63}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypeName(String);

/// Names an object within its tenant and type: 1..=256 characters, no control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId(String);

/// Names an event within its tenant: 1..=256 characters, no control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(String);

/// Defines what every id that somebody chose has in common; `$rule` says what may be chosen.
macro_rules! text_id {
    ($name:ident, $valid:expr, $rule:literal) => {
        impl $name {
            /// The rule that every value obeys, as it is told to whoever broke it.
            pub const RULE: &'static str = $rule;

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(InvalidId { rule: $rule }) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(TenantId, is_dns_label, "a DNS label: 1 to 63 of a-z, 0-9 and -, not starting or ending with -");
text_id!(TypeName, is_type_name, "a letter, then at most 63 letters, digits or _");
text_id!(ObjectId, is_free_id, "1 to 256 characters, no control characters");
text_id!(EventId, is_free_id, "1 to 256 characters, no control characters");

impl ObjectId {
    /// Makes one for an object whose maker chose none.
    pub fn generate(clock: &dyn Clock, randomness: &dyn Randomness) -> Self {
        Self(uuid_v7(clock, randomness).to_string())
    }
}

impl EventId {
    /// Makes one for an event that got none from its publisher.
    pub fn generate(clock: &dyn Clock, randomness: &dyn Randomness) -> Self {
        Self(uuid_v7(clock, randomness).to_string())
    }
}

/// The text is not an id of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {rule}")]
pub struct InvalidId {
    /// What was expected.
    pub rule: &'static str,
}

fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_type_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_free_id(text: &str) -> bool {
    (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
