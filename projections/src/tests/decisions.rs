use domain::{
    account::{self, Scope},
    app::{Event, Terms},
    ids::DecisionId,
    names::RoleName,
    permission::Permission,
    role,
};
use uuid::Uuid;

use super::world::*;
use crate::decisions::{self, Decision, DecisionFilter, DecisionRecord, Period, Subject};

async fn decisions(world: &World, filter: DecisionFilter) -> Vec<DecisionRecord> {
    let page = world
        .ask(move |conn| decisions::decisions(conn, &filter, &first(10)))
        .await;
    page.items.into_iter().map(|item| item.row).collect()
}

async fn batch(world: &World, from: u64, until: u64, limit: usize) -> Vec<u64> {
    let filter = DecisionFilter::default();
    let rows = world
        .ask(move |conn| decisions::batch(conn, &filter, (from, until), limit))
        .await;
    rows.into_iter().map(|row| row.position).collect()
}

/// Submits what was rejected again, and rejects it.
async fn rejected_again(world: &mut World, n: u128, listing: domain::digest::Digest) -> u64 {
    let submitted = Event::ListingSubmitted {
        submission: submission(n),
        listing,
        policy: digest(9),
        review: None,
    };
    world.app(AUTHOR, 1, submitted).await;
    let rejected = Event::ListingRejected {
        submission: submission(n),
        listing,
        reason: sealed(4),
        terms: None,
    };
    world.app(REVIEWER, 1, rejected).await
}

async fn define_and_grant(world: &mut World, name: &str, permissions: &[Permission]) {
    let name: RoleName = name.parse().unwrap();
    let defined = role::Event::RoleDefined {
        role: name.clone(),
        workspace: None,
        permissions: permissions.iter().copied().collect(),
    };
    world.record(AUTHOR, &format!("role-{name}"), &defined).await;
    let granted = account::Event::RoleGranted {
        role: name,
        scope: Scope::Platform {},
    };
    world.account(REVIEWER, granted).await;
}

#[tokio::test]
async fn decisions_are_listed_newest_first_and_filtered() {
    let mut world = World::new().await;
    let published = world.stock(1, "redis", "1.0.0").await;
    let listing = world.upload_app_into(2, "kafka", 2).await;
    let submitted = Event::ListingSubmitted {
        submission: submission(500),
        listing,
        policy: digest(9),
        review: None,
    };
    world.app(AUTHOR, 2, submitted).await;
    let reason = sealed(4);
    let rejected = world
        .app(
            REVIEWER,
            2,
            Event::ListingRejected {
                submission: submission(500),
                listing,
                reason,
                terms: None,
            },
        )
        .await;

    let all = decisions(&world, DecisionFilter::default()).await;
    assert_eq!(
        all.iter().map(|row| row.position).collect::<Vec<_>>(),
        [rejected, published - 1]
    );
    assert_eq!(
        (all[0].decision, &all[0].reason),
        (Decision::Rejected, &Some(sealed(4)))
    );
    assert_eq!((&all[0].subject, all[0].workspace), (&Subject::Listing, workspace(2)));
    assert_eq!(
        (all[1].decision, all[1].reviewer),
        (Decision::Approved, Some(account(REVIEWER)))
    );

    let of = |filter| decisions(&world, filter);
    let approved = of(DecisionFilter {
        decision: Some(Decision::Approved),
        ..Default::default()
    })
    .await;
    assert_eq!(approved, all[1..]);
    let one = of(DecisionFilter {
        id: Some(all[1].id),
        ..Default::default()
    })
    .await;
    assert_eq!(one, all[1..]);
    let kafka = of(DecisionFilter {
        app: Some(app(2)),
        ..Default::default()
    })
    .await;
    assert_eq!(kafka, all[..1]);
    let own = of(DecisionFilter {
        workspace: Some(workspace(1)),
        ..Default::default()
    })
    .await;
    assert_eq!(own, all[1..]);
    let until = Period::new(None, Some(all[0].at)).unwrap();
    assert_eq!(
        of(DecisionFilter {
            period: until,
            ..Default::default()
        })
        .await,
        all[1..]
    );
    let from = Period::new(Some(all[0].at), None).unwrap();
    assert_eq!(
        of(DecisionFilter {
            period: from,
            ..Default::default()
        })
        .await,
        all[..1]
    );
}

#[tokio::test]
async fn a_decision_keeps_the_roles_that_allowed_it_when_it_was_made() {
    let mut world = World::new().await;
    define_and_grant(&mut world, "app-review", &[Permission::ReviewReject]).await;
    define_and_grant(&mut world, "onlooker", &[Permission::ReviewView]).await;
    let listing = world.upload_app(1, "redis").await;
    rejected_again(&mut world, 500, listing).await;
    define_and_grant(&mut world, "app-review", &[Permission::ReviewView]).await;
    define_and_grant(&mut world, "head-of-review", &[Permission::ReviewReject]).await;
    rejected_again(&mut world, 501, listing).await;

    let roles = |row: &DecisionRecord| row.roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let made = decisions(&world, DecisionFilter::default()).await;
    assert_eq!(roles(&made[1]), ["app-review"]);
    assert_eq!(roles(&made[0]), ["head-of-review"]);
}

#[tokio::test]
async fn the_role_and_the_stage_that_an_event_records_are_those_of_the_decision() {
    let mut world = World::new().await;
    define_and_grant(&mut world, "app-review", &[Permission::ReviewApprove]).await;
    let listing = world.upload_app(1, "redis").await;
    let submitted = Event::ListingSubmitted {
        submission: submission(500),
        listing,
        policy: digest(9),
        review: None,
    };
    world.app(AUTHOR, 1, submitted).await;
    let terms = Terms {
        stage: "security".parse().unwrap(),
        role: "security-officer".parse().unwrap(),
        policy: digest(9),
        exception: None,
    };
    let given = Event::ListingApprovalGiven {
        submission: submission(500),
        listing,
        terms: terms.clone(),
    };
    world.app(REVIEWER, 1, given).await;

    let made = decisions(&world, DecisionFilter::default()).await;
    assert_eq!(made[0].roles, std::slice::from_ref(&terms.role));
    assert_eq!(
        (made[0].decision, &made[0].terms, made[0].last),
        (Decision::Approved, &Some(terms), false)
    );
}

#[tokio::test]
async fn a_decision_names_its_authors_its_submission_its_policy_and_the_one_before() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let edited = world.listing("redis", "better").await;
    world.app(3, 1, Event::ListingEdited { listing: edited }).await;
    let first = rejected_again(&mut world, 500, listing).await;
    let package = world.upload_version(1, "1.0.0").await;
    let published = world.publish(1, "1.0.0", &package, listing).await;
    let second = rejected_again(&mut world, 501, listing).await;

    let made = decisions(&world, DecisionFilter::default()).await;
    let positions: Vec<_> = made.iter().map(|row| row.position).collect();
    assert_eq!(positions, [second, published - 1, first]);
    assert_eq!(made[0].authors, [account(AUTHOR), account(3)]);
    assert_eq!(
        (made[0].submitted.position, made[0].submitted.by, made[0].policy),
        (second - 1, Some(account(AUTHOR)), digest(9))
    );
    assert_eq!((made[0].earlier, made[0].previous), (1, Some(made[2].id)));
    assert_eq!(
        (made[1].earlier, made[1].previous),
        (0, None),
        "a version is another subject than the listing"
    );
    // The harness draws event ids from positions.
    assert_eq!(
        made[2].id,
        DecisionId::from_uuid(Uuid::from_u128(u128::from(first) + 1))
    );
}

#[tokio::test]
async fn a_list_read_in_parts_has_every_decision_once_in_the_order_of_the_log() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let mut made = vec![];
    for n in 0..5 {
        made.push(rejected_again(&mut world, 500 + n, listing).await);
    }
    let until = made[4];
    let mut read = batch(&world, 0, until, 3).await;
    assert_eq!(read, made[..3]);
    read.extend(batch(&world, made[2] + 1, until, 3).await);
    assert_eq!(read, made[..4], "it ends before the position it is to end before");
    let filter = DecisionFilter::default();
    assert_eq!(world.ask(move |conn| decisions::count(conn, &filter)).await, 5);
}

#[test]
fn a_period_does_not_end_before_it_begins() {
    assert!(Period::new(Some(at(2)), Some(at(1))).is_err());
    assert!(Period::new(Some(at(1)), Some(at(1))).is_ok());
    assert!(Period::new(None, Some(at(1))).is_ok());
}
