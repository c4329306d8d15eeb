//! What a page of records costs among a thousand and among a million, by what narrows the list; and what retention costs those who write.
//! `scripts/bench records` runs it.
//!
//! Two tenants of one database, each with ten Integrations whose records lie evenly over thirty days: one has a thousand, the other a million. The
//! same page is asked of both, in turns, at the beginning of the list and in its middle. Then a third of the million is pruned while records
//! are appended, as the director does it.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

mod fill;
#[path = "../shared/mod.rs"]
#[expect(dead_code, reason = "no process is measured here")]
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use clap::Parser;
use tidegate_model::{ExecutionFilter, PageOf, Status, SystemClock, TenantId};
use tidegate_storage::{Opened, Options, migrate, open};
use tokio_util::task::TaskTracker;

use shared::asked::Databases;
use shared::at_most;
use shared::ground::Ground;

use fill::{Filled, fill, integration, record, spread};

/// How much, and where.
#[derive(Clone, Debug, Parser)]
struct Asked {
    #[command(flatten)]
    databases: Databases,
    /// Records of the large tenant.
    #[arg(long, default_value_t = 1_000_000)]
    records: u32,
    /// Times that each page is asked for.
    #[arg(long, default_value_t = 60)]
    times: usize,
}

#[tokio::main]
async fn main() {
    let asked = Asked::parse();
    let folder = tempfile::tempdir().unwrap();
    if !asked.databases.servers_only {
        measure("SQLite", &Ground::Sqlite(folder.path().to_owned()), &asked).await;
    }
    if let Some(postgres) = &asked.databases.postgres {
        let ground = Ground::servers(postgres, None).await;
        measure("PostgreSQL", &ground, &asked).await;
        ground.end().await;
    }
}

async fn measure(name: &str, ground: &Ground, asked: &Asked) {
    let url = ground.url();
    migrate(&url).await.unwrap();
    let opened = open(&Options { url, max_connections: 8, clock: Arc::new(SystemClock) }).await.unwrap();
    let begun = Instant::now();
    let few = fill(&opened, "few", 1_000).await;
    let many = fill(&opened, "many", asked.records).await;
    println!("\n{name}: 1000 and {} records, filled in {:.0} s", asked.records, begun.elapsed().as_secs_f64());
    let mut worst = 0.0_f64;
    println!("{:<44} {:>12} {:>12} {:>8}", "a page, newest first", "of 1000, µs", "of all, µs", "ratio");
    for (what, filter) in filters() {
        for (place, middle) in [("", false), (", from the middle", true)] {
            let mut took = [Vec::new(), Vec::new()];
            for _ in 0..asked.times {
                for (tenant, took) in [&few, &many].into_iter().zip(&mut took) {
                    took.push(page(&opened, tenant, &filter, middle).await);
                }
            }
            let [few, many] = took.map(|took| median(took).as_secs_f64() * 1e6);
            println!("{:<44} {few:>12.0} {many:>12.0} {:>8.2}", format!("{what}{place}"), many / few);
            worst = worst.max(many / few);
        }
    }
    at_most(&format!("{name}: a page among {}, in one among a thousand", asked.records), worst, 2.0);
    prune(&opened, &many, asked.records).await;
    opened.store.close().await;
}

/// What lists are narrowed by. Of each tenant a tenth has each Integration, and a tenth of that has failed.
fn filters() -> Vec<(&'static str, ExecutionFilter)> {
    let none = ExecutionFilter::default;
    let failed = || vec![Status::Failed];
    let (from, to) = (Some(spread(0.4)), Some(spread(0.9)));
    vec![
        ("all", none()),
        ("by Integration", ExecutionFilter { integration: Some(integration(3)), ..none() }),
        ("by status", ExecutionFilter { statuses: failed(), ..none() }),
        ("by time", ExecutionFilter { from, to, ..none() }),
        (
            "by Integration and status",
            ExecutionFilter { integration: Some(integration(3)), statuses: failed(), ..none() },
        ),
        (
            "by Integration, status and time",
            ExecutionFilter { integration: Some(integration(3)), statuses: failed(), from, to, ..none() },
        ),
        ("by Integration and time", ExecutionFilter { integration: Some(integration(3)), from, to, ..none() }),
    ]
}

/// How long a page takes. It is as long as the small tenant's list goes, so that both read as much.
async fn page(opened: &Opened, tenant: &Filled, filter: &ExecutionFilter, middle: bool) -> Duration {
    let few_left = middle && filter.from.is_some();
    let first = match (filter.integration, filter.statuses.as_slice()) {
        (Some(_), []) if few_left => 8,
        (Some(_), []) => 40,
        (Some(_), _) if few_left => 1,
        (Some(_), _) => 3,
        (None, []) => 90,
        (None, _) => 30,
    };
    let asked = PageOf { first, after: middle.then_some(tenant.middle) };
    let begun = Instant::now();
    let slice = opened.store.executions(&tenant.id, filter, asked).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(slice.data.len(), usize::from(first), "{filter:?}, {middle}");
    took
}

/// Prunes a third, in the director's steps, while records are appended one after the other; the same appends before and after tell what that costs.
async fn prune(opened: &Opened, tenant: &Filled, records: u32) {
    let before = spread(1.0 / 3.0);
    let quiet = appends(opened, &tenant.id, Duration::from_secs(4), &mut None).await;
    let store = opened.store.clone();
    let pruning = async move {
        let begun = Instant::now();
        let mut gone = 0;
        loop {
            let step = store.prune_executions(before, 500).await.unwrap();
            gone += step;
            if step < 500 || begun.elapsed() > Duration::from_secs(30) {
                return (gone, begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut pruned = Some(TaskTracker::new().spawn(pruning));
    let beside = appends(opened, &tenant.id, Duration::from_secs(40), &mut pruned).await;
    let (gone, took) = pruned.unwrap().await.unwrap();
    let [quiet, beside] = [quiet, beside].map(|mut all| {
        all.sort_unstable();
        [0.5, 0.99].map(|share| all[place(all.len(), share)].as_secs_f64() * 1e3)
    });
    println!(
        "retention: {gone} of {records} records pruned in {:.1} s; an append takes (p50, p99) {:.2} ms, {:.2} ms beside it, {:.2} ms, {:.2} ms without",
        took.as_secs_f64(),
        beside[0],
        beside[1],
        quiet[0],
        quiet[1]
    );
}

/// Appends for that long, or until the pruning has ended.
async fn appends(
    opened: &Opened,
    tenant: &TenantId,
    time: Duration,
    until: &mut Option<tokio::task::JoinHandle<(u64, Duration)>>,
) -> Vec<Duration> {
    let end = Instant::now() + time;
    let mut took = Vec::new();
    while Instant::now() < end && !until.as_ref().is_some_and(tokio::task::JoinHandle::is_finished) {
        let record = record(tenant, 1, spread(1.0) + TimeDelta::microseconds(i64::try_from(took.len()).unwrap()));
        let begun = Instant::now();
        opened.recorder.append(record).await.unwrap();
        took.push(begun.elapsed());
    }
    took
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place among them"
)]
fn place(count: usize, share: f64) -> usize {
    ((count.saturating_sub(1)) as f64 * share) as usize
}
