//! Headers of outgoing calls that are the platform's: the one list for scripts, credentials and the client.

/// Why a header is the platform's to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It is about one connection (RFC 9110 7.6.1), or about how the call travels in it.
    Connection,
    /// It unlocks a cloud's metadata service.
    Metadata,
    /// By it a receiver recognises and verifies a delivery.
    Delivery,
    /// It says what the body is: a script may know that, a credential does not.
    Body,
}

const CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const METADATA: [&str; 4] =
    ["metadata", "metadata-flavor", "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"];

const DELIVERY: [&str; 4] = ["traceparent", "webhook-id", "webhook-signature", "webhook-timestamp"];

const BODY: [&str; 2] = ["content-type", "expect"];

impl Reserved {
    /// Why the header of this name, in any case, is the platform's; `None` for one that is free.
    pub fn of(name: &str) -> Option<Self> {
        let is_in = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        match () {
            () if is_in(&CONNECTION) => Some(Self::Connection),
            () if is_in(&METADATA) => Some(Self::Metadata),
            () if is_in(&DELIVERY) => Some(Self::Delivery),
            () if is_in(&BODY) => Some(Self::Body),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_others_are_free() {
        for (name, why) in [
            ("Host", Some(Reserved::Connection)),
            ("Metadata-Flavor", Some(Reserved::Metadata)),
            ("WEBHOOK-SIGNATURE", Some(Reserved::Delivery)),
            ("content-type", Some(Reserved::Body)),
            ("x-api-key", None),
            ("webhook-secret", None),
            ("", None),
        ] {
            assert_eq!(Reserved::of(name), why, "{name}");
        }
    }
}
