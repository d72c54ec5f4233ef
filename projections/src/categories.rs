//! Categories: the shelves of the store, with how many apps stand on them.

use std::collections::HashMap;

use domain::{
    category::Event,
    ids::CategoryId,
    names::{CategoryName, IconName},
};
use rusqlite::{Connection, Transaction, types::Value};

use crate::{
    error::ViewError,
    fact::Fact,
    lookup::{self, Lookup},
    moment::{self, Changes, Kept},
    past,
    sql::{self, Columns, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE category (
    id         BLOB NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    icon       TEXT NOT NULL,
    created    INTEGER NOT NULL,
    valid_from INTEGER NOT NULL
) WITHOUT ROWID;
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub id: CategoryId,
    pub name: CategoryName,
    pub icon: IconName,
    /// The position it was created at.
    pub created: u64,
}

/// A category, and how many apps the store shows in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub category: Category,
    pub apps: u64,
}

const SELECT: &str = "SELECT id, name, icon, created FROM category";

/// All categories, by name.
pub fn all(conn: &Connection) -> Result<Vec<Counted>, ViewError> {
    let store = past::whole(conn, "store_entry")?;
    let sql = format!(
        "SELECT id, name, icon, created, coalesce(apps, 0) FROM category
         LEFT JOIN (SELECT category, count(*) AS apps FROM {store} GROUP BY category) ON category = id
         ORDER BY name COLLATE NOCASE, id"
    );
    let counted = |c: &mut Columns<'_, '_>| {
        Ok(Counted {
            category: Category::read(c)?,
            apps: c.take()?,
        })
    };
    Ok(sql::rows(conn, &sql, vec![], counted)?)
}

/// How many apps the store shows that have no category.
pub fn uncategorised(conn: &Connection) -> Result<u64, ViewError> {
    let store = past::whole(conn, "store_entry")?;
    let sql = format!("SELECT count(*) FROM {store} WHERE category IS NULL");
    Ok(sql::first(conn, &sql, vec![], sql::value)?.unwrap_or_default())
}

/// A category that is not deleted.
pub fn category(conn: &Connection, id: CategoryId) -> Result<Option<Category>, ViewError> {
    Ok(live(conn, id)?)
}

impl Lookup for CategoryId {
    type Row = Category;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, Category>, ViewError> {
        lookup::by_id(conn, &format!("{SELECT} WHERE id"), ids, Category::read, |category| {
            category.id
        })
    }
}

/// How many apps the store shows in a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AppsIn(pub CategoryId);

impl Lookup for AppsIn {
    type Row = u64;

    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, u64>, ViewError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let sql = "SELECT id, (SELECT count(*) FROM store_entry e WHERE e.category = id) FROM category
                   WHERE id IN (SELECT unhex(value) FROM json_each(?))";
        let counted = |c: &mut Columns<'_, '_>| Ok((Self(c.take()?), c.take()?));
        Ok(sql::rows(conn, sql, vec![lookup::list(&ids)], counted)?
            .into_iter()
            .collect())
    }
}

fn live(conn: &Connection, id: CategoryId) -> rusqlite::Result<Option<Category>> {
    sql::first(conn, &format!("{SELECT} WHERE id = ?"), values![id], Category::read)
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<Category>(conn)
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<(), ViewError> {
    let id: CategoryId = fact.subject()?;
    let before = live(tx, id)?;
    let after = match event {
        Event::CategoryCreated { name, icon } => Some(Category {
            id,
            name: name.clone(),
            icon: icon.clone(),
            created: fact.position,
        }),
        Event::CategoryEdited { name, icon } => {
            let edited = |before| Category {
                name: name.clone(),
                icon: icon.clone(),
                ..before
            };
            before.clone().map(edited)
        }
        // Which shelf an app stands on is told by the app.
        Event::AppShelved { .. } | Event::AppUnshelved { .. } => before.clone(),
        Event::CategoryDeleted {} => None,
    };
    let mut changes = Changes::default();
    changes.replace(fact.position, before.as_ref(), after);
    Ok(changes.write(tx)?)
}

impl Category {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            name: columns.take()?,
            icon: columns.take()?,
            created: columns.take()?,
        })
    }
}

impl Kept for Category {
    type Key = CategoryId;

    const TABLE: &'static str = "category";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [&'static str] = &["name", "icon", "created"];
    const PAST_KEYS: &'static [&'static str] = &["id"];

    moment::statements!();

    fn key(&self) -> CategoryId {
        self.id
    }

    fn key_values(id: &CategoryId) -> Vec<Value> {
        values![*id]
    }

    fn values(&self) -> Vec<Value> {
        values![self.name, self.icon, self.created]
    }
}
