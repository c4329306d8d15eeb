//! Stopped at each step of what makes and ends owners and clients, Tidegate leaves no client without its owner, and no owner whose clients
//! cannot be ended.
//!
//! A step is a statement on its way to the database. An undisturbed call tells which steps there are. Then each is stopped at in a call of its
//! own: there the process is killed, or its database cut off. Before a step is after the one before it; the database knows no difference.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::api::Admin;
use crate::harness::steps::{Step, Steps, Stop};
use crate::harness::{Api, Mode, Tidegate, eventually};
use crate::orphans::{orphans, select};
use crate::owners::{credentials, try_to_sign_in};

const KINDS: [&str; 3] = ["IntegrationSystem", "Application", "Runtime"];

/// What becomes of the process that has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Killed,
    CutOff,
}

/// What is done to an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Register,
    Request,
    Delete,
    Unregister,
}

const CALLS: [Call; 4] = [Call::Register, Call::Request, Call::Delete, Call::Unregister];

impl Call {
    fn query(self, kind: &str) -> String {
        let (operation, argument) = match self {
            Self::Register => ("register", format!("$in: {kind}Input!")),
            Self::Request => ("requestClientCredentialsFor", "$id: ID!".to_owned()),
            Self::Delete => ("deleteSystemAuthFor", "$id: ID!".to_owned()),
            Self::Unregister => ("unregister", "$id: ID!".to_owned()),
        };
        let (name, _) = argument[1..].split_once(':').unwrap();
        let secret = "auth { credential { ... on OAuthCredentialData { clientId clientSecret } } }";
        let told = if self == Self::Request { secret } else { "" };
        format!("mutation({argument}) {{ made: {operation}{kind}({name}: ${name}) {{ id {told} }} }}")
    }

    /// What its transaction does, of which the rest is told.
    fn statement(self, kind: &str) -> String {
        match self {
            Self::Register => format!("INSERT INTO {} ", table(kind)),
            Self::Request => "INSERT INTO client ".to_owned(),
            Self::Delete => "DELETE FROM client ".to_owned(),
            Self::Unregister => format!("DELETE FROM {} ", table(kind)),
        }
    }

    /// How many clients the owner may have left, if it may be there at all, by whether the caller was told that it is done.
    fn may_leave(self, is_done: bool) -> &'static [Option<usize>] {
        match (self, is_done) {
            (Self::Register | Self::Delete, true) => &[Some(0)],
            (Self::Register, false) => &[None, Some(0)],
            (Self::Request, true) => &[Some(2)],
            (Self::Request, false) => &[Some(1), Some(2)],
            (Self::Delete, false) => &[Some(0), Some(1)],
            (Self::Unregister, true) => &[None],
            (Self::Unregister, false) => &[None, Some(1)],
        }
    }
}

fn table(kind: &str) -> &'static str {
    match kind {
        "IntegrationSystem" => "integration_system",
        "Application" => "application",
        _ => "runtime",
    }
}

/// An owner with one client, or one that is still to be registered.
struct Subject {
    kind: &'static str,
    there: Api,
    name: String,
    made: Option<(Value, Value, Admin)>,
}

impl Subject {
    async fn new(api: &Api, kind: &'static str, call: Call, name: String) -> Self {
        let there = if kind == "IntegrationSystem" { api.clone() } else { api.in_tenant("acme") };
        let mut subject = Self { kind, there, name, made: None };
        if call != Call::Register {
            let owner = subject.told(Call::Register).await["data"]["made"]["id"].take();
            let auth =
                told(&subject.there, &Call::Request.query(kind), json!({ "id": owner })).await["data"]["made"].take();
            subject.made = Some((owner, auth["id"].clone(), credentials(&auth)));
        }
        subject
    }

    fn variables(&self, call: Call) -> Value {
        match (call, &self.made) {
            (Call::Register, _) | (_, None) => json!({ "in": { "name": self.name } }),
            (Call::Delete, Some((_, client, _))) => json!({ "id": client }),
            (_, Some((owner, ..))) => json!({ "id": owner }),
        }
    }

    /// The answer, if one came.
    async fn tried(&self, call: Call) -> Option<Value> {
        tried(&self.there, &call.query(self.kind), self.variables(call)).await
    }

    async fn told(&self, call: Call) -> Value {
        told(&self.there, &call.query(self.kind), self.variables(call)).await
    }

    /// What was promised holds, nothing is half done, and everything can be ended.
    async fn is_whole(&self, tidegate: &Tidegate, call: Call, is_done: bool, what: &str) {
        assert_eq!(orphans(tidegate).await, Vec::<String>::new(), "{what}");
        let by_name = format!("SELECT CAST(id AS TEXT) FROM {} WHERE name = '{}'", table(self.kind), self.name);
        let owner = select(tidegate, sqlx::AssertSqlSafe(by_name)).await.pop();
        let listed = match &owner {
            Some(owner) => self.auths(owner).await,
            None => None,
        };
        assert_eq!(listed.is_some(), owner.is_some(), "{what}: it is there or not, for everybody");
        assert!(call.may_leave(is_done).contains(&listed.as_ref().map(Vec::len)), "{what}, {is_done}: {listed:?}");
        let listed = listed.unwrap_or_default();
        if let Some((_, id, client)) = &self.made {
            let expected = if listed.contains(&id.as_str().unwrap().to_owned()) { 200 } else { 401 };
            let told = eventually("the token service answers", || async {
                Some(try_to_sign_in(tidegate, client).await.0).filter(|status| *status < 500)
            });
            assert_eq!(told.await, expected, "{what}: a client lives with its owner");
        }
        let Some(owner) = owner else { return };
        assert_eq!(clients(tidegate, &owner).await, listed, "{what}: what is listed is what there is");
        let ended = told(&self.there, &Call::Unregister.query(self.kind), json!({ "id": owner })).await;
        assert_eq!(ended["data"]["made"]["id"], json!(owner), "{what}: it can be ended: {ended}");
        assert_eq!(clients(tidegate, &owner).await, Vec::<String>::new(), "{what}: its clients end with it");
    }

    /// The ids of its clients, in order; `None` when there is no such owner.
    async fn auths(&self, owner: &str) -> Option<Vec<String>> {
        let field = format!("{}{}", self.kind[..1].to_lowercase(), &self.kind[1..]);
        let query = format!("query($id: ID!) {{ it: {field}(id: $id) {{ auths {{ id }} }} }}");
        let answer = told(&self.there, &query, json!({ "id": owner })).await;
        let auths = answer["data"]["it"]["auths"].as_array()?;
        let mut ids: Vec<_> = auths.iter().map(|auth| auth["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        Some(ids)
    }
}

/// The clients of an owner, as the database has them, in order.
async fn clients(tidegate: &Tidegate, owner: &str) -> Vec<String> {
    let query = format!(
        "SELECT CAST(id AS TEXT) AS client FROM client \
         WHERE CAST(COALESCE(integration_system, application, runtime) AS TEXT) = '{owner}' ORDER BY client"
    );
    select(tidegate, sqlx::AssertSqlSafe(query)).await
}

async fn tried(api: &Api, query: &str, variables: Value) -> Option<Value> {
    let request = api.post("/graphql").json(&json!({ "query": query, "variables": variables }));
    request.timeout(Duration::from_mins(1)).send().await.ok()?.json().await.ok()
}

/// Whether nothing came of it because what it needs is away.
fn is_away(answer: Option<&Value>) -> bool {
    answer.is_none_or(|answer| answer["errors"][0]["extensions"]["error_code"] == 10)
}

/// The answer, once the database is reached again: connections that were cut are noticed when they are used.
async fn told(api: &Api, query: &str, variables: Value) -> Value {
    let answer = eventually(query, || async {
        tried(api, query, variables.clone()).await.filter(|answer| !is_away(Some(answer)))
    });
    answer.await
}

/// Where to stop: before each step, and when all is done and nobody was told.
fn stops(steps: &[Step]) -> Vec<Stop> {
    let mut all = Vec::new();
    for Step { path, .. } in steps {
        let after = path.ends_with("COMMIT").then(|| Stop::After(path.clone()));
        for stop in std::iter::once(Stop::Before(path.clone())).chain(after) {
            if !all.contains(&stop) {
                all.push(stop);
            }
        }
    }
    all
}

async fn at_each_step(mode: Mode, then: Then) {
    // Each stop costs a restart: `scripts/faults` stops at all of them, the tests of every day at those of one kind's credentials.
    let is_long = std::env::var_os("TIDEGATE_TEST_FAULTS").is_some();
    let (kinds, calls) = if is_long { (&KINDS[..], &CALLS[..]) } else { (&KINDS[..1], &CALLS[1..2]) };
    let settings = [("OAUTH2__TOKEN_LIFETIME", "12h")];
    let Some((mut tidegate, steps)) = Tidegate::start_in_steps(mode, &settings).await else { return };
    let api = tidegate.api().await;
    api.make_tenant("acme", &[]).await;
    let mut names = (0..).map(|number| format!("n{number}"));
    let mut known = Vec::new();
    for kind in kinds {
        for &call in calls {
            let subject = Subject::new(&api, kind, call, names.next().unwrap()).await;
            steps.seen().await;
            let answer = subject.told(call).await;
            assert!(answer["errors"].is_null(), "{answer}");
            known.push((*kind, call, steps.seen().await));
        }
    }
    for (kind, call, known) in known {
        let mut met = Vec::new();
        for stop in stops(&known) {
            let what = format!("{call:?} {kind}, {then:?}, {stop:?}");
            let subject = Subject::new(&api, kind, call, names.next().unwrap()).await;
            let is_done = stopped(&mut tidegate, &steps, &subject, call, &stop, then, &mut met).await;
            subject.is_whole(&tidegate, call, is_done, &what).await;
        }
        let own = call.statement(kind);
        let mut commits = known.iter().filter(|step| step.path.ends_with("COMMIT"));
        let transaction = commits.find(|step| step.path.contains(&own));
        let transaction = &transaction.unwrap_or_else(|| panic!("{call:?} {kind}: {known:#?}")).path;
        let mut expected: Vec<_> =
            transaction.match_indices(" > ").map(|(end, _)| Stop::Before(transaction[..end].to_owned())).collect();
        expected.extend([Stop::Before(transaction.clone()), Stop::After(transaction.clone())]);
        eprintln!("{call:?} {kind}: stopped at {} steps, {} of them of {transaction}", met.len(), expected.len());
        expected.retain(|stop| !met.contains(stop));
        assert_eq!(expected, Vec::<Stop>::new(), "{call:?} {kind} came by without being stopped there");
    }
}

/// Makes the call, which is stopped if it comes by there; answers whether its caller was told that it is done.
async fn stopped(
    tidegate: &mut Tidegate,
    steps: &Steps,
    subject: &Subject,
    call: Call,
    stop: &Stop,
    then: Then,
    met: &mut Vec<Stop>,
) -> bool {
    let is_done = |answer: &Option<Value>| answer.as_ref().is_some_and(|answer| !answer["data"]["made"].is_null());
    for _ in 0..100 {
        steps.stop_at(stop.clone());
        let mut calling = Box::pin(subject.tried(call));
        let came_by = tokio::select! {
            () = steps.stopped() => None,
            answer = &mut calling => Some(answer),
        };
        if let Some(answer) = came_by {
            // A connection that was cut before, and not used since.
            if is_away(answer.as_ref()) {
                continue;
            }
            steps.cut();
            return is_done(&answer);
        }
        met.push(stop.clone());
        if then == Then::Killed {
            // The director, where it is a process of its own.
            tidegate.kill(usize::from(tidegate.mode == Mode::Apart));
        }
        steps.cut();
        let answer = calling.await;
        if then == Then::Killed {
            tidegate.resume().await;
        }
        return is_done(&answer);
    }
    panic!("its database stays away: {call:?}, {stop:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_step_the_director_leaves_no_client_without_its_owner() {
    at_each_step(Mode::Apart, Then::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_from_the_database_at_each_step_tidegate_leaves_no_client_without_its_owner() {
    at_each_step(Mode::OnServers, Then::CutOff).await;
}
