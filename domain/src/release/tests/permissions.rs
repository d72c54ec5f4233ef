use super::fixtures::*;
use crate::{permission::Permission, release::Command, spec::somebody};

#[test]
fn trying_again_and_cancelling_take_what_the_operation_took() {
    let rollback_failed = rolling_back().and(somebody(), [failed(crate::release::OperationKind::Upgrade, 4)]);
    for (state, expected) in [
        (installing(), Permission::ReleaseInstall),
        (install_failed(), Permission::ReleaseInstall),
        (upgrading(), Permission::ReleaseUpgrade),
        (upgrade_cancelled(), Permission::ReleaseUpgrade),
        (rolling_back(), Permission::ReleaseRollback),
        (rollback_failed, Permission::ReleaseRollback),
        (uninstalling(), Permission::ReleaseUninstall),
        (running(), Permission::ReleaseUpgrade),
    ] {
        let release = state.state();
        for command in [Command::Retry, Command::Cancel] {
            assert_eq!(command.permission(release.as_ref()), Some(expected), "{release:?}");
        }
    }
}

#[test]
fn what_the_worker_reports_takes_no_permission_and_everything_else_does() {
    for command in [start(1), succeed(1), fail(1), give_up(1)] {
        assert_eq!(command.permission(None), None);
    }
    for command in [
        install(),
        upgrade(deployment("12.0.0")),
        roll_back(1),
        Command::Retry,
        Command::Cancel,
        uninstall(),
    ] {
        assert!(command.permission(None).is_some());
    }
}
