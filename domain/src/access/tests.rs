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
