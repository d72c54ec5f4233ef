//! Random histories: users who ask for anything at any time, workers that die, results that come late.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::fixtures::*;
use crate::{
    decider::{Decider, Stamp},
    release::{Command, Event, Release, react},
    spec::{noon, somebody, stamp},
};

/// One thing that happens, a minute after the one before.
fn step() -> impl Strategy<Value = Command> {
    let version = prop_oneof![Just("11.3.4"), Just("12.0.0"), Just("13.0.0")];
    let attempts = 0_u128..12;
    prop_oneof![
        Just(install()),
        version.prop_map(|version| upgrade(deployment(version))),
        Just(upgrade(reconfigured("12.0.0"))),
        (0_u64..5).prop_map(roll_back),
        Just(Command::Retry),
        Just(Command::Cancel),
        any::<bool>().prop_map(|forced| Command::Uninstall { forced }),
        (1_u128..3, attempts.clone()).prop_map(|(by, n)| start_by(by, n)),
        (1_u128..3, attempts.clone()).prop_map(|(by, n)| start_by(by, n)),
        attempts.clone().prop_map(succeed),
        attempts.clone().prop_map(succeed),
        attempts.clone().prop_map(fail),
        attempts.prop_map(give_up),
    ]
}

fn minute(n: usize) -> Stamp {
    Stamp {
        at: noon() + TimeDelta::minutes(i64::try_from(n).unwrap()),
        ..stamp(somebody())
    }
}

/// What was recorded, each with its stamp.
fn history(commands: Vec<Command>) -> Vec<(Event, Stamp)> {
    let (mut state, mut events) = (None, vec![]);
    for (n, command) in commands.into_iter().enumerate() {
        let at = minute(n);
        for event in Release::decide(&state, command, at).unwrap_or_default() {
            state = Release::evolve(state, &event, at);
            events.push((event, at));
        }
    }
    events
}

fn state_after(events: &[(Event, Stamp)]) -> Option<Release> {
    Release::fold(events.iter().map(|(event, at)| (event, *at)))
}

/// How a release stands after anything that may happen, and when it is asked about.
pub(super) fn any_life() -> impl Strategy<Value = (Option<Release>, Stamp)> {
    prop::collection::vec(step(), 0..60).prop_map(|commands| {
        let next = minute(commands.len() + 1);
        let events = history([install()].into_iter().chain(commands).collect());
        (state_after(&events), next)
    })
}

/// The attempt that an outcome is of.
fn outcome_of(event: &Event) -> Option<Option<crate::ids::AttemptId>> {
    match event {
        Event::ReleaseInstalled { attempt, .. }
        | Event::ReleaseUpgraded { attempt, .. }
        | Event::ReleaseUninstalled { attempt, .. }
        | Event::OperationFailed { attempt, .. } => Some(Some(*attempt)),
        Event::OperationCancelled { attempt, .. } => Some(*attempt),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_operation_that_was_asked_for_ends_once_before_the_next_begins(
        commands in prop::collection::vec(step(), 0..60),
    ) {
        let events = history([install()].into_iter().chain(commands).collect());
        let (mut in_flight, mut current) = (false, None);
        for (event, _) in &events {
            if react(event).is_some() {
                prop_assert!(!in_flight, "two operations at once: {events:#?}");
                (in_flight, current) = (true, None);
            }
            if let Event::OperationStarted { attempt, .. } = event {
                prop_assert!(in_flight);
                current = Some(*attempt);
            }
            if let Some(of) = outcome_of(event) {
                prop_assert!(in_flight, "an outcome of nothing: {events:#?}");
                prop_assert_eq!(of, current, "the result of an attempt that was given up");
                in_flight = false;
            }
        }
        let operation = state_after(&events).unwrap().operation;
        prop_assert_eq!(operation.is_some(), in_flight);
    }

    #[test]
    fn what_ran_is_exactly_what_was_reported_to_run(commands in prop::collection::vec(step(), 0..60)) {
        let events = history([install()].into_iter().chain(commands).collect());
        let ran: Vec<_> = events.iter().filter_map(|(event, _)| match event {
            Event::ReleaseInstalled { digest, .. } | Event::ReleaseUpgraded { digest, .. } => Some(*digest),
            _ => None,
        }).collect();
        let release = state_after(&events).unwrap();
        prop_assert_eq!(release.revisions.iter().map(|ran| ran.digest).collect::<Vec<_>>(), ran);
        prop_assert_eq!(release.observed.as_ref(), release.revisions.last());
        let installs = events.iter().filter(|(event, _)| matches!(event, Event::ReleaseInstalled { .. })).count();
        prop_assert!(installs <= 1);
    }

    #[test]
    fn a_rollback_wants_what_ran_then(commands in prop::collection::vec(step(), 0..60)) {
        let events = history([install()].into_iter().chain(commands).collect());
        for (n, (event, _)) in events.iter().enumerate() {
            if let Event::RollbackRequested { revision, deployment } = event {
                let before = state_after(&events[..n]).unwrap();
                prop_assert_eq!(before.deployment_of(*revision), Some(deployment));
            }
        }
    }

    #[test]
    fn an_attempt_of_another_worker_is_left_alone_while_it_may_be_alive(
        commands in prop::collection::vec(step(), 0..60),
    ) {
        let events = history([install()].into_iter().chain(commands).collect());
        let mut held = None;
        for (event, at) in &events {
            match event {
                Event::OperationStarted { worker, .. } => {
                    if let Some((by, since)) = held {
                        prop_assert!(by == *worker || at.at >= since + patience());
                    }
                    held = Some((*worker, at.at));
                }
                event if outcome_of(event).is_some() => held = None,
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_happens_to_a_release_that_is_gone(commands in prop::collection::vec(step(), 0..60)) {
        let events = history([install()].into_iter().chain(commands).collect());
        let gone = events.iter().position(|(event, _)| matches!(event, Event::ReleaseUninstalled { .. }));
        prop_assert!(gone.is_none_or(|gone| gone + 1 == events.len()), "{events:#?}");
    }
}
