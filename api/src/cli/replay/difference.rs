//! What changed between two moments, and which events did it.

use std::{collections::BTreeMap, error::Error, io};

use projections::{
    audit::{self, AuditRow},
    replay::Replay as Fold,
    sheets::{self, Change, Column, Narrowing, View, touched},
};
use serde_json::{Map, Value, json};

use super::{Wanted, advance, folded, labels::Labels};
use crate::cli::{
    offline::{Offline, OpenedTexts},
    table::line,
};

/// The differences of one view.
struct Differences {
    view: View,
    columns: Vec<Column>,
    changes: Vec<(Change, Vec<AuditRow>)>,
}

pub async fn show(offline: &Offline, wanted: &Wanted, from: u64, to: u64, json: bool) -> Result<(), Box<dyn Error>> {
    if from > to {
        return Err("the first moment is after the second".into());
    }
    let fold = folded(offline, from).await?;
    let found = differences(&fold, wanted, to).await?;
    let values = found.iter().flat_map(|found| &found.changes);
    let values = values.flat_map(|(change, _)| change.before.iter().chain(&change.after).flatten());
    let opened = offline.open_all(values).await?;
    if json {
        let views: Map<_, _> = found
            .iter()
            .map(|found| (found.view.to_string(), found.to_json(&opened)))
            .collect();
        line!(
            "{}",
            json!({ "from": moment(offline, from).await?, "to": moment(offline, to).await?, "views": views })
        );
        return Ok(());
    }
    let labels = Labels::at(offline, &fold).await?;
    for found in &found {
        let count = |wanted: fn(&Change) -> bool| found.changes.iter().filter(|(change, _)| wanted(change)).count();
        line!(
            "{} between {} and {}: {} added, {} removed, {} changed",
            found.view,
            words(offline, from).await?,
            words(offline, to).await?,
            count(|change| change.before.is_none()),
            count(|change| change.after.is_none()),
            count(|change| change.before.is_some() && change.after.is_some()),
        );
        for (change, events) in &found.changes {
            found.print(change, &labels, &opened)?;
            for event in events {
                let actor = event
                    .actor
                    .account()
                    .map_or("Charthouse".to_owned(), |id| labels.of(&id.to_string()));
                line!(
                    "    by {} at {}, {}, {actor}",
                    event.event,
                    event.position,
                    rfc3339(event)
                );
            }
        }
        line!("");
    }
    Ok(())
}

/// Folds on, noting what touches which row, and compares.
async fn differences(fold: &Fold, wanted: &Wanted, to: u64) -> Result<Vec<Differences>, Box<dyn Error>> {
    // The app may have come or gone in between, so it is looked up at both ends.
    let before = whole(fold, wanted).await?;
    let known = app(fold, wanted).await?;
    fold.note_changes(&wanted.views).await?;
    advance(fold, to).await?;
    let after = whole(fold, wanted).await?;
    let app = match app(fold, wanted).await?.or(known) {
        None if wanted.app.is_some() => {
            let name = wanted.app.as_deref().unwrap_or_default();
            return Err(format!("there was no app {name}, or more than one, at either moment").into());
        }
        app => app,
    };
    let mut found = vec![];
    for (before, after) in before.iter().zip(&after) {
        let view = after.view;
        let of_app = after
            .columns
            .iter()
            .position(|column| column.name == "app")
            .filter(|_| app.is_some());
        let is_wanted = |change: &Change| {
            let row = change.after.as_ref().or(change.before.as_ref());
            of_app.is_none_or(|i| row.and_then(|row| row[i].as_str()) == app.as_deref())
        };
        let changes: Vec<_> = before.changes(after).into_iter().filter(is_wanted).collect();
        found.push(Differences {
            view,
            columns: after.columns.clone(),
            changes: explained(fold, view, changes).await?,
        });
    }
    Ok(found)
}

async fn whole(fold: &Fold, wanted: &Wanted) -> Result<Vec<sheets::Sheet>, Box<dyn Error>> {
    let views = wanted.views.clone();
    let read = fold.read(move |conn| {
        views
            .iter()
            .map(|view| sheets::sheet(conn, *view, Narrowing::default()))
            .collect()
    });
    Ok(read.await?)
}

/// The id of the app that is wanted, if exactly one is called so now.
async fn app(fold: &Fold, wanted: &Wanted) -> Result<Option<String>, Box<dyn Error>> {
    let Some(name) = wanted.app.clone() else {
        return Ok(None);
    };
    let found = fold.read(move |conn| sheets::apps_named(conn, &name)).await?;
    Ok(match found.as_slice() {
        [app] => Some(app.to_string()),
        _ => None,
    })
}

/// The changes with the events that made them.
async fn explained(
    fold: &Fold,
    view: View,
    changes: Vec<Change>,
) -> Result<Vec<(Change, Vec<AuditRow>)>, Box<dyn Error>> {
    let read = fold.read(move |conn| {
        let touched = touched::by_row(conn, view)?;
        let mut events = BTreeMap::new();
        for change in &changes {
            for position in touched.get(&change.key).into_iter().flatten() {
                if !events.contains_key(position) {
                    events.extend(audit::entry(conn, *position)?.map(|event| (*position, event)));
                }
            }
        }
        let of = |key: &String| {
            let positions = touched.get(key).into_iter().flatten();
            positions.filter_map(|position| events.get(position).cloned()).collect()
        };
        Ok(changes
            .into_iter()
            .map(|change| {
                let by = of(&change.key);
                (change, by)
            })
            .collect())
    });
    Ok(read.await?)
}

async fn moment(offline: &Offline, size: u64) -> Result<Value, Box<dyn Error>> {
    let time = match size.checked_sub(1) {
        Some(last) => offline.time_of(last).await?,
        None => None,
    };
    Ok(json!({ "events": size, "position": size.checked_sub(1), "time": time }))
}

async fn words(offline: &Offline, size: u64) -> Result<String, Box<dyn Error>> {
    Ok(match size.checked_sub(1) {
        Some(last) => format!("{last} ({})", offline.time_of(last).await?.unwrap_or_default()),
        None => "the beginning".to_owned(),
    })
}

fn rfc3339(event: &AuditRow) -> String {
    event.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

impl Differences {
    /// The columns that differ.
    fn differing<'a>(&'a self, change: &'a Change) -> impl Iterator<Item = (&'static str, &'a Value, &'a Value)> {
        let (before, after) = (change.before.iter().flatten(), change.after.iter().flatten());
        let values = before.zip(after).zip(&self.columns);
        values
            .filter(|((before, after), _)| before != after)
            .map(|((before, after), column)| (column.name, before, after))
    }

    fn print(&self, change: &Change, labels: &Labels, opened: &OpenedTexts) -> io::Result<()> {
        let (sign, row) = match (&change.before, &change.after) {
            (None, Some(row)) => ('+', row),
            (Some(row), None) => ('-', row),
            (_, Some(row)) => ('~', row),
            (None, None) => return Ok(()),
        };
        let brief = row
            .iter()
            .zip(&self.columns)
            .filter(|(value, column)| column.is_brief && !value.is_null());
        let brief: Vec<_> = brief.map(|(value, _)| labels.cell(value, opened)).collect();
        line!("{sign} {}", brief.join("  "));
        for (name, before, after) in self.differing(change) {
            line!(
                "    {name}: {} -> {}",
                labels.cell(before, opened),
                labels.cell(after, opened)
            );
        }
        Ok(())
    }

    fn to_json(&self, opened: &OpenedTexts) -> Value {
        let row = |values: &Vec<Value>| -> Value {
            let members = self.columns.iter().zip(values);
            members
                .map(|(column, value)| (column.name.to_owned(), opened.within(value)))
                .collect()
        };
        let change = |(change, events): &(Change, Vec<AuditRow>)| {
            let what = match (&change.before, &change.after) {
                (None, _) => "added",
                (_, None) => "removed",
                (Some(_), Some(_)) => "changed",
            };
            let fields: Map<_, _> = self
                .differing(change)
                .map(|(name, before, after)| {
                    (
                        name.to_owned(),
                        json!({ "before": opened.within(before), "after": opened.within(after) }),
                    )
                })
                .collect();
            let events: Vec<_> = events
                .iter()
                .map(|event| {
                    json!({
                        "position": event.position,
                        "event": event.event,
                        "at": rfc3339(event),
                        "actor": event.actor.to_string(),
                        "id": event.id,
                    })
                })
                .collect();
            json!({
                "change": what,
                "row": change.after.as_ref().or(change.before.as_ref()).map(row),
                "fields": fields,
                "events": events,
            })
        };
        self.changes.iter().map(change).collect()
    }
}
