//! The parts of a command that authorize it, each by itself.

use std::{hint::black_box, path::Path, time::Instant};

use chrono::{DateTime, Utc};
use domain::{access::Place, digest::Digest, permission::Permission};
use eventstore::{Append, Context, EventStore, Guard, Mode, NewEvent, Revision, Write};
use projections::Views;
use serde_json::json;

use crate::{TOKEN, figures::median, filler::id};

const REPEATED: u32 = 100_000;
/// A command by HTTP looks its token up at the door, for the execution, and when it is carried out.
const LOOKED_UP: usize = 3;
const APPENDS: usize = 300;

/// Microseconds that are spent on finding out whose token it is, what they may do, and what that relies on.
pub(crate) async fn rights(data: &Path) -> f64 {
    let url = format!("sqlite://{}", data.join("log.db").display());
    let log = EventStore::open(&url, Mode::Append).await.unwrap();
    let views = Views::open(&data.join("views.db"), &log).await.unwrap();
    let secret = Digest::from_bytes(*eventstore::Digest::of(TOKEN.as_bytes()).as_bytes());
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let started = Instant::now();
    for _ in 0..REPEATED {
        let access = views.access();
        for _ in 0..LOOKED_UP {
            let holder = access.by_token_secret(&secret, now).unwrap();
            let principal = access.opened_by(holder.key, now).unwrap();
            principal.authorize(Permission::CategoryEdit, Place::Platform).unwrap();
            black_box(access.relied_on(principal.account));
        }
    }
    let taken = started.elapsed();
    log.close().await;
    taken.as_secs_f64() * 1e6 / f64::from(REPEATED)
}

/// Microseconds by which an append is slower that is refused if one of two streams moved: an account's, and that of a
/// role it holds.
pub(crate) async fn guards(file: &Path) -> f64 {
    let log = EventStore::open(&format!("sqlite://{}", file.display()), Mode::Append)
        .await
        .unwrap();
    let mut guards = vec![];
    for (n, stream) in ["account-1", "role-1"].into_iter().enumerate() {
        append(&log, n, stream, 0, vec![]).await;
        guards.push(Guard {
            stream: stream.parse().unwrap(),
            revision: Revision::new(1),
        });
    }
    let mut taken = [vec![], vec![]];
    for round in 0..2 * APPENDS {
        let guards = if round % 2 == 0 { vec![] } else { guards.clone() };
        let started = Instant::now();
        append(&log, 2 + round, "category-1", round as u64, guards).await;
        taken[round % 2].push(started.elapsed().as_secs_f64() * 1e6);
    }
    log.close().await;
    let [plain, guarded] = taken.map(median);
    // What is less than the disk's own variation counts as nothing.
    (guarded - plain).max(0.0)
}

/// Appends the `n`th event.
async fn append(log: &EventStore, n: usize, stream: &str, revision: u64, guards: Vec<Guard>) {
    let id = id(1 + n as u128);
    let event = NewEvent {
        id,
        name: "CategoryEdited".to_owned(),
        schema: 1,
        data: json!({ "icon": "box" }),
    };
    let write = Write {
        stream: stream.parse().unwrap(),
        expected: Revision::new(revision),
        events: vec![event],
    };
    let context = Context {
        actor: "system".to_owned(),
        command: None,
        correlation_id: id,
        causation_id: None,
    };
    let writes = vec![write];
    log.append(Append {
        writes,
        guards,
        context,
    })
    .await
    .unwrap();
}
