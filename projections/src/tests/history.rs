use std::collections::BTreeMap;

use domain::app::{Authority, Event};
use proptest::{prelude::*, sample};
use rusqlite::Connection;

use super::world::*;
use crate::{
    ViewError,
    apps::{self, Stage},
};

const KEPT: [&str; 5] = ["app", "version", "queue", "store_entry", "category"];

type Tables = BTreeMap<&'static str, Vec<String>>;

/// The live tables with a history, without the column that says since when.
fn live(conn: &Connection) -> Result<Tables, ViewError> {
    KEPT.iter()
        .map(|table| Ok((*table, rows(conn, table, &format!("SELECT * FROM {table}"))?)))
        .collect()
}

/// The same tables as they were after `size` events, out of what is live and what is past now.
fn as_of(conn: &Connection, size: u64) -> Result<Tables, ViewError> {
    let of = |table: &&'static str| {
        let columns = columns(conn, table)?;
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE valid_from < {size} UNION ALL
             SELECT {columns} FROM {table}_history WHERE valid_from < {size} AND valid_to >= {size}"
        );
        Ok((*table, rows(conn, table, &sql)?))
    };
    KEPT.iter().map(of).collect()
}

fn columns(conn: &Connection, table: &str) -> Result<String, ViewError> {
    Ok(
        conn.query_row("SELECT group_concat(name) FROM pragma_table_info(?)", [table], |row| {
            row.get(0)
        })?,
    )
}

fn rows(conn: &Connection, table: &str, sql: &str) -> Result<Vec<String>, ViewError> {
    let names = columns(conn, table)?;
    let shown: Vec<_> = names
        .split(',')
        .enumerate()
        .filter(|(_, name)| *name != "valid_from")
        .map(|(i, _)| i)
        .collect();
    let mut statement = conn.prepare(sql)?;
    let row = |row: &rusqlite::Row<'_>| shown.iter().map(|i| Ok(format!("{:?} ", row.get_ref(*i)?))).collect();
    let mut rows: Vec<String> = statement.query_map([], row)?.collect::<Result<Vec<String>, _>>()?;
    rows.sort();
    Ok(rows)
}

/// What somebody does next; whatever of it is not possible where the version stands is left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    UploadVersion,
    EditListing,
    Categorise(u128),
    Advance,
    Reject,
    SuspendVersion,
    ResumeVersion,
    DeleteVersion,
    SuspendApp,
    ResumeApp,
    EditCategory,
    DeleteCategory,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<(u128, u8, Step)>> {
    use Step::*;
    let step = sample::select(vec![
        UploadVersion,
        EditListing,
        Categorise(1),
        Categorise(2),
        Advance,
        Advance,
        Advance,
        Advance,
        Advance,
        Reject,
        SuspendVersion,
        ResumeVersion,
        DeleteVersion,
        SuspendApp,
        ResumeApp,
        EditCategory,
        DeleteCategory,
    ]);
    proptest::collection::vec((1..=2_u128, 1..=2_u8, step), 1..40)
}

pub(super) async fn take(world: &mut World, app_id: u128, version: u8, step: Step) {
    let text = format!("{version}.0.0");
    let number = number(&text);
    let wanted = number.clone();
    let row = world.ask(move |conn| apps::version(conn, app(app_id), &wanted)).await;
    let listing = world
        .ask(move |conn| apps::app(conn, app(app_id)))
        .await
        .unwrap()
        .listing
        .draft;
    let stage = row.as_ref().map(|row| row.stage);
    let submission = row
        .as_ref()
        .and_then(|row| row.submission.as_ref())
        .map(|submission| submission.id);
    let digest = row.as_ref().map_or(digest(0), |row| row.package.digest);
    let (by, event) = match (step, stage, submission) {
        (Step::UploadVersion, None, _) => {
            world.upload_version(app_id, &text).await;
            return;
        }
        (Step::EditListing, ..) => {
            let listing = world.listing("edited", &format!("at {}", world.size)).await;
            (AUTHOR, Event::ListingEdited { listing })
        }
        (Step::Categorise(n), ..) => (
            AUTHOR,
            Event::CategoryAssigned {
                category: Some(category(n)),
            },
        ),
        (Step::EditCategory, ..) => {
            let (name, icon) = (
                format!("category {}", world.size).parse().unwrap(),
                "box".parse().unwrap(),
            );
            world
                .category(1, domain::category::Event::CategoryEdited { name, icon })
                .await;
            return;
        }
        (Step::DeleteCategory, ..) => {
            world.category(1, domain::category::Event::CategoryDeleted {}).await;
            return;
        }
        (Step::Advance, Some(Stage::Draft | Stage::Rejected), _) => {
            world.submit(app_id, &text, &row.unwrap().package, listing).await;
            return;
        }
        (Step::Advance, Some(Stage::Submitted), Some(submission)) => (
            REVIEWER,
            Event::ReviewStarted {
                version: number,
                submission,
            },
        ),
        (Step::Advance, Some(Stage::InReview), Some(submission)) => (
            REVIEWER,
            Event::VersionApproved {
                version: number,
                submission,
                digest,
                listing,
                terms: None,
            },
        ),
        (Step::Advance, Some(Stage::Approved), Some(submission)) => (
            AUTHOR,
            Event::PublishedToStore {
                version: number,
                submission,
                digest,
                listing,
            },
        ),
        (Step::Reject, Some(Stage::Submitted | Stage::InReview), Some(submission)) => (
            REVIEWER,
            Event::VersionRejected {
                version: number,
                submission,
                digest,
                listing,
                reason: sealed(1),
                terms: None,
            },
        ),
        (Step::SuspendVersion, Some(Stage::Published), _) => (
            AUTHOR,
            Event::Suspended {
                version: Some(number),
                authority: Authority::Owner,
                reason: None,
            },
        ),
        (Step::ResumeVersion, Some(Stage::Suspended), _) => (AUTHOR, Event::Resumed { version: Some(number) }),
        (Step::DeleteVersion, Some(Stage::Draft | Stage::Approved | Stage::Rejected | Stage::Suspended), _) => {
            (AUTHOR, Event::VersionDeleted { version: number })
        }
        (Step::SuspendApp, ..) => (
            AUTHOR,
            Event::Suspended {
                version: None,
                authority: Authority::Store,
                reason: None,
            },
        ),
        (Step::ResumeApp, ..) => (AUTHOR, Event::Resumed { version: None }),
        _ => return,
    };
    world.app(by, app_id, event).await;
}

async fn check(steps: Vec<(u128, u8, Step)>) {
    let mut world = World::new().await;
    world.upload_app(1, "redis").await;
    world.upload_app(2, "kafka").await;
    let (name, icon) = ("first".parse().unwrap(), "box".parse().unwrap());
    world
        .category(1, domain::category::Event::CategoryCreated { name, icon })
        .await;
    let mut seen = BTreeMap::new();
    for (app_id, version, step) in steps {
        take(&mut world, app_id, version, step).await;
        seen.insert(world.size, world.ask(live).await);
    }
    for (size, tables) in seen {
        assert_eq!(
            world.ask(move |conn| as_of(conn, size)).await,
            tables,
            "after {size} events"
        );
    }
    let empty = |table: &str| format!("SELECT count(*) FROM {table}_history WHERE valid_from >= valid_to");
    for table in KEPT {
        let sql = empty(table);
        let count: i64 = world
            .ask(move |conn| Ok(conn.query_row(&sql, [], |row| row.get(0))?))
            .await;
        assert_eq!(count, 0, "rows of {table} that were never live");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_live_and_what_is_past_make_every_earlier_state(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}
