//! What it costs to ask about the past, beside the same question about now.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use domain::ids::CategoryId;
use eventstore::{Blobs, EventStore};
use projections::{
    Connection, Moment, Page, PageRequest, ViewError, Views,
    reviews::{self, QueueFilter},
    storefront::{self, Entry, Filter, Shelf, Sort},
};

use crate::{
    figures::{Figures, median},
    fill::{CATEGORIES, id, word},
};

const ROUNDS: u64 = 400;
const PAGE: usize = 20;

pub(crate) async fn ask(path: &Path, log: &EventStore, blobs: &Blobs, figures: &mut Figures) {
    let views = Views::open(path, log).await.unwrap();
    let follower = tokio::spawn({
        let (views, log, blobs) = (views.clone(), log.clone(), blobs.clone());
        async move { views.follow(log, blobs).await.map(|_| ()) }
    });
    let size = log.head().await.unwrap().size;
    views.reached(size).await;
    // Late enough that the store is as full as now, and early enough that most of what it shows is past.
    let then = Moment::At(size / 2);
    let [mut live, mut past, mut shelf, mut past_shelf, mut worst] = [const { Vec::new() }; 5];
    for round in 0..ROUNDS {
        let page = page(searched(round));
        live.push(time(&views, Moment::Now, page.clone()).await);
        past.push(time(&views, then, page).await);
        let page = self::page(on_shelf(round));
        shelf.push(time(&views, Moment::Now, page.clone()).await);
        past_shelf.push(time(&views, then, page).await);
        let moment = Moment::At(round * (size - 1) / ROUNDS);
        worst.push(time(&views, moment, |view| storefront::facets(view, &Filter::default())).await);
        let queue = |view: &Connection| reviews::queue(view, QueueFilter::default(), &PageRequest::new(PAGE, None));
        worst.push(time(&views, moment, queue).await);
    }
    worst.sort_by(f64::total_cmp);
    let (live, past) = (median(live), median(past));
    figures.add("views.store.ms", live);
    figures.add("views.asof.ratio", past / live);
    figures.add("views.asof.shelf.ratio", median(past_shelf) / median(shelf));
    figures.add("views.asof.worst_ms", worst[worst.len() * 99 / 100]);
    follower.abort();
}

/// The first page of what is there.
fn page(filter: Filter) -> impl FnOnce(&Connection) -> Result<Page<Entry>, ViewError> + Clone {
    move |view| storefront::list(view, &filter, Sort::NewestPublication, &PageRequest::new(PAGE, None))
}

/// Searched and filtered, as people do.
fn searched(round: u64) -> Filter {
    Filter {
        text: Some(word(round)),
        ..on_shelf(round)
    }
}

fn on_shelf(round: u64) -> Filter {
    Filter {
        shelf: Shelf::Category(CategoryId::from_uuid(id(round % CATEGORIES))),
        ..Filter::default()
    }
}

/// Milliseconds from the question to the answer.
async fn time<T: Send + 'static>(
    views: &Views,
    moment: Moment,
    question: impl FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
) -> f64 {
    let started = Instant::now();
    views.read_at(moment, question).await.unwrap();
    started.elapsed().as_secs_f64() / Duration::from_millis(1).as_secs_f64()
}
