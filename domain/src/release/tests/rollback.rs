use super::fixtures::*;
use crate::{
    release::{Cause, OperationKind, Rejection},
    spec::somebody,
};

#[test]
fn a_rollback_wants_the_chart_and_the_values_of_the_revision_again() {
    upgraded_once()
        .when(roll_back(1))
        .then([rollback_requested(1, deployment("11.3.4"))]);
    rolling_back()
        .when(succeed(4))
        .then([upgraded(4, deployment("11.3.4"))]);
}

#[test]
fn a_rollback_leaves_a_revision_of_its_own() {
    let back = rolling_back().and(somebody(), [upgraded(4, deployment("11.3.4"))]);
    let release = back.clone().state().unwrap();
    assert_eq!(release.revision(), 3);
    assert_eq!(release.cause, Cause::Rollback { to: 1 });
    assert_eq!(release.observed, Some(deployment("11.3.4")));
    // So it can be rolled forward again.
    back.when(roll_back(2))
        .then([rollback_requested(2, deployment("12.0.0"))]);
}

#[test]
fn a_rollback_to_what_runs_records_nothing_unless_something_failed() {
    running().when(roll_back(1)).then([]);
    upgraded_once().when(roll_back(2)).then([]);
    upgrade_failed()
        .when(roll_back(1))
        .then([rollback_requested(1, deployment("11.3.4"))]);
}

#[test]
fn there_is_no_rollback_to_a_revision_that_never_was() {
    for (state, revision, last) in [
        (running(), 0, 1),
        (running(), 2, 1),
        (upgraded_once(), u64::MAX, 2),
        (install_failed(), 1, 0),
    ] {
        state
            .when(roll_back(revision))
            .then_rejected(&Rejection::RevisionNotFound { revision, last });
    }
}

#[test]
fn a_rollback_waits_for_the_operation_under_way_and_for_nothing_that_is_gone() {
    upgrading()
        .when(roll_back(1))
        .then_rejected(&Rejection::OperationInFlight(OperationKind::Upgrade));
    gone().when(roll_back(1)).then_rejected(&Rejection::NotFound);
}

#[test]
fn a_revision_knows_why_it_came_to_be() {
    let cause = |wanted| {
        let asked = running().and(somebody(), [upgrade_requested(wanted)]);
        asked.state().unwrap().cause
    };
    assert_eq!(running().state().unwrap().cause, Cause::Install);
    assert_eq!(cause(deployment("12.0.0")), Cause::Upgrade);
    assert_eq!(cause(reconfigured("11.3.4")), Cause::Reconfigure);
    let corrected = install_failed().and(somebody(), [upgrade_requested(reconfigured("11.3.4"))]);
    assert_eq!(corrected.state().unwrap().cause, Cause::Install);
}

#[test]
fn what_ever_ran_is_known_to_have_run_whatever_its_values() {
    let release = upgraded_once().state().unwrap();
    assert!(release.has_run(&reconfigured("11.3.4")));
    assert!(!release.has_run(&deployment("13.0.0")));
    assert!(!upgrading().state().unwrap().has_run(&deployment("12.0.0")));
}
