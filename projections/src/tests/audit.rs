use domain::{
    account::{self, Scope},
    ids::Actor,
    name,
};

use super::world::*;
use crate::audit::{self, About, AuditFilter, AuditRow, Period};

async fn trail(world: &World, filter: AuditFilter) -> Vec<AuditRow> {
    let page = world.ask(move |conn| audit::trail(conn, &filter, &first(100))).await;
    page.items.into_iter().map(|item| item.row).collect()
}

fn positions(rows: &[AuditRow]) -> Vec<u64> {
    rows.iter().map(|row| row.position).collect()
}

#[tokio::test]
async fn every_event_is_in_the_trail_with_what_it_is_about() {
    let mut world = World::new().await;
    let taken = name::Event::NameTaken {
        holder: format!("app-{}", app(1)),
    };
    world.record(AUTHOR, "name-app-redis", &taken).await;
    let published = world.stock(1, "redis", "1.0.0").await;
    let scope = Scope::Workspace {
        workspace: workspace(1),
    };
    world
        .account(
            5,
            account::Event::RoleGranted {
                role: "workspace-admin".parse().unwrap(),
                scope,
            },
        )
        .await;

    let rows = trail(&world, AuditFilter::default()).await;
    assert_eq!(positions(&rows), (0..world.size).rev().collect::<Vec<_>>());
    let row = rows.iter().find(|row| row.position == published).unwrap();
    assert_eq!((row.event.as_str(), row.revision), ("PublishedToStore", 6));
    assert_eq!(row.actor, Actor::Account(super::world::account(AUTHOR)));
    let about = About {
        workspace: Some(workspace(1)),
        app: Some(app(1)),
        version: Some(number("1.0.0")),
        submission: Some(submission(u128::from(published) - 3)),
        ..About::default()
    };
    assert_eq!(row.about, about);
    assert_eq!(rows.last().unwrap().about.app, Some(app(1)));
    let grant = &rows[0].about;
    assert_eq!(
        (grant.account, grant.workspace),
        (Some(super::world::account(5)), Some(workspace(1)))
    );
}

#[tokio::test]
async fn the_trail_is_filtered_by_who_what_where_and_when() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    let data = serde_json::json!({ "name": "system-made" });
    let stream = format!("workspace-{}", workspace(3));
    let made = world.record_stored("system", &stream, "WorkspaceCreated", data).await;

    let by_system = trail(
        &world,
        AuditFilter {
            actor: Some(Actor::System),
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(positions(&by_system), [made]);
    let reviewer = Some(Actor::Account(super::world::account(REVIEWER)));
    assert_eq!(
        trail(
            &world,
            AuditFilter {
                actor: reviewer,
                ..AuditFilter::default()
            }
        )
        .await
        .len(),
        4
    );
    let event = Some("VersionApproved".to_owned());
    assert_eq!(
        trail(
            &world,
            AuditFilter {
                event,
                ..AuditFilter::default()
            }
        )
        .await
        .len(),
        2
    );
    let redis = trail(
        &world,
        AuditFilter {
            app: Some(app(1)),
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(positions(&redis), [5, 4, 3, 2, 1, 0]);
    let own = AuditFilter {
        workspace: Some(workspace(1)),
        ..AuditFilter::default()
    };
    assert_eq!(trail(&world, own).await.len(), 12);
    let none = AuditFilter {
        release: Some(release(1)),
        ..AuditFilter::default()
    };
    assert!(trail(&world, none).await.is_empty());
    let period = Period::new(Some(redis[3].at), Some(redis[1].at)).unwrap();
    assert_eq!(
        positions(
            &trail(
                &world,
                AuditFilter {
                    period,
                    ..AuditFilter::default()
                }
            )
            .await
        ),
        [3, 2]
    );
}

#[tokio::test]
async fn an_action_is_told_with_everything_it_set_off() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let stream = format!("workspace-{}", workspace(3));
    let data = serde_json::json!({ "name": "made" });
    let cause = world.record_stored("system", &stream, "WorkspaceCreated", data).await;
    let cause = world.ask(move |conn| audit::entry(conn, cause)).await.unwrap();
    world.cause = Some((cause.id, cause.correlation));
    let suspended = domain::app::Event::Suspended {
        version: None,
        authority: domain::app::Authority::Store,
        reason: None,
    };
    let consequence = world.app(REVIEWER, 1, suspended).await;
    let about = [cause.correlation].into();
    let told = world.ask(move |conn| audit::actions(conn, &about)).await;
    assert_eq!(positions(&told), [cause.position, consequence]);
    assert_eq!((told[0].causation, told[1].causation), (None, Some(cause.id)));
}

#[tokio::test]
async fn the_trail_is_filtered_by_version_submission_decision_and_action() {
    let mut world = World::new().await;
    let published = world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "2.0.0").await;
    let all = trail(&world, AuditFilter::default()).await;
    let row = all.iter().find(|row| row.position == published).unwrap();
    let found = async |filter: AuditFilter| positions(&trail(&world, filter).await);
    let none = AuditFilter::default;
    let (submission, correlation) = (row.about.submission, Some(row.correlation));
    let steps: Vec<_> = (published - 3..=published).rev().collect();
    assert_eq!(found(AuditFilter { submission, ..none() }).await, steps);
    assert_eq!(found(AuditFilter { correlation, ..none() }).await, [published]);
    let version = Some(number("1.0.0"));
    assert_eq!(found(AuditFilter { version, ..none() }).await.len(), 5);
    let app = Some(super::world::app(1));
    let decision = |decision| AuditFilter {
        decision: Some(decision),
        app,
        ..none()
    };
    assert_eq!(
        found(decision(crate::decisions::Decision::Approved)).await,
        [published - 1]
    );
    assert_eq!(found(decision(crate::decisions::Decision::Rejected)).await, [0; 0]);
}
