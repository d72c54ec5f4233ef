//! Who reaches where, and the policy as a document.

mod document;

use uuid::Uuid;

use super::*;

fn principal(role: &str, scope: Scope) -> Principal {
    let account = AccountId::from_uuid(Uuid::from_u128(1));
    Principal::resolve(account, [(role.parse().unwrap(), scope)], &Roles::default())
}

fn workspace(n: u128) -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(n))
}

#[test]
fn a_workspace_role_reaches_its_workspace_and_the_projects_in_it_and_no_other() {
    let admin = principal(
        "workspace-admin",
        Scope::Workspace {
            workspace: workspace(1),
        },
    );
    let project = ProjectId::from_uuid(Uuid::from_u128(9));
    assert!(admin.may(Permission::AppUpload, Place::Workspace(workspace(1))));
    assert!(admin.may(
        Permission::ReleaseInstall,
        Place::Project {
            project,
            workspace: workspace(1)
        }
    ));
    assert!(!admin.may(Permission::AppUpload, Place::Workspace(workspace(2))));
    assert!(!admin.may(
        Permission::ReleaseInstall,
        Place::Project {
            project,
            workspace: workspace(2)
        }
    ));
    assert!(!admin.may(Permission::ReviewApprove, Place::Platform));
}

#[test]
fn a_platform_administrator_does_not_act_inside_a_workspace() {
    let admin = principal("platform-admin", Scope::Platform {});
    assert!(admin.may(Permission::ReviewApprove, Place::Platform));
    assert_eq!(
        admin.authorize(Permission::WorkspaceView, Place::Workspace(workspace(1))),
        Err(Denied {
            permission: Permission::WorkspaceView
        })
    );
}

#[test]
fn a_role_nobody_defined_allows_nothing_but_to_see_the_store() {
    let nobody = principal("app-review", Scope::Platform {});
    let allowed = Permission::ALL.iter().filter(|p| nobody.may(**p, Place::Platform));
    assert_eq!(allowed.collect::<Vec<_>>(), [&Permission::StoreView]);
}

#[test]
fn a_platform_role_granted_in_a_workspace_does_not_reach_the_platform() {
    let odd = principal(
        "platform-admin",
        Scope::Workspace {
            workspace: workspace(1),
        },
    );
    assert!(!odd.may(Permission::ReviewApprove, Place::Platform));
}

#[test]
fn a_narrowed_token_does_what_both_it_and_the_account_may_and_nothing_else() {
    let here = Scope::Workspace {
        workspace: workspace(1),
    };
    let to = [Permission::AppUpload, Permission::ReviewApprove].into();
    let token = principal("workspace-admin", here).narrowed(&to);
    assert!(token.may(Permission::AppUpload, Place::Workspace(workspace(1))));
    assert!(!token.may(Permission::AppUpload, Place::Workspace(workspace(2))));
    // It is not allowed more than the account is,
    assert!(!token.may(Permission::ReviewApprove, Place::Platform));
    // nor what it does not name, be it what everybody may.
    assert!(!token.may(Permission::VersionUpload, Place::Workspace(workspace(1))));
    assert!(!token.may(Permission::StoreView, Place::Platform));
}

#[test]
fn for_every_role_a_token_narrowed_to_one_permission_may_exactly_that_if_the_account_may() {
    let places = [Place::Platform, Place::Workspace(workspace(1))];
    let scopes = [
        Scope::Platform {},
        Scope::Workspace {
            workspace: workspace(1),
        },
    ];
    for role in crate::role::BUILT_IN {
        for scope in scopes {
            let account = principal(role.name, scope);
            for narrowed_to in Permission::ALL {
                let token = account.clone().narrowed(&[*narrowed_to].into());
                for (asked, place) in Permission::ALL
                    .iter()
                    .flat_map(|asked| places.map(|place| (asked, place)))
                {
                    let expected = asked == narrowed_to && account.may(*asked, place);
                    assert_eq!(
                        token.may(*asked, place),
                        expected,
                        "{} {asked} by {narrowed_to}",
                        role.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_accounts_own_affairs_are_not_for_a_narrowed_token() {
    let account = principal("platform-admin", Scope::Platform {});
    assert_eq!(account.own_affairs(), Ok(()));
    let every = Permission::ALL.iter().copied().collect();
    assert_eq!(account.narrowed(&every).own_affairs(), Err(Narrowed));
}

#[test]
fn what_a_narrowed_token_cannot_reach_it_is_no_member_of() {
    let here = Scope::Workspace {
        workspace: workspace(1),
    };
    let token = principal("workspace-viewer", here).narrowed(&[Permission::ReviewView].into());
    assert!(token.grants.is_empty());
}
