//! What people call the things that ids stand for.

use std::{collections::BTreeMap, error::Error};

use projections::{
    replay::Replay as Fold,
    sheets::{self, Narrowing, View},
};
use serde_json::Value;
use uuid::Uuid;

use super::super::{
    offline::{Offline, OpenedTexts},
    table::{self, shown},
};

#[derive(Debug, Default)]
pub struct Labels(BTreeMap<Uuid, String>);

impl Labels {
    /// Names as they were where the fold has come to; people's as far as they can be unsealed today.
    pub async fn at(offline: &Offline, fold: &Fold) -> Result<Self, Box<dyn Error>> {
        let (mut names, accounts) = fold
            .read(|conn| {
                let accounts = sheets::sheet(conn, View::Accounts, Narrowing::default())?;
                Ok((sheets::names(conn)?, accounts))
            })
            .await?;
        let column = |name| accounts.columns.iter().position(|column| column.name == name);
        if let (Some(name), Some(id)) = (column("name"), column("account")) {
            let opened = offline
                .open_all(accounts.rows.iter().map(|row| &row.values[name]))
                .await?;
            for row in &accounts.rows {
                let id = row.values[id].as_str().and_then(|id| id.parse().ok());
                if let (Some(id), Some(name)) = (id, opened.of(&row.values[name])) {
                    names.insert(id, name.words());
                }
            }
        }
        Ok(Self(names))
    }

    /// A value as a person reads it.
    pub fn cell(&self, value: &Value, opened: &OpenedTexts) -> String {
        if let Some(text) = opened.of(value) {
            return shown(&text.words());
        }
        match value {
            Value::String(text) => self.of(text),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| match self.cell(value, opened) {
                    inner if value.is_object() && opened.of(value).is_none() => format!("{name}=({inner})"),
                    inner => format!("{name}={inner}"),
                });
                members.collect::<Vec<_>>().join(" ")
            }
            Value::Array(items) => items
                .iter()
                .map(|item| self.cell(item, opened))
                .collect::<Vec<_>>()
                .join(" "),
            value => table::cell(value),
        }
    }

    /// What `text` stands for, if it is the id of something that has a name.
    pub fn of(&self, text: &str) -> String {
        let named = text.parse().ok().and_then(|id: Uuid| self.0.get(&id));
        shown(named.map_or(text, String::as_str))
    }
}
