//! Events into Tidegate: as batches of CloudEvents, over connections that are kept.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::shared::as_float;
use crate::shared::client::{Client, Identity};

/// How events follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends the next batch when it has its answer.
    AsFastAsItGoes,
    /// So many events a second in all, whether or not earlier ones have arrived.
    PerSecond(f64),
}

/// Who publishes, and how.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) identity: Identity,
    pub(crate) ledger: Ledger,
    pub(crate) connections: usize,
    /// Events in one request.
    pub(crate) batch: usize,
    /// Events go round these Integrations.
    pub(crate) integrations: usize,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Load {
    /// Publishes so many; answers their numbers, and how long it took until the last one was accepted.
    pub(crate) async fn put_on(&self, count: usize, pace: Pace) -> (Range<usize>, Duration) {
        let count = count.next_multiple_of(self.batch * self.connections);
        let numbers = self.ledger.take(count);
        let begun = Instant::now();
        let mut connections = JoinSet::new();
        for connection in 0..self.connections {
            connections.spawn(self.clone().connection(connection, numbers.clone(), begun, pace));
        }
        while let Some(ended) = connections.join_next().await {
            ended.unwrap();
        }
        (numbers, begun.elapsed())
    }

    /// Every so many'th batch is this connection's.
    async fn connection(self, connection: usize, numbers: Range<usize>, begun: Instant, pace: Pace) {
        let mut client = Client::connect(&self.identity).await;
        let mut batch = connection;
        loop {
            let first = numbers.start + batch * self.batch;
            if first >= numbers.end {
                return;
            }
            if let Pace::PerSecond(rate) = pace {
                let due = begun + Duration::from_secs_f64(as_float(batch * self.batch) / rate);
                tokio::time::sleep_until(due.into()).await;
            }
            let all = first..first + self.batch;
            let body = events(all.clone(), self.integrations);
            client.ask(202, ("POST", "/v1/events"), "application/cloudevents-batch+json", &body).await;
            all.for_each(|number| self.ledger.accept(number));
            batch += self.connections;
        }
    }
}

/// A batch. The event of a number is for the Integration that listens to the type of that number.
fn events(numbers: Range<usize>, integrations: usize) -> String {
    let mut text = String::from("[");
    for number in numbers.clone() {
        let comma = if number == numbers.start { "" } else { "," };
        let integration = number % integrations;
        write!(
            text,
            r#"{comma}{{"specversion":"1.0","id":"event-{number}","source":"/bench","type":"bench.T{integration}.create","data":{{"objectId":"{number}","new":{}}}}}"#,
            order(number)
        )
        .unwrap();
    }
    text + "]"
}

/// An order of half a kilobyte, nested.
pub(crate) fn order(number: usize) -> String {
    let mut text = format!(
        r#"{{"number":{number},"customer":{{"id":"c-17","name":"Ada & Co.","address":{{"street":"Harbour Street 12","city":"Gdansk"}}}},"items":["#
    );
    for item in 0..8 {
        let comma = if item == 0 { "" } else { "," };
        write!(text, r#"{comma}{{"sku":"art-{item:04}","qty":{},"price":{}.25}}"#, item + 1, item + 10).unwrap();
    }
    text + "]}"
}

/// Maps the order to another shape.
pub(crate) const CORE: &str = r"
local lines, total = {}, 0
for place, item in ipairs(newObject.items) do
  local amount = item.qty * item.price
  total = total + amount
  lines[place] = { position = place, article = string.upper(item.sku), quantity = item.qty, amount = amount }
end
return { body = { number = newObject.number, customer = newObject.customer.name, city = newObject.customer.address.city, lines = lines, total = total } }
";
