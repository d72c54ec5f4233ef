use domain::{
    digest::{Digest, Sealed},
    health::{Event, Health},
};

use super::world::*;
use crate::health;

#[tokio::test]
async fn a_release_shows_the_last_health_that_was_found() {
    let mut world = World::new().await;
    let unseen = world.ask(|conn| health::of(conn, release(3))).await;
    assert_eq!(unseen, None);
    let findings = Some(Sealed {
        subject: format!("release-{}", release(3)),
        digest: Digest::from_bytes([1; 32]),
    });
    for (health, findings) in [(Health::Ready, None), (Health::Missing, findings)] {
        let event = Event::HealthChanged {
            health,
            findings: findings.clone(),
        };
        world.record(AUTHOR, &format!("health-{}", release(3)), &event).await;
        let seen = world.ask(|conn| health::of(conn, release(3))).await.unwrap();
        assert_eq!((seen.health, seen.findings), (health, findings));
    }
}
