use domain::{
    access::Place,
    account::{Event, Scope},
    ids::TokenId,
    permission::Permission,
    role,
};
use uuid::Uuid;

use super::world::*;
use crate::{
    access::{Key, KeyHolder, Shut},
    accounts, tokens,
};

fn token(n: u128) -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(n))
}

fn granted(role: &str, scope: Scope) -> Event {
    Event::RoleGranted {
        role: role.parse().unwrap(),
        scope,
    }
}

async fn define(world: &mut World, name: &str, permissions: &[Permission]) {
    let permissions = permissions.iter().copied().collect();
    let defined = role::Event::RoleDefined {
        role: name.parse().unwrap(),
        workspace: None,
        permissions,
    };
    world.record(AUTHOR, &format!("role-{name}"), &defined).await;
}

#[tokio::test]
async fn accounts_are_listed_with_their_grants_and_tokens() {
    let mut world = World::new().await;
    world.account(1, Event::AccountCreated { name: sealed(1) }).await;
    world.account(2, Event::AccountCreated { name: sealed(2) }).await;
    let scope = Scope::Workspace {
        workspace: workspace(1),
    };
    let since = world.account(2, granted("workspace-admin", scope)).await;
    world.account(2, granted("auditor", Scope::Platform {})).await;
    world
        .account(
            2,
            Event::RoleRevoked {
                role: "auditor".parse().unwrap(),
                scope: Scope::Platform {},
            },
        )
        .await;
    world
        .account(
            2,
            Event::TokenIssued {
                token: token(1),
                secret: digest(1),
                name: None,
                permissions: None,
                expires: None,
            },
        )
        .await;
    let revoked = world.account(2, Event::TokenRevoked { token: token(1) }).await;

    let page = world.ask(|conn| accounts::accounts(conn, &first(10))).await;
    let ids: Vec<_> = page.items.iter().map(|item| (item.row.id, item.row.revision)).collect();
    assert_eq!(ids, [(account(2), 6), (account(1), 1)]);
    assert_eq!(
        world
            .ask(|conn| accounts::account(conn, account(1)))
            .await
            .unwrap()
            .name,
        sealed(1)
    );
    let grants = world.ask(|conn| accounts::grants(conn, account(2))).await;
    assert_eq!(
        grants
            .iter()
            .map(|grant| (grant.role.as_str(), grant.since))
            .collect::<Vec<_>>(),
        [("workspace-admin", since)]
    );
    let members = world
        .ask(move |conn| accounts::granted_in(conn, scope, &first(10)))
        .await;
    assert_eq!(
        members.items.into_iter().map(|item| item.row).collect::<Vec<_>>(),
        grants
    );
    let tokens = world.ask(|conn| tokens::tokens(conn, account(2))).await;
    assert_eq!((tokens[0].id, tokens[0].revoked), (token(1), Some(revoked)));
}

#[tokio::test]
async fn a_token_speaks_for_its_account_until_it_expires_or_is_revoked() {
    let mut world = World::new().await;
    world.account(1, Event::AccountCreated { name: sealed(1) }).await;
    world
        .account(
            1,
            Event::TokenIssued {
                token: token(1),
                secret: digest(1),
                name: None,
                permissions: None,
                expires: Some(at(1000)),
            },
        )
        .await;
    world
        .account(
            1,
            Event::TokenIssued {
                token: token(2),
                secret: digest(2),
                name: None,
                permissions: None,
                expires: None,
            },
        )
        .await;
    world.views.reached(world.size).await;
    let access = world.views.access();
    let holder = |n| {
        Ok(KeyHolder {
            account: account(1),
            key: Key::Token(token(n)),
        })
    };
    assert_eq!(access.by_token_secret(&digest(1), at(999)), holder(1));
    let over = Err(Shut::Expired(account(1)));
    assert_eq!(access.by_token_secret(&digest(1), at(1000)), over);
    assert_eq!(access.by_token_secret(&digest(2), at(1000)), holder(2));
    assert_eq!(access.by_token_secret(&digest(3), at(0)), Err(Shut::Unknown));
    assert_eq!(access.by_session_secret(&digest(2), at(0)), Err(Shut::Unknown));

    world.account(1, Event::TokenRevoked { token: token(2) }).await;
    world.views.reached(world.size).await;
    let revoked = world.views.access().by_token_secret(&digest(2), at(0));
    assert_eq!(revoked, Err(Shut::Unknown));
}

#[tokio::test]
async fn grants_of_a_custom_role_follow_its_definition_and_are_relied_on_by_revision() {
    let mut world = World::new().await;
    world.account(1, Event::AccountCreated { name: sealed(1) }).await;
    world.account(1, granted("app-review", Scope::Platform {})).await;
    world.account(1, granted("platform-regular", Scope::Platform {})).await;
    world.views.reached(world.size).await;
    let own = (format!("account-{}", account(1)), 3);
    let may = |world: &World| {
        let principal = world.views.access().principal(account(1)).unwrap();
        (
            principal.may(Permission::StoreView, Place::Platform),
            principal.may(Permission::ReviewApprove, Place::Platform),
        )
    };
    assert_eq!(may(&world), (true, false));
    assert_eq!(
        world.views.access().relied_on(account(1)),
        [own.clone(), ("role-app-review".to_owned(), 0)]
    );

    define(&mut world, "app-review", &[Permission::ReviewView]).await;
    define(
        &mut world,
        "app-review",
        &[Permission::ReviewView, Permission::ReviewApprove],
    )
    .await;
    world.views.reached(world.size).await;
    assert_eq!(may(&world), (true, true));
    assert_eq!(
        world.views.access().relied_on(account(1)),
        [own, ("role-app-review".to_owned(), 2)]
    );
    let roles = world.ask(|conn| accounts::roles(conn, None)).await;
    assert_eq!((roles.len(), roles[0].revision), (1, 2));
}

#[tokio::test]
async fn nobody_knows_an_account_that_was_not_created() {
    let world = World::new().await;
    let access = world.views.access();
    assert_eq!(access.principal(account(1)), None);
    assert!(access.relied_on(account(1)).is_empty());
}
