use domain::{
    account::{self, Event as AccountEvent},
    ids::{SessionId, TokenId},
    permission::Permission,
    session::{Event, Method},
};
use uuid::Uuid;

use super::world::*;
use crate::{
    access::{Key, KeyHolder, Shut},
    sessions,
};

fn session(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

async fn open(world: &mut World, of: u128, n: u8, expires: i64) -> u64 {
    let opened = Event::SessionOpened {
        account: account(of),
        secret: digest(n),
        method: Method::Password,
        expires: at(expires),
    };
    world.record(of, &stream(n.into()), &opened).await
}

fn stream(n: u128) -> String {
    format!("session-{}", session(n))
}

/// The sessions of the first account that are open at the beginning of time.
async fn open_sessions(world: &World) -> Vec<SessionId> {
    let found = world.ask(|conn| sessions::sessions(conn, account(1), at(0))).await;
    found.into_iter().map(|session| session.id).collect()
}

async fn two_people() -> World {
    let mut world = World::new().await;
    world.account(1, AccountEvent::AccountCreated { name: sealed(1) }).await;
    world.account(2, AccountEvent::AccountCreated { name: sealed(2) }).await;
    world
}

#[tokio::test]
async fn a_session_speaks_for_its_account_until_it_is_over_or_closed() {
    let mut world = two_people().await;
    open(&mut world, 1, 1, 1000).await;
    world.views.reached(world.size).await;
    let access = world.views.access();
    let (account, key) = (account(1), Key::Session(session(1)));
    let holder = Ok(KeyHolder { account, key });
    assert_eq!(access.by_session_secret(&digest(1), at(999)), holder);
    assert_eq!(access.opened_by(key, at(999)).unwrap().account, account);
    let over = Err(Shut::Expired(account));
    assert_eq!(access.by_session_secret(&digest(1), at(1000)), over);
    assert_eq!(access.opened_by(key, at(1000)), None);
    // It is no bearer token.
    assert_eq!(access.by_token_secret(&digest(1), at(999)), Err(Shut::Unknown));
    assert_eq!(access.key_relied_on(key), Some((stream(1), 1)));

    world.record(1, &stream(1), &Event::SessionClosed {}).await;
    world.views.reached(world.size).await;
    let closed = world.views.access().by_session_secret(&digest(1), at(999));
    assert_eq!(closed, Err(Shut::Unknown));
}

#[tokio::test]
async fn a_new_password_ends_the_accounts_other_sessions_and_nobody_elses() {
    let mut world = two_people().await;
    for (of, n) in [(1, 1), (1, 2), (2, 3)] {
        open(&mut world, of, n, 1000).await;
    }
    let set = AccountEvent::PasswordSet {
        password: sealed(9),
        keeps: Some(session(2)),
    };
    world.account(1, set).await;
    assert_eq!(open_sessions(&world).await, [session(2)]);
    assert!(world.ask(|conn| sessions::session(conn, session(3))).await.is_some());
    let reset = AccountEvent::PasswordSet {
        password: sealed(9),
        keeps: None,
    };
    world.account(1, reset).await;
    assert!(open_sessions(&world).await.is_empty());
}

#[tokio::test]
async fn nothing_opens_a_blocked_account_and_its_sessions_do_not_come_back() {
    let mut world = two_people().await;
    open(&mut world, 1, 1, 1000).await;
    let token = TokenId::from_uuid(Uuid::from_u128(7));
    let issued = AccountEvent::TokenIssued {
        token,
        secret: digest(2),
        name: None,
        permissions: None,
        expires: None,
    };
    world.account(1, issued).await;
    world.account(1, AccountEvent::AccountBlocked {}).await;
    world.views.reached(world.size).await;
    let access = world.views.access();
    assert_eq!(access.by_session_secret(&digest(1), at(0)), Err(Shut::Unknown));
    assert_eq!(
        access.by_token_secret(&digest(2), at(0)),
        Err(Shut::Blocked(account(1)))
    );
    assert_eq!(access.opened_by(Key::Token(token), at(0)), None);
    assert_eq!(access.principal(account(1)), None);

    world.account(1, AccountEvent::AccountUnblocked {}).await;
    world.views.reached(world.size).await;
    let access = world.views.access();
    assert_eq!(access.by_session_secret(&digest(1), at(0)), Err(Shut::Unknown));
    assert!(access.by_token_secret(&digest(2), at(0)).is_ok());
}

#[tokio::test]
async fn sessions_whose_time_is_over_go_when_their_account_signs_in_again() {
    let mut world = two_people().await;
    open(&mut world, 1, 1, 1).await;
    open(&mut world, 1, 2, 1000).await;
    assert_eq!(open_sessions(&world).await, [session(2)]);
}

#[tokio::test]
async fn a_narrowed_token_opens_what_it_allows() {
    let mut world = two_people().await;
    let granted = AccountEvent::RoleGranted {
        role: "auditor".parse().unwrap(),
        scope: account::Scope::Platform {},
    };
    world.account(1, granted).await;
    let token = TokenId::from_uuid(Uuid::from_u128(7));
    let issued = AccountEvent::TokenIssued {
        token,
        secret: digest(2),
        name: Some(sealed(3)),
        permissions: Some([Permission::StoreView].into()),
        expires: None,
    };
    world.account(1, issued).await;
    world.views.reached(world.size).await;
    let access = world.views.access();
    let place = domain::access::Place::Platform;
    assert!(access.principal(account(1)).unwrap().may(Permission::AuditView, place));
    let narrowed = access.opened_by(Key::Token(token), at(0)).unwrap();
    assert!(narrowed.may(Permission::StoreView, place));
    assert!(!narrowed.may(Permission::AuditView, place));
}
