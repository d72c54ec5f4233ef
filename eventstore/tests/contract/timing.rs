use std::time::Duration;

use chrono::TimeDelta;
use eventstore::AppendError;

use crate::fixture::{Log, moment, note};

pub(crate) async fn time_never_goes_back(log: &Log) {
    let first = log.store.append(note("app-1", 0)).await.unwrap().events[0].time;
    log.clock.jump(TimeDelta::hours(-1));
    let second = log.store.append(note("app-1", 1)).await.unwrap().events[0].time;
    assert_eq!((first, second), (moment(), moment()));
    assert_eq!(log.store.head().await.unwrap().time, Some(moment()));

    let reopened = log.reopen().await;
    assert_eq!(
        reopened.append(note("app-1", 2)).await.unwrap().events[0].time,
        moment()
    );
}

pub(crate) async fn a_clock_that_jumped_ahead_stops_appends_until_it_is_accepted(log: &Log) {
    log.clock.jump(TimeDelta::minutes(10));
    log.store.append(note("app-1", 0)).await.unwrap();
    log.clock.jump(TimeDelta::minutes(1));
    let refused = log.store.append(note("app-1", 1)).await;
    assert!(matches!(refused, Err(AppendError::ClockJumped { ahead_seconds: 660 })));

    log.store.accept_clock();
    let accepted = log.store.append(note("app-1", 1)).await.unwrap();
    assert_eq!(accepted.events[0].time, moment() + TimeDelta::minutes(11));
}

pub(crate) async fn a_clock_that_passes_time_is_believed(log: &Log) {
    log.clock.pass(Duration::from_secs(86_400));
    let appended = log.store.append(note("app-1", 0)).await.unwrap();
    assert_eq!(appended.events[0].time, moment() + TimeDelta::days(1));
}
