//! The consumer of records, which every process that drains shares, and which anybody with rights at the broker can change.

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, SequenceInfo, pull};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Context, ErrorCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Link;
use super::drain::ACK_WAIT;

const NAME: &str = "records";

/// What the broker says of it.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    config: Value,
    #[serde(default)]
    paused: bool,
    /// Up to here all are acknowledged.
    pub(super) ack_floor: SequenceInfo,
    /// Up to here all were delivered.
    pub(super) delivered: SequenceInfo,
    pub(super) num_ack_pending: usize,
    pub(super) num_redelivered: usize,
}

impl Info {
    /// What keeps records from coming, or from coming whole; nothing where all is as it must be.
    pub(super) fn fault(&self, link: &Link) -> Option<String> {
        if self.paused {
            return Some("it is paused".to_owned());
        }
        let filter = Value::from(filter(link));
        // With what a broker says where a setting is at rest, and where it says nothing.
        let needed = [
            ("ack_policy", vec![json!("explicit")]),
            ("deliver_policy", vec![json!("all")]),
            ("filter_subject", vec![filter]),
            ("filter_subjects", vec![Value::Null, json!([])]),
            ("headers_only", vec![Value::Null, json!(false)]),
            ("replay_policy", vec![json!("instant")]),
            ("deliver_subject", vec![Value::Null, json!("")]),
            ("max_deliver", vec![Value::Null, json!(-1), json!(0)]),
            ("max_batch", vec![Value::Null, json!(-1), json!(0)]),
            ("max_bytes", vec![Value::Null, json!(-1), json!(0)]),
            ("max_expires", vec![Value::Null, json!(0)]),
            ("rate_limit_bps", vec![Value::Null, json!(0)]),
            ("priority_policy", vec![Value::Null, json!("none"), json!("")]),
        ];
        let wrong = needed.into_iter().find(|(name, allowed)| !allowed.contains(&self.config[*name]));
        wrong.map(|(name, allowed)| {
            format!("{name} is {}, and must be {}", self.config[name], allowed.last().unwrap_or(&Value::Null))
        })
    }
}

/// Nothing where there is none.
pub(super) async fn info(link: &Link) -> Result<Option<Info>, async_nats::Error> {
    match ask(&link.jetstream, format!("CONSUMER.INFO.{}.{NAME}", link.names.record_stream)).await? {
        Response::Ok(info) => Ok(Some(info)),
        Response::Err { error } if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND => Ok(None),
        Response::Err { error } => Err(error.into()),
    }
}

/// Makes it where it is missing, and puts it right where it was changed.
pub(super) async fn prepare(link: &Link) -> Result<PullConsumer, async_nats::Error> {
    let Some(fault) = fault(link).await? else { return create(link).await };
    tracing::error!(fault, "ALARM: the consumer of records is not as it must be: it is put right");
    let stream = &link.names.record_stream;
    // A broker that knows no pauses has nothing to end.
    let _ = ask::<Value>(&link.jetstream, format!("CONSUMER.PAUSE.{stream}.{NAME}")).await;
    if self::fault(link).await?.is_some() {
        // Not changed but made anew: one with another filter has passed records by, and a nats-server 2.9 does not go back for them. What was delivered and
        // not acknowledged comes again.
        link.jetstream.delete_consumer_from_stream(NAME, stream).await?;
    }
    let consumer = create(link).await?;
    match self::fault(link).await? {
        Some(fault) => Err(format!("the consumer of records cannot be put right: {fault}").into()),
        None => Ok(consumer),
    }
}

async fn fault(link: &Link) -> Result<Option<String>, async_nats::Error> {
    Ok(info(link).await?.and_then(|info| info.fault(link)))
}

async fn create(link: &Link) -> Result<PullConsumer, async_nats::Error> {
    let config = pull::Config {
        durable_name: Some(NAME.to_owned()),
        description: Some("Takes execution records to the database".to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        filter_subject: filter(link),
        max_ack_pending: 10_000,
        ..pull::Config::default()
    };
    Ok(link.jetstream.create_consumer_on_stream(config, &link.names.record_stream).await?)
}

fn filter(link: &Link) -> String {
    format!("{}.>", link.names.records)
}

async fn ask<T: serde::de::DeserializeOwned>(
    jetstream: &Context,
    subject: String,
) -> Result<Response<T>, async_nats::Error> {
    Ok(jetstream.request(subject, &json!({})).await?)
}
