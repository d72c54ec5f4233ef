//! The name of every event that can be stored, and the file that shows it.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    account, app, category, cluster, content,
    event::{DomainEvent, Stored, StoredEvent, UndecodableEvent},
    export, health, invitation, log, name, project, refusal, release, review_policy, role, session, workspace,
};

macro_rules! stored_events {
    ($($aggregate:ident = $module:ident { $($event:ident)+ })+) => {
        /// The name of every event that the log may hold.
        pub(super) const STORED_NAMES: &[&str] = &[$($(stringify!($event),)+)+];

        /// A new event fails to compile here: name it in the list below, and check in its golden file.
        pub(super) fn name_of(event: &DomainEvent) -> &'static str {
            match event {
                $($(DomainEvent::$aggregate($module::Event::$event { .. }) => stringify!($event),)+)+
            }
        }

        pub(super) fn store(event: &DomainEvent) -> Result<Stored, UndecodableEvent> {
            match event {
                $(DomainEvent::$aggregate(event) => event.store(),)+
            }
        }
    };
}

stored_events! {
    Account = account {
        AccountCreated RoleGranted RoleRevoked TokenIssued TokenRevoked PasswordSet IdentityLinked
        AccountBlocked AccountUnblocked SubjectErased
    }
    App = app {
        AppUploaded VersionUploaded PackageReplaced ListingEdited IconSet CategoryAssigned
        VersionSubmitted VersionWithdrawn ReviewStarted ReviewReleased ApprovalGiven VersionApproved VersionRejected
        PublishedToStore
        ListingSubmitted ListingWithdrawn ListingReviewStarted ListingReviewReleased ListingApprovalGiven ListingApproved ListingRejected
        Suspended Resumed AppMoved VersionDeleted AppDeleted
    }
    Category = category { CategoryCreated CategoryEdited AppShelved AppUnshelved CategoryDeleted }
    Cluster = cluster {
        ClusterRegistered KubeconfigReplaced ClusterReached ClusterLost ClusterScopeAllowed ClusterScopeForbidden
    }
    Export = export { DecisionsExported }
    Content = content { ContentRemoved }
    Health = health { HealthChanged }
    Invitation = invitation { MemberInvited InvitationAccepted InvitationWithdrawn InvitationsWithdrawn }
    Log = log { LogRestored }
    Name = name { NameTaken NameReleased }
    Policy = review_policy { ReviewPolicySet }
    Project = project { ProjectCreated PreparationRequested ProjectPrepared PreparationFailed }
    Refusal = refusal { SignInRefused }
    Release = release {
        InstallRequested UpgradeRequested RollbackRequested UninstallRequested RetryRequested CancellationRequested
        OperationStarted ReleaseInstalled ReleaseUpgraded ReleaseUninstalled OperationFailed OperationCancelled
    }
    Role = role { RoleDefined RoleRetired }
    Session = session { SessionOpened SessionClosed }
    Workspace = workspace {
        WorkspaceCreated AppJoined AppLeft ProjectJoined ReleaseJoined ReleaseLeft WorkspaceClosed
    }
}

/// One file of `tests/golden/events`: an event as the log held it when its schema was new.
///
/// It is called `<event>.<schema>.json`, or `<event>.<schema>.<case>.json` where facts may be absent.
#[derive(Debug, Clone)]
pub(super) struct Golden {
    pub event: String,
    pub schema: u32,
    pub category: String,
    pub data: Value,
}

pub(super) fn golden_files() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/events");
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| golden_file(&file.unwrap().path())).collect()
}

fn golden_file(path: &Path) -> Golden {
    let file_name = path.file_name().unwrap().to_str().unwrap();
    let ([event, schema, "json"] | [event, schema, _, "json"]) = file_name.split('.').collect::<Vec<_>>()[..] else {
        panic!("{file_name} is not called <event>.<schema>.json or <event>.<schema>.<case>.json");
    };
    let content: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    Golden {
        event: event.to_owned(),
        schema: schema.parse().unwrap(),
        category: content["category"].as_str().unwrap().to_owned(),
        data: content["data"].clone(),
    }
}
