//! An account is made, opened and shut.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::{
    ids::SessionId,
    permission::Permission,
    role::Misplaced,
    spec::{given, noon},
};

fn name() -> Sealed {
    Sealed {
        subject: "account-1".to_owned(),
        digest: Digest::from_bytes([7; 32]),
    }
}

fn role(name: &str) -> RoleName {
    name.parse().unwrap()
}

fn created() -> Event {
    Event::AccountCreated { name: name() }
}

fn token() -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(5))
}

#[test]
fn an_account_is_created_once() {
    given::<Account>([])
        .when(Command::Create { name: name() })
        .then([created()]);
    given::<Account>([created()])
        .when(Command::Create { name: name() })
        .then_rejected(&Rejection::Exists);
}

#[test]
fn nothing_can_be_done_to_an_account_that_does_not_exist() {
    given::<Account>([])
        .when(Command::RevokeToken { token: token() })
        .then_rejected(&Rejection::NotFound);
}

#[test]
fn granting_twice_records_one_grant_and_revoking_takes_it_back() {
    let grant = || Command::Grant {
        role: role("auditor"),
        permissions: BTreeSet::new(),
        scope: Scope::Platform {},
    };
    let granted = Event::RoleGranted {
        role: role("auditor"),
        scope: Scope::Platform {},
    };
    let revoked = Event::RoleRevoked {
        role: role("auditor"),
        scope: Scope::Platform {},
    };
    let revoke = || Command::Revoke {
        role: role("auditor"),
        scope: Scope::Platform {},
        another: None,
    };
    given::<Account>([created()]).when(grant()).then([granted.clone()]);
    given::<Account>([created(), granted.clone()]).when(grant()).then([]);
    given::<Account>([created(), granted.clone()])
        .when(revoke())
        .then([revoked.clone()]);
    given::<Account>([created(), granted, revoked]).when(revoke()).then([]);
}

#[test]
fn a_workspace_role_cannot_be_granted_on_the_platform() {
    given::<Account>([created()])
        .when(Command::Grant {
            role: role("workspace-admin"),
            permissions: BTreeSet::new(),
            scope: Scope::Platform {},
        })
        .then_rejected(&Rejection::Misplaced(Misplaced::Level {
            role: role("workspace-admin"),
            expected: Level::Workspace,
            found: Level::Platform,
        }));
}

#[test]
fn the_last_administrator_of_the_platform_stays() {
    let granted = Event::RoleGranted {
        role: role(PLATFORM_ADMIN),
        scope: Scope::Platform {},
    };
    let administrator = given::<Account>([created(), granted]);
    let revoke = |another| Command::Revoke {
        role: role(PLATFORM_ADMIN),
        scope: Scope::Platform {},
        another,
    };
    administrator
        .clone()
        .when(revoke(None))
        .then_rejected(&Rejection::LastAdministrator);
    administrator
        .when(revoke(Some(crate::spec::somebody())))
        .then([Event::RoleRevoked {
            role: role(PLATFORM_ADMIN),
            scope: Scope::Platform {},
        }]);
}

#[test]
fn a_token_that_is_already_over_is_refused() {
    let secret = Digest::from_bytes([1; 32]);
    let over = noon() - TimeDelta::seconds(1);
    given::<Account>([created()])
        .when(Command::IssueToken {
            token: token(),
            secret,
            name: None,
            permissions: None,
            expires: Some(over),
        })
        .then_rejected(&Rejection::Expired {
            expires: over,
            now: noon(),
        });
}

fn erase() -> Command {
    Command::Erase {
        subject: "account-1".to_owned(),
        is_last_administrator: false,
    }
}

fn erased() -> Event {
    Event::SubjectErased {
        subject: "account-1".to_owned(),
    }
}

#[test]
fn whoever_is_erased_loses_every_role_and_every_token_first() {
    let (role, scope) = (role("auditor"), Scope::Platform {});
    let granted = Event::RoleGranted {
        role: role.clone(),
        scope,
    };
    let issued = Event::TokenIssued {
        token: token(),
        secret: Digest::from_bytes([1; 32]),
        name: None,
        permissions: None,
        expires: None,
    };
    given::<Account>([created(), granted, issued]).when(erase()).then([
        Event::RoleRevoked { role, scope },
        Event::TokenRevoked { token: token() },
        erased(),
    ]);
}

#[test]
fn erasing_twice_records_one_erasure_and_nothing_else_follows() {
    given::<Account>([created(), erased()]).when(erase()).then([]);
    given::<Account>([created(), erased()])
        .when(Command::Create { name: name() })
        .then_rejected(&Rejection::Erased);
    given::<Account>([created(), erased()])
        .when(Command::Grant {
            role: role("auditor"),
            permissions: BTreeSet::new(),
            scope: Scope::Platform {},
        })
        .then_rejected(&Rejection::Erased);
}

#[test]
fn the_last_administrator_is_not_erased() {
    let last = Command::Erase {
        subject: "account-1".to_owned(),
        is_last_administrator: true,
    };
    given::<Account>([created()])
        .when(last)
        .then_rejected(&Rejection::LastAdministrator);
}

#[test]
fn a_revoked_token_is_forgotten() {
    let secret = Digest::from_bytes([1; 32]);
    let issued = Event::TokenIssued {
        token: token(),
        secret,
        name: None,
        permissions: None,
        expires: None,
    };
    given::<Account>([created(), issued.clone()])
        .when(Command::RevokeToken { token: token() })
        .then([Event::TokenRevoked { token: token() }]);
    let state = given::<Account>([created(), issued, Event::TokenRevoked { token: token() }]).state();
    assert!(state.unwrap().tokens.is_empty());
}

fn issue(permissions: Option<BTreeSet<Permission>>) -> Command {
    Command::IssueToken {
        token: token(),
        secret: Digest::from_bytes([1; 32]),
        name: Some(name()),
        permissions,
        expires: None,
    }
}

fn issued(token: TokenId, expires: Option<DateTime<Utc>>) -> Event {
    Event::TokenIssued {
        token,
        secret: Digest::from_bytes([1; 32]),
        name: None,
        permissions: None,
        expires,
    }
}

#[test]
fn a_token_keeps_its_name_and_what_it_is_narrowed_to() {
    let permissions = Some(BTreeSet::from([Permission::AppUpload]));
    given::<Account>([created()])
        .when(issue(permissions.clone()))
        .then([Event::TokenIssued {
            token: token(),
            secret: Digest::from_bytes([1; 32]),
            name: Some(name()),
            permissions,
            expires: None,
        }]);
}

#[test]
fn a_token_that_would_allow_nothing_is_refused() {
    given::<Account>([created()])
        .when(issue(Some(BTreeSet::new())))
        .then_rejected(&Rejection::AllowsNothing);
}

#[test]
fn an_account_has_so_many_valid_tokens_and_those_that_are_over_do_not_count() {
    let tokens = |expires| {
        let ids = (100..).map(|n| TokenId::from_uuid(Uuid::from_u128(n)));
        ids.take(TOKENS_MAX).map(move |token| issued(token, expires))
    };
    given::<Account>([created()])
        .and(crate::spec::somebody(), tokens(None))
        .when(issue(None))
        .then_rejected(&Rejection::TooManyTokens);
    let account = given::<Account>([created()]).and(crate::spec::somebody(), tokens(Some(noon())));
    account.when(issue(None)).then([Event::TokenIssued {
        token: token(),
        secret: Digest::from_bytes([1; 32]),
        name: Some(name()),
        permissions: None,
        expires: None,
    }]);
}

#[test]
fn an_account_holds_so_many_roles_and_no_more() {
    let role: RoleName = "workspace-viewer".parse().unwrap();
    let at = |n: usize| Scope::Workspace {
        workspace: WorkspaceId::from_uuid(Uuid::from_u128(n as u128)),
    };
    let granted = |n| Event::RoleGranted {
        role: role.clone(),
        scope: at(n),
    };
    let grant = |n| Command::Grant {
        role: role.clone(),
        permissions: BTreeSet::new(),
        scope: at(n),
    };
    let full = given::<Account>([created()]).and(crate::spec::somebody(), (0..ROLES_MAX).map(granted));
    full.clone()
        .when(grant(ROLES_MAX))
        .then_rejected(&Rejection::TooManyRoles);
    full.when(grant(0)).then([]);
}

#[test]
fn whoever_is_erased_has_every_token_revoked_that_is_not_over_by_itself() {
    let (old, new) = (
        TokenId::from_uuid(Uuid::from_u128(100)),
        TokenId::from_uuid(Uuid::from_u128(101)),
    );
    let subject = "account-1".to_owned();
    given::<Account>([created(), issued(old, Some(noon())), issued(new, None)])
        .when(Command::Erase {
            subject: subject.clone(),
            is_last_administrator: false,
        })
        .then([Event::TokenRevoked { token: new }, Event::SubjectErased { subject }]);
}

fn password(n: u8) -> Sealed {
    Sealed {
        subject: "account-1".to_owned(),
        digest: Digest::from_bytes([n; 32]),
    }
}

fn password_set(n: u8) -> Event {
    Event::PasswordSet {
        password: password(n),
        keeps: None,
    }
}

#[test]
fn a_password_is_exchanged_for_the_one_that_was_shown_and_for_no_other() {
    let session = Some(SessionId::from_uuid(Uuid::from_u128(6)));
    let change = |shown| Command::SetPassword {
        password: password(3),
        shown,
        keeps: session,
    };
    let changed = Event::PasswordSet {
        password: password(3),
        keeps: session,
    };
    let account = given::<Account>([created(), password_set(1), password_set(2)]);
    account.clone().when(change(Some(password(2)))).then([changed.clone()]);
    account
        .clone()
        .when(change(Some(password(1))))
        .then_rejected(&Rejection::PasswordMoved);
    account.when(change(None)).then([changed]);
}

#[test]
fn an_account_is_opened_by_its_password_of_now_and_by_identities_that_are_linked() {
    let identity = Digest::from_bytes([9; 32]);
    let account = given::<Account>([
        created(),
        password_set(1),
        password_set(2),
        Event::IdentityLinked { identity },
    ]);
    let account = account.state().unwrap();
    assert_eq!(account.admits(&Proof::Password(password(2))), Ok(()));
    assert_eq!(account.admits(&Proof::Identity(identity)), Ok(()));
    let before = Proof::Password(password(1));
    assert_eq!(account.admits(&before), Err(Rejection::NotProven));
    let other = Proof::Identity(Digest::from_bytes([8; 32]));
    assert_eq!(account.admits(&other), Err(Rejection::NotProven));
}

#[test]
fn nothing_opens_an_account_that_is_blocked_until_it_is_unblocked() {
    let block = || Command::Block {
        is_last_administrator: false,
    };
    let blocked = [created(), password_set(1), Event::AccountBlocked {}];
    given::<Account>([created()])
        .when(block())
        .then([Event::AccountBlocked {}]);
    given::<Account>(blocked.clone()).when(block()).then([]);
    let proof = Proof::Password(password(1));
    let state = given::<Account>(blocked.clone()).state().unwrap();
    assert_eq!(state.admits(&proof), Err(Rejection::Blocked));
    given::<Account>(blocked.clone())
        .when(Command::Unblock)
        .then([Event::AccountUnblocked {}]);
    let unblocked = given::<Account>(blocked).and(crate::spec::somebody(), [Event::AccountUnblocked {}]);
    assert_eq!(unblocked.clone().state().unwrap().admits(&proof), Ok(()));
    unblocked.when(Command::Unblock).then([]);
}

#[test]
fn nothing_opens_an_account_that_was_erased() {
    let identity = Digest::from_bytes([9; 32]);
    let account = given::<Account>([created(), password_set(1), Event::IdentityLinked { identity }, erased()]);
    let account = account.state().unwrap();
    let refused = Err(Rejection::Erased);
    assert_eq!(account.admits(&Proof::Password(password(1))), refused);
    assert_eq!(account.admits(&Proof::Identity(identity)), refused);
}

#[test]
fn the_last_administrator_is_not_blocked() {
    given::<Account>([created()])
        .when(Command::Block {
            is_last_administrator: true,
        })
        .then_rejected(&Rejection::LastAdministrator);
}

#[test]
fn an_identity_is_linked_once_and_claims_the_account() {
    let identity = Digest::from_bytes([9; 32]);
    let link = || Command::LinkIdentity { identity };
    let linked = Event::IdentityLinked { identity };
    given::<Account>([created()]).when(link()).then([linked.clone()]);
    given::<Account>([created(), linked.clone()]).when(link()).then([]);
    let is_unclaimed = |events: &[Event]| given::<Account>(events.to_vec()).state().unwrap().is_unclaimed();
    assert!(is_unclaimed(&[created()]));
    for claim in [linked, password_set(1), issued(token(), None), Event::AccountBlocked {}] {
        assert!(!is_unclaimed(&[created(), claim]));
    }
}
