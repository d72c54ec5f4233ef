use domain::{
    digest::{Digest, Sealed},
    health::{Event, Health},
};

use super::world::*;
use crate::{Connection, Lookup as _, health::HealthOf};

#[tokio::test]
async fn a_release_shows_the_last_health_that_was_found() {
    let mut world = World::new().await;
    let of = |release| move |conn: &Connection| HealthOf::find(conn, &[HealthOf(release)]);
    assert!(world.ask(of(release(3))).await.is_empty());
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
        let mut found = world.ask(of(release(3))).await;
        let seen = found.remove(&HealthOf(release(3))).unwrap();
        assert_eq!((seen.health, seen.findings), (health, findings));
    }
}
