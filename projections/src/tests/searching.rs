//! The store against a model of it that knows no index: it looks through everything.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    app::{self, Authority},
    content,
    digest::Digest,
    listing::{Listing, Maintainer},
};
use proptest::{option, prelude::*, sample};

use super::world::*;
use crate::{
    Key, Moment, PageRequest, ViewError,
    storefront::{self, Entry, Filter, Shelf, Sort},
};

const APPS: u128 = 4;
const WORDS: [&str; 5] = ["fast", "faster", "store", "queue", "containerised"];
const PEOPLE: [&str; 3] = ["Ada", "Ada Lovelace", "grace"];
const SORTS: [Sort; 3] = [Sort::NewestPublication, Sort::Name, Sort::LastUpdate];

#[derive(Debug, Clone)]
enum Step {
    Publish { major: u8, listing: usize, readme: usize },
    Categorise(Option<u128>),
    Suspend,
    Resume,
    Move(u128),
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let publish = || {
        (1..=2_u8, 0..WORDS.len(), 0..WORDS.len()).prop_map(|(major, listing, readme)| Step::Publish {
            major,
            listing,
            readme,
        })
    };
    let step = prop_oneof![
        4 => publish(),
        2 => option::of(1..=2_u128).prop_map(Step::Categorise),
        1 => Just(Step::Suspend),
        2 => Just(Step::Resume),
        1 => (1..=2_u128).prop_map(Step::Move),
        1 => (0..2 * WORDS.len()).prop_map(Step::Remove),
    ];
    proptest::collection::vec((1..=APPS, step), 1..16)
}

fn filters() -> impl Strategy<Value = Filter> {
    let texts = [
        "",
        "f",
        "fast",
        "fa",
        "store fast",
        "queue c",
        "containeri",
        "containerise",
        "app",
        "none",
        "Ada",
        "…",
    ];
    let shelves = [
        Shelf::Any,
        Shelf::Any,
        Shelf::Category(category(1)),
        Shelf::Category(category(2)),
        Shelf::Uncategorised,
    ];
    let workspace = option::weighted(0.3, (1..=2_u128).prop_map(workspace));
    let maintainer = option::weighted(0.3, sample::select(vec!["ADA ", "ada lovelace", "Lovelace", "Grace"]));
    let (text, shelf) = (sample::select(texts.to_vec()), sample::select(shelves.to_vec()));
    (text, shelf, workspace, maintainer).prop_map(|(text, shelf, workspace, maintainer)| Filter {
        text: Some(text.to_owned()),
        shelf,
        workspace,
        maintainer: maintainer.map(str::to_owned),
    })
}

/// What the model knows of an app: everything, in plain fields.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    app: u128,
    workspace: u128,
    category: Option<u128>,
    /// Its number in the list of listings.
    listing: usize,
    /// Of the highest version: its numbers, and the word in its README.
    latest: (u8, u64, usize),
    published: u64,
}

#[derive(Default, Clone)]
struct Plain {
    workspace: u128,
    category: Option<u128>,
    listing: usize,
    versions: Vec<(u8, u64, usize)>,
    published: u64,
    suspended: bool,
}

impl Plain {
    fn shown(&self, app: u128) -> Option<Shown> {
        let latest = *self.versions.iter().max()?;
        (!self.suspended).then_some(Shown {
            app,
            workspace: self.workspace,
            category: self.category,
            listing: self.listing,
            latest,
            published: self.published,
        })
    }
}

/// Entries with the position each last changed at.
type Store = BTreeMap<u128, (Shown, u64)>;

struct Model {
    world: World,
    listings: Vec<Digest>,
    plain: BTreeMap<u128, Plain>,
    now: Store,
    /// What the store showed after each event that changed it.
    then: Vec<(u64, Store)>,
    removed: BTreeSet<usize>,
}

fn display_name(n: usize) -> String {
    format!("{} {}", if n.is_multiple_of(2) { "Zeta" } else { "alpha" }, WORDS[n])
}

impl Model {
    async fn new() -> Self {
        let mut world = World::new().await;
        let mut listings = Vec::new();
        for (n, word) in WORDS.iter().enumerate() {
            let person = |name: &str| Maintainer {
                name: name.to_owned(),
                email: None,
                url: None,
            };
            let listing = Listing {
                display_name: display_name(n),
                summary: format!("{} things", WORDS[(n + 1) % WORDS.len()]),
                keywords: vec![(*word).to_owned(), "kept".to_owned()],
                maintainers: vec![person(PEOPLE[n % 3])],
                ..Listing::default()
            };
            listings.push(world.put(&serde_json::to_value(listing).unwrap()).await);
        }
        for id in 1..=APPS {
            world.upload_app(id, &format!("app-{id}")).await;
        }
        let plain = |id| {
            (
                id,
                Plain {
                    workspace: 1,
                    ..Plain::default()
                },
            )
        };
        Self {
            world,
            listings,
            plain: (1..=APPS).map(plain).collect(),
            now: Store::new(),
            then: Vec::new(),
            removed: BTreeSet::new(),
        }
    }

    async fn take(&mut self, id: u128, step: &Step) {
        let mut plain = self.plain[&id].clone();
        match step {
            Step::Publish { major, listing, readme } => {
                let minor = self.world.size;
                let version = format!("{major}.{minor}.0");
                let package = self.world.package(&format!("app-{id}"), &version, WORDS[*readme]).await;
                let uploaded = app::Event::VersionUploaded {
                    version: number(&version),
                    package: package.clone(),
                };
                self.world.app(AUTHOR, id, uploaded).await;
                plain.published = self
                    .world
                    .publish(id, &version, &package, self.listings[*listing])
                    .await;
                plain.listing = *listing;
                plain.versions.push((*major, minor, *readme));
            }
            Step::Categorise(shelf) => {
                let category = shelf.map(category);
                self.world
                    .app(AUTHOR, id, app::Event::CategoryAssigned { category })
                    .await;
                plain.category = *shelf;
            }
            Step::Suspend => {
                let (version, authority, reason) = (None, Authority::Store, None);
                let suspended = app::Event::Suspended {
                    version,
                    authority,
                    reason,
                };
                self.world.app(REVIEWER, id, suspended).await;
                plain.suspended = true;
            }
            Step::Resume => {
                self.world
                    .app(REVIEWER, id, app::Event::Resumed { version: None })
                    .await;
                plain.suspended = false;
            }
            Step::Move(to) => {
                let moved = app::Event::AppMoved {
                    workspace: workspace(*to),
                };
                self.world.app(AUTHOR, id, moved).await;
                plain.workspace = *to;
            }
            Step::Remove(listing) => {
                if let Some(digest) = self.listings.get(*listing).copied() {
                    let stream = format!("content-{}", content::Content::key(digest));
                    let removed = content::Event::ContentRemoved { digest, reason: None };
                    self.removed.insert(*listing);
                    self.world.record(REVIEWER, &stream, &removed).await;
                    let digest = eventstore::Digest::from_bytes(*digest.as_bytes());
                    self.world.blobs.remove(&digest).await.unwrap();
                }
            }
        }
        let position = self.world.size - 1;
        let shown = plain.shown(id);
        if shown.as_ref() != self.now.get(&id).map(|(shown, _)| shown) {
            self.now.remove(&id);
            self.now.extend(shown.map(|shown| (id, (shown, position))));
        }
        self.plain.insert(id, plain);
        self.then.push((position, self.now.clone()));
    }

    fn fits(&self, shown: &Shown, filter: &Filter) -> bool {
        let shelf = match filter.shelf {
            Shelf::Any => true,
            Shelf::Category(id) => shown.category.map(category) == Some(id),
            Shelf::Uncategorised => shown.category.is_none(),
        };
        let is_there = !self.removed.contains(&shown.listing);
        let maintainer = filter
            .maintainer
            .as_ref()
            .is_none_or(|name| is_there && PEOPLE[shown.listing % 3].to_lowercase() == name.trim().to_lowercase());
        let mut text = format!("app-{} {}", shown.app, WORDS[shown.latest.2]);
        if is_there {
            let n = shown.listing;
            text += &format!(
                " {} {} things {} kept",
                display_name(n),
                WORDS[(n + 1) % WORDS.len()],
                WORDS[n]
            );
        }
        shelf
            && maintainer
            && filter.workspace.is_none_or(|id| id == workspace(shown.workspace))
            && contains(&text, filter.text.as_deref().unwrap_or_default())
    }

    fn expected(&self, store: &Store, filter: &Filter, sort: Sort) -> Vec<u128> {
        let mut found: Vec<_> = store.values().filter(|(shown, _)| self.fits(shown, filter)).collect();
        let name = |shown: &Shown| match self.removed.contains(&shown.listing) {
            true => format!("app-{}", shown.app),
            false => display_name(shown.listing).to_lowercase(),
        };
        match sort {
            Sort::NewestPublication => found.sort_by_key(|(shown, _)| std::cmp::Reverse(shown.published)),
            Sort::Name => found.sort_by_key(|(shown, _)| (name(shown), shown.published)),
            Sort::LastUpdate => found.sort_by_key(|(_, updated)| std::cmp::Reverse(*updated)),
        }
        found.into_iter().map(|(shown, _)| shown.app).collect()
    }

    fn expected_facets(&self, store: &Store, filter: &Filter) -> Vec<(Option<u128>, u64)> {
        let any = Filter {
            shelf: Shelf::Any,
            ..filter.clone()
        };
        let mut counts = BTreeMap::new();
        for (shown, _) in store.values().filter(|(shown, _)| self.fits(shown, &any)) {
            *counts.entry(shown.category).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    async fn page(
        &self,
        moment: Moment,
        filter: &Filter,
        sort: Sort,
        request: PageRequest,
    ) -> (Vec<Entry>, Option<Key>) {
        self.world.views.reached(self.world.size).await;
        let filter = filter.clone();
        let question = move |conn: &rusqlite::Connection| storefront::list(conn, &filter, sort, &request);
        let page = self.world.views.read_at(moment, question).await.unwrap();
        let after = page.items.last().map(|item| item.key.clone()).filter(|_| page.has_next);
        (page.items.into_iter().map(|item| item.row).collect(), after)
    }

    async fn agrees(&self, moment: Moment, store: &Store, filter: &Filter) -> Result<(), TestCaseError> {
        for sort in SORTS {
            for size in [1, 3] {
                let (mut walked, mut after) = (Vec::new(), None);
                loop {
                    let (rows, next) = self.page(moment, filter, sort, PageRequest::new(size, after)).await;
                    walked.extend(rows.iter().map(|row| row.app));
                    after = next;
                    if after.is_none() {
                        break;
                    }
                }
                let expected: Vec<_> = self.expected(store, filter, sort).into_iter().map(app).collect();
                prop_assert_eq!(walked, expected, "{:?} {:?} by {:?}", moment, filter, sort);
            }
        }
        let wanted = filter.clone();
        let facets = move |conn: &rusqlite::Connection| storefront::facets(conn, &wanted);
        let facets = self.world.views.read_at(moment, facets).await.unwrap();
        let facets: Vec<_> = facets.into_iter().map(|facet| (facet.category, facet.apps)).collect();
        let expected = self.expected_facets(store, filter);
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(shelf, apps)| (shelf.map(category), apps))
            .collect();
        prop_assert_eq!(facets, expected, "{:?} {:?}", moment, filter);
        Ok(())
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let split = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        split.map(str::to_lowercase).collect()
    };
    let (have, mut wanted_words) = (words(text), words(wanted));
    let Some(last) = wanted_words.pop() else {
        return wanted.trim().is_empty();
    };
    wanted_words.iter().all(|word| have.contains(word)) && have.iter().any(|word| word.starts_with(&last))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_found_now_and_at_every_moment_is_what_looking_through_everything_finds(
        steps in steps(),
        filters in proptest::collection::vec(filters(), 6),
    ) {
        block_on(async {
            let mut model = Model::new().await;
            for (id, step) in &steps {
                model.take(*id, step).await;
            }
            for filter in &filters {
                model.agrees(Moment::Now, &model.now, filter).await?;
                for (position, store) in &model.then {
                    model.agrees(Moment::At(*position), store, filter).await?;
                }
            }
            Ok::<_, TestCaseError>(())
        })?;
    }

    #[test]
    fn an_app_that_stays_as_it_is_is_shown_once_while_others_come_and_go(
        before in steps(),
        meanwhile in steps(),
        filter in filters(),
        sort in sample::select(SORTS.to_vec()),
    ) {
        block_on(async {
            let mut model = Model::new().await;
            for (id, step) in &before {
                model.take(*id, step).await;
            }
            let mut steady = model.expected(&model.now, &filter, sort);
            let was = model.now.clone();
            let (mut seen, mut after) = (Vec::new(), None);
            for (id, step) in &meanwhile {
                let (rows, next) = model.page(Moment::Now, &filter, sort, PageRequest::new(1, after)).await;
                seen.extend(rows.iter().map(|row| row.app));
                after = next;
                if after.is_none() {
                    break;
                }
                // Removed content changes what is found of every app that has it.
                if !matches!(step, Step::Remove(_)) {
                    model.take(*id, step).await;
                }
                steady.retain(|id| model.now.get(id) == was.get(id));
            }
            if after.is_some() {
                let (rows, _) = model.page(Moment::Now, &filter, sort, PageRequest::new(100, after)).await;
                seen.extend(rows.iter().map(|row| row.app));
            }
            for id in steady {
                prop_assert_eq!(seen.iter().filter(|seen| **seen == app(id)).count(), 1, "{} in {:?}", id, seen);
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}

#[tokio::test]
async fn a_place_in_another_list_is_refused() {
    let mut world = World::new().await;
    for id in 1..=2 {
        world.stock(id, &format!("app-{id}"), "1.0.0").await;
    }
    let list = async |filter: Filter, sort, after| {
        world.views.reached(world.size).await;
        let request = PageRequest::new(1, after);
        let question = move |conn: &rusqlite::Connection| storefront::list(conn, &filter, sort, &request);
        world.views.read(question).await
    };
    let everything = Filter::default;
    let first = list(everything(), Sort::Name, None).await.unwrap();
    let place = || Some(first.items[0].key.clone());
    assert_eq!(list(everything(), Sort::Name, place()).await.unwrap().items.len(), 1);
    for (filter, sort) in [
        (everything(), Sort::NewestPublication),
        (everything(), Sort::LastUpdate),
        (with_words("app"), Sort::Name),
        (on_shelf(Shelf::Uncategorised), Sort::Name),
    ] {
        let refused = list(filter, sort, place()).await;
        assert!(matches!(refused, Err(ViewError::ForeignKey)), "{refused:?}");
    }
    for made_up in ["", "7", "0123456789abcdef.x.", "..", "\u{1f680}"] {
        let refused = list(everything(), Sort::Name, Some(Key::from_text(made_up.to_owned()))).await;
        assert!(
            matches!(refused, Err(ViewError::InvalidKey(_))),
            "{made_up}: {refused:?}"
        );
    }
}
