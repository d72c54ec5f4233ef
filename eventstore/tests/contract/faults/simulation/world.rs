//! The log that is simulated, those who use it, and what happens to them.

use eventstore::{Append, EventStore, Mode, Position, Subscription};
use futures_util::future::join_all;

use super::super::proxy::{Network, Proxy};
use super::super::{audit, everything};
use super::model::{Model, Outcome};
use crate::fixture::{Place, append, by_command, fresh_id, guard, write};
use crate::postgres_server::Server;

const STREAMS: u64 = 4;

/// `SplitMix64`: the same choices for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// Follows the log, and remembers now and then how far it came.
struct Subscriber {
    feed: Subscription,
    checkpoint: Position,
}

pub(super) struct World {
    random: Random,
    place: Place,
    /// Between the log and its users, if there is a network at all.
    proxy: Option<Proxy>,
    url: String,
    stores: Vec<EventStore>,
    subscribers: Vec<Subscriber>,
    model: Model,
    given: Vec<Append>,
}

impl World {
    pub(super) async fn sqlite(seed: u64) -> Self {
        let place = Place::sqlite();
        let url = place.url.clone();
        Self::new(seed, place, None, url, 1).await
    }

    pub(super) async fn postgres(seed: u64) -> Self {
        let (place, server) = (Place::postgres().await, Server::shared().port());
        let proxy = Proxy::before(server).await;
        let url = proxy.url(&place.url, server);
        Self::new(seed, place, Some(proxy), url, 2).await
    }

    async fn new(seed: u64, place: Place, proxy: Option<Proxy>, url: String, processes: usize) -> Self {
        let mut stores = Vec::new();
        for _ in 0..processes {
            stores.push(EventStore::open(&url, Mode::Append).await.unwrap());
        }
        let subscriber = |store: &EventStore| Subscriber {
            feed: store.subscribe(Position::START),
            checkpoint: Position::START,
        };
        let subscribers = stores.iter().cycle().take(3).map(subscriber).collect();
        Self {
            random: Random(seed),
            place,
            proxy,
            url,
            stores,
            subscribers,
            model: Model::default(),
            given: Vec::new(),
        }
    }

    pub(super) async fn step(&mut self) {
        match self.random.below(10) {
            0..=4 => self.appends().await,
            5..=6 => self.a_subscriber_reads().await,
            7 => self.a_subscriber_starts_again(),
            8 => self.a_process_dies().await,
            _ => self.the_network_fails_in_an_append().await,
        }
    }

    /// Up to four requests reach one process at once.
    async fn appends(&mut self) {
        let count = 1 + self.random.below(4);
        let requests: Vec<_> = (0..count).map(|_| self.request()).collect();
        let chosen = self.random.below(self.stores.len() as u64);
        let store = &self.stores[usize::try_from(chosen).unwrap()];
        let outcomes = join_all(requests.iter().map(|request| store.append(request.clone()))).await;
        for (request, outcome) in requests.iter().zip(outcomes) {
            assert_eq!(Outcome::from(outcome), self.model.append(request), "{request:?}");
        }
        self.given.extend(requests);
    }

    /// Often right, sometimes stale, sometimes given before.
    fn request(&mut self) -> Append {
        if !self.given.is_empty() && self.random.one_in(6) {
            let earlier = self.random.below(self.given.len() as u64);
            let mut again = self.given[usize::try_from(earlier).unwrap()].clone();
            // Without a command nothing tells a repetition from an event whose id is taken.
            for event in again.writes.iter_mut().flat_map(|write| &mut write.events) {
                event.id = fresh_id();
            }
            return again;
        }
        let first = self.random.below(STREAMS);
        let mut writes = vec![self.write(first)];
        if self.random.one_in(3) {
            writes.push(self.write(first + 1));
        }
        let mut request = append(writes);
        if self.random.one_in(4) {
            let stream = format!("s-{}", first + 2);
            let revision = self.expected(&stream);
            request.guards = vec![guard(&stream, revision)];
        }
        if self.random.one_in(2) {
            return request;
        }
        let known = self
            .given
            .iter()
            .filter_map(|append| append.context.command)
            .next_back();
        let id = known
            .filter(|_| self.random.one_in(8))
            .map_or_else(fresh_id, |key| key.id);
        by_command(request, "ada", id, 1)
    }

    fn write(&mut self, stream: u64) -> eventstore::Write {
        let stream = format!("s-{stream}");
        let names = &["Noted", "Noted", "Noted"][..usize::try_from(1 + self.random.below(3)).unwrap()];
        write(&stream, self.expected(&stream), names)
    }

    fn expected(&mut self, stream: &str) -> u64 {
        let actual = self.model.revision(stream);
        if self.random.one_in(6) { actual + 1 } else { actual }
    }

    async fn a_subscriber_reads(&mut self) {
        let chosen = usize::try_from(self.random.below(self.subscribers.len() as u64)).unwrap();
        let keeps = self.random.one_in(2);
        let subscriber = &mut self.subscribers[chosen];
        let next = subscriber.feed.position().get();
        if next == self.model.events.len() as u64 {
            return;
        }
        let events = subscriber.feed.next().await.unwrap();
        for (position, event) in (next..).zip(&events) {
            let (stream, id) = &self.model.events[usize::try_from(position).unwrap()];
            assert_eq!(
                (event.position.get(), event.stream.as_str(), event.id),
                (position, stream.as_str(), *id)
            );
        }
        if keeps {
            subscriber.checkpoint = subscriber.feed.position();
        }
    }

    /// What it read since its checkpoint it reads again; nothing before, and nothing is left out.
    fn a_subscriber_starts_again(&mut self) {
        let chosen = usize::try_from(self.random.below(self.subscribers.len() as u64)).unwrap();
        let store = &self.stores[chosen % self.stores.len()];
        let subscriber = &mut self.subscribers[chosen];
        subscriber.feed = store.subscribe(subscriber.checkpoint);
    }

    /// It leaves its files, or its connections, as they are.
    async fn a_process_dies(&mut self) {
        let chosen = usize::try_from(self.random.below(self.stores.len() as u64)).unwrap();
        if self.proxy.is_none() {
            let survived = self.place.copy_as_it_is();
            self.stores[chosen].close().await;
            self.url.clone_from(&survived.url);
            self.place = survived;
        }
        self.stores[chosen] = EventStore::open(&self.url, Mode::Append).await.unwrap();
        for (n, subscriber) in self.subscribers.iter_mut().enumerate() {
            if n % self.stores.len() == chosen {
                subscriber.feed = self.stores[chosen].subscribe(subscriber.checkpoint);
            }
        }
    }

    async fn the_network_fails_in_an_append(&mut self) {
        let fails = Network::Counts {
            messages: u32::try_from(self.random.below(6)).unwrap(),
            answer: self.random.one_in(2),
        };
        if let Some(proxy) = &self.proxy {
            proxy.set(fails);
        }
        self.appends().await;
        if let Some(proxy) = &self.proxy {
            proxy.set(Network::Works);
        }
    }

    /// The log is the model, event by event, for whoever looks at it.
    pub(super) async fn end(mut self) {
        for _ in 0..20 {
            self.a_subscriber_reads().await;
        }
        let events = everything(&self.stores[0]).await;
        let stored: Vec<_> = events
            .iter()
            .map(|event| (event.stream.to_string(), event.id))
            .collect();
        assert_eq!(stored, self.model.events);
        for ((actor, id), (request, position)) in &self.model.commands {
            let answer = self.stores[0].answer_to(actor, *id).await.unwrap().unwrap();
            assert_eq!((answer.request, answer.position.get()), (*request, *position));
        }
        for store in &self.stores {
            store.close().await;
        }
        audit(&self.place.url, &[]).await;
    }
}
