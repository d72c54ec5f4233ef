//! Looking for apps in the store: which ones, in what order, and how many on each shelf.

use domain::ids::{CategoryId, WorkspaceId};
use rusqlite::{Connection, types::Value};

use super::{
    COLUMNS, Entry, Listed,
    cursor::{After, Cursors},
    row::ROWS_PER_PUBLICATION,
};
use crate::{
    error::ViewError,
    page::{Keyed, Page, PageRequest},
    past,
    search::Wanted,
    sql::{self, ToColumn, values},
};

/// Which apps to list: those that fit all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// All words of it occur in name, summary, keywords or README, the last one as the beginning of a word. Every text is
    /// allowed: one without a word in it finds nothing, and an empty one everything.
    pub text: Option<String>,
    pub shelf: Shelf,
    pub workspace: Option<WorkspaceId>,
    /// The whole name of somebody whom the listing names as a maintainer, whatever its letters' case.
    pub maintainer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shelf {
    #[default]
    Any,
    Category(CategoryId),
    Uncategorised,
}

/// What apps are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The newest publication first.
    #[default]
    NewestPublication,
    /// The display name, whatever its letters' case.
    Name,
    /// What changed last in the store first.
    LastUpdate,
}

/// How many apps stand on a shelf of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facet {
    /// `None` is the shelf of the uncategorised.
    pub category: Option<CategoryId>,
    pub apps: u64,
}

/// The apps that `filter` leaves, a page at a time.
///
/// A page goes on after the place of the last row of the one before: an app that stays what it is is shown exactly once,
/// whatever happens to the others meanwhile.
///
/// # Errors
///
/// [`ViewError::InvalidKey`] and [`ViewError::ForeignKey`] of a place that is not of this list.
pub fn list(conn: &Connection, filter: &Filter, sort: Sort, page: &PageRequest) -> Result<Page<Entry>, ViewError> {
    let cursors = Cursors::of(conn, filter, sort)?;
    let after = page.after().map(|key| cursors.read(key)).transpose()?;
    let mut pick = Statement::default();
    let limit = page.limit();
    let ends = Ends { sort, after, limit };
    match (Wanted::by(filter), past::moment(conn)?) {
        (Wanted::Nothing, _) => return Ok(Page::default()),
        (Wanted::Everything, moment) => pick.add_rows("true", vec![], moment, &ends),
        (Wanted::Shelf(shelf), moment) => match shelf {
            Some(category) => pick.add_rows("e.category = ?", values![category], moment, &ends),
            None => pick.add_rows("e.category IS NULL", vec![], moment, &ends),
        },
        (Wanted::Matching(words), None) => pick.add_live(COLUMNS, &words, None, Some(&ends)),
        (Wanted::Matching(words), Some(moment)) => {
            pick.add("SELECT * FROM (", vec![]);
            pick.add_at(COLUMNS, &words, moment, Some(&ends));
            pick.add(
                &format!(") e ORDER BY {} LIMIT {limit}", sort.order("e.published")),
                vec![],
            );
        }
    }
    let found = sql::rows(conn, &pick.sql, pick.values, |columns| {
        let listed = Listed::read(columns)?;
        Ok(Keyed {
            key: cursors.key(&listed),
            row: listed.entry,
        })
    })?;
    Ok(page.page(found))
}

/// The shelves that have apps, with how many of those on them `filter` leaves, whichever shelf it names.
pub fn facets(conn: &Connection, filter: &Filter) -> Result<Vec<Facet>, ViewError> {
    let any_shelf = Filter {
        shelf: Shelf::Any,
        ..filter.clone()
    };
    let mut pick = Statement::default();
    match (Wanted::by(&any_shelf), past::moment(conn)?) {
        (Wanted::Nothing, _) => return Ok(vec![]),
        (Wanted::Everything | Wanted::Shelf(_), _) => {
            let store = past::whole(conn, "store_entry")?;
            pick.add(&format!("SELECT category FROM {store}"), vec![]);
        }
        (Wanted::Matching(words), None) => pick.add_live("e.category", &words, None, None),
        (Wanted::Matching(words), Some(moment)) => pick.add_at("e.category", &words, moment, None),
    }
    let sql = format!("SELECT category, count(*) FROM ({}) GROUP BY category", pick.sql);
    Ok(sql::rows(conn, &sql, pick.values, |c| {
        Ok(Facet {
            category: c.take()?,
            apps: c.take()?,
        })
    })?)
}

/// Which rows of a list a page may show.
struct Ends {
    sort: Sort,
    after: Option<After>,
    limit: usize,
}

/// A statement as it grows, with what is bound in it.
#[derive(Default)]
struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    fn add(&mut self, sql: &str, values: Vec<Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    /// `published` is where the publication is read from.
    fn add_after(&mut self, sort: Sort, published: &str, after: Option<&After>) {
        let Some(After { position, name }) = after else {
            return;
        };
        match sort {
            Sort::NewestPublication => self.add(&format!(" AND {published} < ?"), values![*position]),
            Sort::Name => self.add(
                " AND e.name >= ? AND (e.name > ? OR e.published > ?)",
                values![name, name, *position],
            ),
            Sort::LastUpdate => self.add(" AND e.valid_from < ?", values![*position]),
        }
    }

    /// The entries under a condition that needs no words.
    fn add_rows(&mut self, condition: &str, values: Vec<Value>, moment: Option<u64>, ends: &Ends) {
        self.add(&format!("SELECT {COLUMNS} FROM store_entry e WHERE {condition}"), values);
        if let Some(moment) = moment {
            // From there on, what was published later is not passed over.
            self.add(" AND e.published <= ?", values![moment]);
        }
        self.add_ends("e.published", 1, Some(ends));
    }

    /// The live entries that match `words`; if a moment is asked about, those that were so then.
    fn add_live(&mut self, columns: &str, words: &str, moment: Option<u64>, ends: Option<&Ends>) {
        self.add(
            &format!(
                "SELECT {columns} FROM main.store_text t CROSS JOIN main.store_entry e
                 ON e.published = t.rowid WHERE t.store_text MATCH ?"
            ),
            values![words],
        );
        if let Some(moment) = moment {
            self.add(" AND t.rowid <= ? AND e.valid_from <= ?", values![moment, moment]);
        }
        self.add_ends("t.rowid", 1, ends);
    }

    /// The entries that matched `words` at a moment: those that are live still, and those that are past.
    fn add_at(&mut self, columns: &str, words: &str, moment: u64, ends: Option<&Ends>) {
        self.add("SELECT * FROM (", vec![]);
        self.add_live(columns, words, Some(moment), ends);
        self.add(")", vec![]);
        let beyond = moment.saturating_add(1).saturating_mul(ROWS_PER_PUBLICATION);
        self.add(
            &format!(
                " UNION ALL SELECT * FROM (SELECT {columns} FROM main.past_store_text t CROSS JOIN main.store_entry_history e
                 ON e.place = t.rowid AND e.valid_to > ? AND e.valid_from <= ? WHERE t.past_store_text MATCH ? AND t.rowid < ?"
            ),
            vec![moment.to_value(), moment.to_value(), words.to_value(), beyond.to_value()],
        );
        self.add_ends("t.rowid", ROWS_PER_PUBLICATION, ends);
        self.add(")", vec![]);
    }

    /// `number` of the index, of which each publication has `per_publication`, goes as the publications do.
    fn add_ends(&mut self, number: &str, per_publication: u64, ends: Option<&Ends>) {
        let Some(Ends { sort, after, limit }) = ends else {
            return;
        };
        let after = after.as_ref().map(|after| match sort {
            Sort::NewestPublication => After {
                position: after.position.saturating_mul(per_publication),
                ..after.clone()
            },
            Sort::Name | Sort::LastUpdate => after.clone(),
        });
        self.add_after(*sort, number, after.as_ref());
        self.add(&format!(" ORDER BY {} LIMIT {limit}", sort.order(number)), vec![]);
    }
}

impl Sort {
    /// `published` is what goes as the publications do.
    fn order(self, published: &str) -> String {
        match self {
            Self::NewestPublication => format!("{published} DESC"),
            Self::Name => "e.name, e.published".to_owned(),
            Self::LastUpdate => "e.valid_from DESC".to_owned(),
        }
    }
}
