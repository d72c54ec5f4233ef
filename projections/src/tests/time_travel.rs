use std::fmt::Debug;

use proptest::prelude::*;
use rusqlite::Connection;

use super::{
    history::{Step, steps, take},
    world::*,
};
use crate::{
    Key, Moment, Page, PageRequest, ViewError, apps, categories,
    page::PAGE_MAX,
    reviews::{self, QueueFilter},
    storefront::{self, Filter, Shelf, Sort},
};

/// Everything that can be asked about a moment, with what was answered.
fn answers(conn: &Connection) -> Result<Vec<String>, ViewError> {
    let mut said = Vec::new();
    for n in 1..=2 {
        said.push(format!("{:?}", apps::app(conn, app(n))?));
        said.push(format!("{:?}", storefront::entry(conn, app(n))?));
        said.push(format!("{:?}", categories::category(conn, category(n))?));
        for text in ["1.0.0", "2.0.0"] {
            said.push(format!("{:?}", apps::version(conn, app(n), &number(text))?));
        }
    }
    let chart = "redis".parse().unwrap();
    said.push(format!("{:?}", apps::app_of_chart(conn, workspace(1), &chart)?));
    said.push(format!("{:?}", storefront::entry_of_chart(conn, &chart)?));
    for filter in filters() {
        said.push(format!("{:?}", storefront::facets(conn, &filter)?));
    }
    said.push(format!("{:?}", storefront::index(conn)?));
    said.push(format!("{:?}", storefront::workspace_index(conn, workspace(1))?));
    said.push(format!("{:?}", categories::all(conn)?));
    said.push(format!("{:?}", categories::uncategorised(conn)?));
    for size in [1, 2, PAGE_MAX] {
        said.extend(lists(conn, size)?);
    }
    Ok(said)
}

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for text in ["", "everybody", "edit", "run 2", "kafka nowhere"] {
        for shelf in [Shelf::Any, Shelf::Category(category(1)), Shelf::Uncategorised] {
            filters.push(Filter {
                shelf,
                ..with_words(text)
            });
        }
    }
    filters.push(Filter {
        workspace: Some(workspace(1)),
        ..with_words("redis")
    });
    filters
}

fn lists(conn: &Connection, size: usize) -> Result<Vec<String>, ViewError> {
    let mut said = Vec::new();
    for filter in filters() {
        for sort in [Sort::NewestPublication, Sort::Name, Sort::LastUpdate] {
            said.push(walk(size, |page| storefront::list(conn, &filter, sort, page))?);
        }
    }
    for status in [None, Some(apps::Status::Published), Some(apps::Status::Suspended)] {
        said.push(walk(size, |page| apps::of_workspace(conn, workspace(1), status, page))?);
    }
    for stages in [apps::Stage::NOT_DELETED, &[apps::Stage::Published]] {
        said.push(walk(size, |page| apps::versions(conn, app(1), stages, page))?);
    }
    for only in [None, Some(app(2))] {
        said.push(walk(size, |page| {
            reviews::queue(conn, QueueFilter { app: only }, page)
        })?);
    }
    Ok(said)
}

/// A whole list, in pages of `size`.
fn walk<T: Debug>(size: usize, page: impl Fn(&PageRequest) -> Result<Page<T>, ViewError>) -> Result<String, ViewError> {
    let (mut after, mut walked): (Option<Key>, _) = (None, Vec::new());
    loop {
        let Page { items, has_next } = page(&PageRequest::new(size, after))?;
        after = items.last().map(|item| item.key.clone());
        walked.extend(items);
        if !has_next {
            return Ok(format!("{walked:?}"));
        }
    }
}

/// Notes what is answered now, if there is a new now.
async fn look(world: &World, seen: &mut Vec<Vec<String>>) {
    if seen.len() as u64 != world.size {
        seen.push(world.ask(answers).await);
        assert_eq!(seen.len() as u64, world.size, "a moment was missed");
    }
}

async fn check(steps: Vec<(u128, u8, Step)>) {
    let (mut world, mut seen) = (World::new().await, Vec::new());
    world.upload_app(1, "redis").await;
    look(&world, &mut seen).await;
    world.upload_app(2, "kafka").await;
    look(&world, &mut seen).await;
    let (name, icon) = ("first".parse().unwrap(), "box".parse().unwrap());
    let created = domain::category::Event::CategoryCreated { name, icon };
    world.category(1, created).await;
    look(&world, &mut seen).await;
    for (app, version, step) in steps {
        take(&mut world, app, version, step).await;
        look(&world, &mut seen).await;
    }
    for (position, then) in (0..).zip(seen) {
        let told = world.views.read_at(Moment::At(position), answers).await.unwrap();
        assert_eq!(told, then, "as of {position}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_question_is_answered_as_it_was_at_every_moment(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}

#[tokio::test]
async fn a_moment_still_to_come_is_refused() {
    let mut world = World::new().await;
    let ahead = async |world: &World, position| {
        let refused = world.views.read_at(Moment::At(position), answers).await;
        match refused {
            Err(ViewError::InTheFuture { asked, reached }) => (asked, reached),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ahead(&world, 0).await, (0, 0));
    world.upload_app(1, "redis").await;
    world.ask(answers).await;
    assert_eq!(ahead(&world, 1).await, (1, 1));
    assert_eq!(ahead(&world, u64::MAX).await, (u64::MAX, 1));
    assert!(world.views.read_at(Moment::At(0), answers).await.is_ok());
}

#[tokio::test]
async fn a_time_is_the_moment_after_the_last_event_until_then() {
    let mut world = World::new().await;
    for id in 1..=3 {
        world.upload_app(id, "redis").await;
    }
    let times = world.ask(|conn| {
        let rows = crate::audit::trail(conn, &crate::audit::AuditFilter::default(), &first(10))?;
        Ok(rows.items.into_iter().rev().map(|item| item.row.at).collect::<Vec<_>>())
    });
    let times = times.await;
    let at = async |time| world.views.read(move |conn| Moment::at_time(conn, time)).await;
    let moment = chrono::TimeDelta::milliseconds(1);
    for (position, time) in (0..).zip(&times) {
        assert_eq!(at(*time).await.unwrap(), Moment::At(position));
        assert_eq!(at(*time + moment).await.unwrap(), Moment::At(position));
    }
    assert_eq!(at(times[1] - moment).await.unwrap(), Moment::At(0));
    let early = times[0] - moment;
    assert!(matches!(at(early).await, Err(ViewError::BeforeTheLog(time)) if time == early));
}
