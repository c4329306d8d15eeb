//! Calls of the running binary, in a closed loop.

use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_wire::api::v1;
use tidegate_wire::api::v1::application_service_client::ApplicationServiceClient;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::Asked;
use crate::shared::client::{Client, Identity};
use crate::shared::tidegate::Tidegate;
use crate::shared::{as_float, share_of};
use crate::subject::Subject;

#[derive(Clone, Copy, Debug)]
enum Call {
    Token,
    GraphqlRead,
    GrpcRead,
    GraphqlWrite,
    GrpcWrite,
}

const CALLS: [(&str, Call); 5] = [
    ("a token", Call::Token),
    ("a read over GraphQL", Call::GraphqlRead),
    ("a read over gRPC", Call::GrpcRead),
    ("a write over GraphQL", Call::GraphqlWrite),
    ("a write over gRPC", Call::GrpcWrite),
];

/// One who asks, about an Application of their own.
struct Caller {
    http: Client,
    /// Shows no token to whom it asks for one.
    stranger: Client,
    grpc: ApplicationServiceClient<Channel>,
    token: String,
    application: String,
    number: usize,
}

impl Caller {
    async fn new(subject: &Subject, number: usize) -> Self {
        let channel = Channel::from_shared(subject.tidegate.issuer()).unwrap().connect().await.unwrap();
        Self {
            http: Client::connect(&subject.identity()).await,
            stranger: Client::connect(&Identity { port: subject.tidegate.credentials, headers: String::new() }).await,
            grpc: ApplicationServiceClient::new(channel),
            token: format!("Bearer {}", subject.tidegate.token),
            application: subject.applications[number].clone(),
            number: 0,
        }
    }

    fn under<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("authorization", self.token.parse().unwrap());
        request.metadata_mut().insert("tenant", "acme".parse().unwrap());
        request
    }

    async fn make(&mut self, call: Call) {
        let id = self.application.clone();
        self.number += 1;
        // Each write changes something.
        let (name, description) = (format!("app-{id}"), format!("the {}th", self.number));
        match call {
            Call::Token => {
                let form = "application/x-www-form-urlencoded";
                self.stranger.ask(200, ("POST", "/oauth2/token"), form, &Tidegate::token_request()).await;
            }
            Call::GraphqlRead => {
                let query = "query($id: ID!) { made: application(id: $id) { id name description updatedAt } }";
                let found = self.http.graphql(query, &json!({ "id": id })).await;
                assert_eq!(found["made"]["id"], json!(id));
            }
            Call::GrpcRead => {
                let request = self.under(v1::GetApplicationRequest { id: id.clone(), with_auths: false });
                let found = self.grpc.get_application(request).await.unwrap().into_inner();
                assert_eq!(found.application.unwrap().id, id);
            }
            Call::GraphqlWrite => {
                let query =
                    "mutation($id: ID!, $in: ApplicationInput!) { made: updateApplication(id: $id, in: $in) { id } }";
                let input = json!({ "id": id, "in": { "name": name, "description": description } });
                self.http.graphql(query, &input).await;
            }
            Call::GrpcWrite => {
                let input = v1::ApplicationInput { name, description: Some(description), ..Default::default() };
                let request = self.under(v1::UpdateApplicationRequest { id, input: Some(input) });
                self.grpc.update_application(request).await.unwrap();
            }
        }
    }
}

/// What a round found: calls a second, latencies in order, processor time of Tidegate for each call.
struct Round {
    per_second: f64,
    latencies: Vec<f64>,
    processor: f64,
}

/// Measures each kind of call, in turns.
pub(crate) async fn measure(asked: &Asked, subject: &Subject) {
    let mut all: Vec<(&str, Call, Vec<Round>)> = CALLS.iter().map(|(name, call)| (*name, *call, Vec::new())).collect();
    // What comes first warms what is cold.
    for (_, call, _) in &all {
        round(subject, asked.connections, *call, Duration::from_millis(500)).await;
    }
    for _ in 0..asked.rounds {
        for (_, call, rounds) in &mut all {
            rounds.push(round(subject, asked.connections, *call, Duration::from_secs_f64(asked.seconds)).await);
        }
    }
    println!("{:<24} {:>12} {:>10} {:>10} {:>22}", "", "per second", "p50, ms", "p99, ms", "Tidegate's CPU, µs");
    for (name, _, mut rounds) in all {
        rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        let Round { per_second, latencies, processor } = &rounds[rounds.len() / 2];
        let [p50, p99] = [0.5, 0.99].map(|share| share_of(latencies, share) * 1e3);
        println!("{name:<24} {per_second:>12.0} {p50:>10.2} {p99:>10.2} {:>22.0}", processor * 1e6);
    }
}

async fn round(subject: &Subject, connections: usize, call: Call, time: Duration) -> Round {
    let mut callers = Vec::new();
    for number in 0..connections {
        let mut caller = Caller::new(subject, number).await;
        caller.make(call).await;
        callers.push(caller);
    }
    let (before, begun) = (subject.tidegate.processor_time(), Instant::now());
    let mut tasks = JoinSet::new();
    for mut caller in callers {
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                let asked = Instant::now();
                caller.make(call).await;
                latencies.push(asked.elapsed().as_secs_f64());
            }
            latencies
        });
    }
    let mut latencies: Vec<f64> = tasks.join_all().await.into_iter().flatten().collect();
    let took = begun.elapsed().as_secs_f64();
    let used = subject.tidegate.processor_time().saturating_sub(before).as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    let count = as_float(latencies.len());
    Round { per_second: count / took, latencies, processor: used / count }
}
