use super::fixtures::*;
use crate::{
    app::{App, Authority, Command, Event, Rejection, Stage, Status},
    spec::Given,
};

fn suspend_version(authority: Authority) -> Command {
    Command::SuspendVersion {
        version: first(),
        authority,
        reason: None,
    }
}

fn resume_version(authority: Authority) -> Command {
    Command::ResumeVersion {
        version: first(),
        authority,
    }
}

fn suspend_app(authority: Authority) -> Command {
    Command::SuspendApp {
        authority,
        reason: None,
    }
}

fn resume_app(authority: Authority) -> Command {
    Command::ResumeApp { authority }
}

fn app_is_suspended(authority: Authority) -> Given<App> {
    published().and(ada(), [app_suspended(authority)])
}

const BOTH: [Authority; 2] = [Authority::Owner, Authority::Store];

#[test]
fn owner_and_store_may_suspend_a_published_version() {
    for authority in BOTH {
        published()
            .when(suspend_version(authority))
            .then([version_suspended(authority)]);
    }
}

#[test]
fn a_suspension_may_say_why() {
    published()
        .when(Command::SuspendVersion {
            version: first(),
            authority: Authority::Store,
            reason: Some(reason()),
        })
        .then([Event::Suspended {
            version: Some(first()),
            authority: Authority::Store,
            reason: Some(reason()),
        }]);
}

#[test]
fn suspending_a_version_twice_records_nothing() {
    for authority in BOTH {
        suspended(authority).when(suspend_version(authority)).then([]);
        suspended(Authority::Store).when(suspend_version(authority)).then([]);
    }
}

#[test]
fn the_store_may_take_over_what_the_owner_suspended() {
    suspended(Authority::Owner)
        .when(suspend_version(Authority::Store))
        .then([version_suspended(Authority::Store)]);
    app_is_suspended(Authority::Owner)
        .when(suspend_app(Authority::Store))
        .then([app_suspended(Authority::Store)]);
}

#[test]
fn what_the_store_suspended_its_owner_does_not_resume() {
    suspended(Authority::Store)
        .when(resume_version(Authority::Owner))
        .then_rejected(&Rejection::SuspendedByStore);
    app_is_suspended(Authority::Store)
        .when(resume_app(Authority::Owner))
        .then_rejected(&Rejection::SuspendedByStore);
}

#[test]
fn the_store_resumes_what_anybody_suspended_and_the_owner_his_own() {
    let version_resumed = Event::Resumed { version: Some(first()) };
    let app_resumed = Event::Resumed { version: None };
    for (by, resumer) in [
        (Authority::Owner, Authority::Owner),
        (Authority::Owner, Authority::Store),
        (Authority::Store, Authority::Store),
    ] {
        suspended(by)
            .when(resume_version(resumer))
            .then([version_resumed.clone()]);
        app_is_suspended(by)
            .when(resume_app(resumer))
            .then([app_resumed.clone()]);
    }
}

#[test]
fn resuming_what_is_not_suspended_records_nothing() {
    published().when(resume_version(Authority::Owner)).then([]);
    published().when(resume_app(Authority::Owner)).then([]);
}

#[test]
fn a_version_that_is_not_in_the_store_cannot_be_suspended_or_resumed() {
    let wrong = Rejection::WrongState {
        version: first(),
        stage: "draft",
        allowed: Stage::Draft {}.allows(),
    };
    draft().when(suspend_version(Authority::Store)).then_rejected(&wrong);
    draft().when(resume_version(Authority::Store)).then_rejected(&wrong);
}

#[test]
fn an_app_that_is_not_in_the_store_cannot_be_suspended() {
    approved()
        .when(suspend_app(Authority::Owner))
        .then_rejected(&Rejection::AppNotPublished);
}

#[test]
fn suspending_an_app_hides_its_versions_and_leaves_their_stages() {
    published()
        .when(suspend_app(Authority::Owner))
        .then([app_suspended(Authority::Owner)]);
    let app = app_is_suspended(Authority::Owner).state().unwrap();
    assert!(matches!(app.versions[&first()].stage, Stage::Published { .. }));
    assert!(!app.is_installable(&first()));
}

#[test]
fn suspending_an_app_twice_records_nothing() {
    for authority in BOTH {
        app_is_suspended(authority).when(suspend_app(authority)).then([]);
    }
    app_is_suspended(Authority::Store)
        .when(suspend_app(Authority::Owner))
        .then([]);
}

#[test]
fn resuming_an_app_does_not_resume_its_versions() {
    let app = suspended(Authority::Owner)
        .and(
            ada(),
            [app_suspended(Authority::Owner), Event::Resumed { version: None }],
        )
        .state()
        .unwrap();
    assert!(matches!(app.versions[&first()].stage, Stage::Suspended { .. }));
    assert_eq!(app.status(), Status::Suspended);
}
