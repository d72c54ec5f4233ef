//! Looking for apps in the store: which ones, in what order, and how many on each shelf.

use std::cmp::Ordering;

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
    past::{self, Standing},
    search::Wanted,
    sql::{self, values},
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
    let Standing { epoch, moment } = Standing::of(conn)?;
    let cursors = Cursors::of(&epoch, filter, sort);
    let after = page.after().map(|key| cursors.read(key)).transpose()?;
    let Some(source) = Source::of(Wanted::by(filter)) else {
        return Ok(Page::default());
    };
    let limit = page.limit();
    let ends = Ends { sort, after, limit };
    let mut pick = Statement::default();
    pick.add_live(COLUMNS, &source, moment, Some(&ends));
    let mut found = sql::rows(conn, &pick.sql, pick.values, Listed::read)?;
    if let Some(moment) = moment {
        let mut pick = Statement::default();
        // Most of what was published by then was past by then, too: what cannot come onto the page is not looked at.
        let oldest = found.last().filter(|_| found.len() == limit);
        let oldest = oldest.map(|oldest| oldest.entry.published_position);
        pick.add_past(COLUMNS, &source, moment, oldest, Some(&ends));
        found.extend(sql::rows(conn, &pick.sql, pick.values, Listed::read)?);
        found.sort_by(|one, other| sort.compare(one, other));
    }
    let keyed = |listed: Listed| Keyed {
        key: cursors.key(&listed),
        row: listed.entry,
    };
    Ok(page.page(found.into_iter().map(keyed).collect()))
}

/// The shelves that have apps, with how many of those on them `filter` leaves, whichever shelf it names.
pub fn facets(conn: &Connection, filter: &Filter) -> Result<Vec<Facet>, ViewError> {
    let any_shelf = Filter {
        shelf: Shelf::Any,
        ..filter.clone()
    };
    let mut pick = Statement::default();
    match (Wanted::by(&any_shelf), past::moment(conn)?) {
        (Wanted::Everything, _) => {
            let store = past::whole(conn, "store_entry")?;
            pick.add(&format!("SELECT category FROM {store}"), vec![]);
        }
        (wanted, moment) => {
            let Some(source) = Source::of(wanted) else {
                return Ok(vec![]);
            };
            match moment {
                None => pick.add_live("e.category", &source, None, None),
                Some(moment) => {
                    pick.add_live("e.category", &source, Some(moment), None);
                    pick.add(" UNION ALL ", vec![]);
                    pick.add_past("e.category", &source, moment, None, None);
                }
            }
        }
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

/// Whether the list, or what is counted, may be read in the order of publication.
fn is_by_publication(ends: Option<&Ends>) -> bool {
    ends.is_none_or(|ends| ends.sort == Sort::NewestPublication)
}

/// Where entries are found: in the indexes of words, or among the rows themselves.
struct Source {
    live: Index,
    past: Index,
    /// What is bound in either.
    values: Vec<Value>,
}

struct Index {
    /// With a condition, and with the rows under the name of `e`.
    from: String,
    /// What goes as the publications do, of which each has so many.
    number: Number,
    per_publication: u64,
}

#[derive(Clone, Copy)]
enum Number {
    Itself(&'static str),
    Negative(&'static str),
}

impl Number {
    /// The condition that the number compares so with `bound`.
    fn compares(self, operator: &str, bound: &str) -> String {
        match self {
            Self::Itself(column) => format!("{column} {operator} {bound}"),
            Self::Negative(column) => format!("-({bound}) {operator} {column}"),
        }
    }

    fn newest_first(self) -> String {
        match self {
            Self::Itself(column) => format!("{column} DESC"),
            Self::Negative(column) => column.to_owned(),
        }
    }
}

impl Source {
    /// `None` if nothing is wanted.
    fn of(wanted: Wanted) -> Option<Self> {
        match wanted {
            Wanted::Nothing => None,
            Wanted::Everything => Some(Self::rows("true", vec![])),
            Wanted::Shelf(None) => Some(Self::rows("e.category IS NULL", vec![])),
            Wanted::Shelf(Some(category)) => Some(Self::rows("e.category = ?", values![category])),
            Wanted::Matching(words) => Some(Self::words(&words)),
        }
    }

    fn rows(condition: &str, values: Vec<Value>) -> Self {
        let index = |table: &str| Index {
            from: format!("main.{table} e WHERE {condition}"),
            number: Number::Itself("e.published"),
            per_publication: 1,
        };
        Self {
            live: index("store_entry"),
            past: index("store_entry_history"),
            values,
        }
    }

    fn words(words: &str) -> Self {
        let live =
            "main.store_text t CROSS JOIN main.store_entry e ON e.published = -t.rowid WHERE t.store_text MATCH ?";
        let past = "main.past_store_text t CROSS JOIN main.store_entry_history e ON e.place = -t.rowid
                    WHERE t.past_store_text MATCH ?";
        let index = |from: &str, per_publication| Index {
            from: from.to_owned(),
            number: Number::Negative("t.rowid"),
            per_publication,
        };
        Self {
            live: index(live, 1),
            past: index(past, ROWS_PER_PUBLICATION),
            values: values![words],
        }
    }
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

    fn add_after(&mut self, sort: Sort, number: Number, after: Option<&After>) {
        let Some(After { position, name }) = after else {
            return;
        };
        match sort {
            Sort::NewestPublication => self.add(&format!(" AND {}", number.compares("<", "?")), values![*position]),
            Sort::Name => self.add(
                " AND e.name >= ? AND (e.name > ? OR e.published > ?)",
                values![name, name, *position],
            ),
            Sort::LastUpdate => self.add(" AND e.valid_from < ?", values![*position]),
        }
    }

    /// The live entries; if a moment is asked about, those that were so then.
    fn add_live(&mut self, columns: &str, source: &Source, moment: Option<u64>, ends: Option<&Ends>) {
        let Index { from, number, .. } = &source.live;
        self.add(&format!("SELECT {columns} FROM {from}"), source.values.clone());
        if let Some(moment) = moment {
            self.add(" AND e.valid_from <= ?", values![moment]);
            if is_by_publication(ends) {
                self.add(&format!(" AND {}", number.compares("<=", "?")), values![moment]);
            }
        }
        self.add_ends(*number, 1, ends);
    }

    /// The entries of a moment that are past by now; of those in the order of publication none that was published before
    /// `oldest`.
    fn add_past(&mut self, columns: &str, source: &Source, moment: u64, oldest: Option<u64>, ends: Option<&Ends>) {
        let Index {
            from,
            number,
            per_publication,
        } = &source.past;
        self.add(&format!("SELECT {columns} FROM {from}"), source.values.clone());
        self.add(" AND e.valid_to > ? AND e.valid_from <= ?", values![moment, moment]);
        if is_by_publication(ends) {
            let beyond = moment.saturating_add(1).saturating_mul(*per_publication);
            self.add(&format!(" AND {}", number.compares("<", "?")), values![beyond]);
            if let Some(oldest) = oldest {
                let first = oldest.saturating_mul(*per_publication);
                self.add(&format!(" AND {}", number.compares(">=", "?")), values![first]);
            }
        }
        self.add_ends(*number, *per_publication, ends);
    }

    /// `number` of the index, of which each publication has `per_publication`, goes as the publications do.
    fn add_ends(&mut self, number: Number, per_publication: u64, ends: Option<&Ends>) {
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
    /// `number` is what goes as the publications do.
    fn order(self, number: Number) -> String {
        match self {
            Self::NewestPublication => number.newest_first(),
            Self::Name => "e.name, e.published".to_owned(),
            Self::LastUpdate => "e.valid_from DESC".to_owned(),
        }
    }

    /// The same order.
    fn compare(self, one: &Listed, other: &Listed) -> Ordering {
        let published = |listed: &Listed| listed.entry.published_position;
        let updated = |listed: &Listed| listed.entry.updated_position;
        match self {
            Self::NewestPublication => published(other).cmp(&published(one)),
            Self::Name => (&one.name, published(one)).cmp(&(&other.name, published(other))),
            Self::LastUpdate => updated(other).cmp(&updated(one)),
        }
    }
}
