//! What the second wall between tenants costs: PostgreSQL's row-level security, and the transaction in which the tenant is named to it.

use std::time::Instant;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgPool};
use uuid::Uuid;

use crate::Asked;
use crate::shared::middle;

const ONE: &str = "SELECT i.*, u.username FROM integration i JOIN execution_user u ON u.tenant = i.tenant AND u.id = i.execution_user \
    WHERE i.tenant = $1 AND i.id = $2";
const PAGE: &str = "SELECT i.*, u.username FROM integration i JOIN execution_user u ON u.tenant = i.tenant AND u.id = i.execution_user \
    WHERE i.tenant = $1 AND i.id > $2 ORDER BY i.id LIMIT 101";

/// How a read is made.
#[derive(Clone, Copy)]
enum Way {
    /// One statement.
    Alone,
    /// In a transaction that says nothing.
    InTransaction,
    /// In one that names its tenant: as Tidegate reads.
    Named,
}

/// Reads the same in each way, in turns.
pub(crate) async fn measure(asked: &Asked, plain: &str, superuser: &str) {
    let pool = async |url| PgPoolOptions::new().max_connections(1).connect(url).await.unwrap();
    // No wall holds a superuser.
    let (plain, superuser) = (pool(plain).await, pool(superuser).await);
    let ways = [
        ("no wall: one statement", &superuser, Way::Alone),
        ("no wall, in a transaction", &superuser, Way::InTransaction),
        ("a policy, no tenant named", &plain, Way::Alone),
        ("the wall", &plain, Way::Named),
    ];
    println!(
        "{:<28} {:>16} {:>10} {:>18} {:>10}",
        "the tenant wall", "one by its id, µs", "ratio", "a page of 101, µs", "ratio"
    );
    let mut took = [const { [const { Vec::new() }; 2] }; 4];
    for number in 0..asked.times * 100 {
        for ((_, pool, way), took) in ways.iter().zip(&mut took) {
            for (statement, took) in [ONE, PAGE].into_iter().zip(took) {
                if statement == ONE || number % 10 == 0 {
                    took.push(read(pool, *way, statement, number).await);
                }
            }
        }
    }
    let took = took.map(|both| both.map(|took| middle(took) * 1e6));
    for ((name, ..), [one, page]) in ways.iter().zip(took) {
        println!("{name:<28} {one:>16.0} {:>10.2} {page:>18.0} {:>10.2}", one / took[0][0], page / took[0][1]);
    }
}

/// How long it takes until the rows are there; that a transaction is over is told without being waited for, as Tidegate does it.
async fn read(pool: &PgPool, way: Way, statement: &'static str, number: usize) -> f64 {
    let id = Uuid::from_u128(u128::try_from(number * 37 % 9_000 + 1).unwrap());
    let query = sqlx::query(statement).bind("acme").bind(id);
    let mut connection = pool.acquire().await.unwrap();
    let begun = Instant::now();
    let rows = match way {
        Way::Alone => query.fetch_all(&mut *connection).await,
        Way::InTransaction => query.fetch_all(&mut *connection.begin_with("BEGIN READ ONLY").await.unwrap()).await,
        Way::Named => {
            let named = "BEGIN READ ONLY; SET LOCAL tidegate.tenant = 'acme'";
            query.fetch_all(&mut *connection.begin_with(named).await.unwrap()).await
        }
    };
    let took = begun.elapsed().as_secs_f64();
    assert!(!rows.unwrap().is_empty());
    took
}
