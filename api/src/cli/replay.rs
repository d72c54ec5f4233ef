//! `charthouse replay`: any view as it was at any moment, folded again from the log.

mod difference;
mod labels;

use std::{error::Error, io};

use clap::Args;
use projections::{
    replay::Replay as Fold,
    sheets::{self, Narrowing, Sheet, View},
};
use serde_json::{Map, Value, json};

use self::labels::Labels;
use super::{
    moment::At,
    offline::{Offline, OpenedTexts, Telling},
    table::{self, line},
};
use crate::config::DataFolder;

#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    data: DataFolder,
    /// The moment: a position of the log, a time such as 2026-03-03T12:00:00Z, a day (its end, in UTC), or now
    #[arg(long, value_name = "MOMENT", required_unless_present = "diff")]
    at: Option<At>,
    /// Two moments: what changed between them, and by which events
    #[arg(long, num_args = 2, value_names = ["MOMENT", "MOMENT"], conflicts_with = "at")]
    diff: Option<Vec<At>>,
    /// store, apps, versions, reviewQueue, categories, workspaces, projects, clusters, accounts, roles, grants, releases,
    /// revisions, audit or decisions; or app and its name (or id) for one app and its versions
    #[arg(long, num_args = 1..=2, value_names = ["VIEW", "NAME"], default_value = "store")]
    view: Vec<String>,
    /// Print JSON, with all that the view holds
    #[arg(long)]
    json: bool,
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    views: Vec<View>,
    /// The one app it is about, by name or id.
    app: Option<String>,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Self, Box<dyn Error>> {
        match words {
            [view] if view == "app" => Err("name the app: --view app NAME".into()),
            [view, app] if view == "app" => Ok(Self {
                views: vec![View::Apps, View::Versions],
                app: Some(app.clone()),
            }),
            [view] => Ok(Self {
                views: vec![view.parse()?],
                app: None,
            }),
            [view, app] => {
                let view: View = view.parse()?;
                match view.is_about_apps() {
                    true => Ok(Self {
                        views: vec![view],
                        app: Some(app.clone()),
                    }),
                    false => Err(format!("the view {view} cannot be narrowed to one app").into()),
                }
            }
            _ => Err("name one view".into()),
        }
    }
}

impl Replay {
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let wanted = Wanted::parse(&self.view)?;
        let offline = Offline::open(&self.data).await?;
        match self.diff.as_deref() {
            Some([from, to]) => {
                let (from, to) = (from.size(&offline).await?, to.size(&offline).await?);
                difference::show(&offline, &wanted, from, to, self.json).await
            }
            _ => {
                let size = self.at.unwrap_or(At::Now).size(&offline).await?;
                show(&offline, &wanted, size, self.json).await
            }
        }
    }
}

/// Views that were folded up to one moment.
async fn folded(offline: &Offline, size: u64) -> Result<Fold, Box<dyn Error>> {
    let fold = Fold::start(&offline.scratch.path().join("replay.db"), &offline.log, &offline.blobs)?;
    advance(&fold, size).await?;
    Ok(fold)
}

async fn advance(fold: &Fold, size: u64) -> Result<(), Box<dyn Error>> {
    let _telling = Telling::of(fold.progress(), size);
    Ok(fold.advance(size).await?)
}

/// The views that are wanted, as they are where the fold has come to.
async fn read(fold: &Fold, wanted: &Wanted) -> Result<Vec<Sheet>, Box<dyn Error>> {
    let Wanted { views, app } = wanted.clone();
    let found = fold.read(move |conn| {
        let app = match &app {
            Some(name) => match sheets::apps_named(conn, name)?.as_slice() {
                [app] => Ok(Some(*app)),
                several => Err(several.len()),
            },
            None => Ok(None),
        };
        let read = |app| {
            views
                .iter()
                .map(move |view| sheets::sheet(conn, *view, Narrowing { app }))
                .collect()
        };
        app.map(read)
            .map_or_else(|found| Ok(Err(found)), |sheets: Result<Vec<_>, _>| sheets.map(Ok))
    });
    found.await?.map_err(|found| {
        let name = wanted.app.as_deref().unwrap_or_default();
        match found {
            0 => format!("there was no app {name} at that moment"),
            _ => format!("{found} apps were called {name} at that moment; name one by its id (see --view apps --json)"),
        }
        .into()
    })
}

async fn show(offline: &Offline, wanted: &Wanted, size: u64, json: bool) -> Result<(), Box<dyn Error>> {
    let fold = folded(offline, size).await?;
    let sheets = read(&fold, wanted).await?;
    let time = match size.checked_sub(1) {
        Some(last) => offline.time_of(last).await?,
        None => None,
    };
    let values = sheets.iter().flat_map(|sheet| &sheet.rows).flat_map(|row| &row.values);
    let opened = offline.open_all(values).await?;
    if json {
        let views: Map<_, _> = sheets.iter().map(|sheet| named_rows(sheet, &opened)).collect();
        line!(
            "{}",
            json!({ "events": size, "position": size.checked_sub(1), "time": time, "views": views })
        );
        return Ok(());
    }
    let labels = Labels::at(offline, &fold).await?;
    for sheet in &sheets {
        let moment = match (size.checked_sub(1), &time) {
            (Some(position), Some(time)) => format!("after the event at {position}, {time}"),
            _ => "before the first event".to_owned(),
        };
        line!("{} {moment}: {}", sheet.view, rows(sheet.rows.len()));
        print_sheet(sheet, &labels, &opened)?;
        line!("");
    }
    Ok(())
}

fn rows(count: usize) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}

/// The sheet as JSON, under the name of its view.
fn named_rows(sheet: &Sheet, opened: &OpenedTexts) -> (String, Value) {
    let row = |values: &[Value]| -> Value {
        let members = sheet.columns.iter().zip(values);
        members
            .map(|(column, value)| (column.name.to_owned(), opened.within(value)))
            .collect()
    };
    let rows = sheet.rows.iter().map(|found| row(&found.values)).collect();
    (sheet.view.to_string(), rows)
}

fn print_sheet(sheet: &Sheet, labels: &Labels, opened: &OpenedTexts) -> io::Result<()> {
    let brief: Vec<_> = (0..sheet.columns.len())
        .filter(|i| sheet.columns[*i].is_brief)
        .collect();
    let headings: Vec<_> = brief.iter().map(|i| sheet.columns[*i].name).collect();
    let cells = |row: &sheets::Row| brief.iter().map(|i| labels.cell(&row.values[*i], opened)).collect();
    let rows: Vec<Vec<String>> = sheet.rows.iter().map(cells).collect();
    match rows.is_empty() {
        true => Ok(()),
        false => table::print(&headings, &rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_named_alone_or_with_an_app() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let app = Wanted::parse(&words("app redis")).unwrap();
        assert_eq!(
            (app.views, app.app.as_deref()),
            (vec![View::Apps, View::Versions], Some("redis"))
        );
        assert_eq!(
            Wanted::parse(&words("decisions redis")).unwrap().views,
            [View::Decisions]
        );
        for refused in ["app", "workspaces redis", "shop", "store a b"] {
            assert!(Wanted::parse(&words(refused)).is_err(), "{refused}");
        }
    }
}
