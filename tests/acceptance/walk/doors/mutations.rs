//! The mutations, each with what it takes.

mod clusters;

use serde_json::json;

use super::{super::World, Door};

const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn zeros() -> String {
    format!("sha256:{}", "0".repeat(64))
}

/// Inputs are good enough to come past the question who asks; what they ask for is refused, or does no harm to the next.
pub fn mutations(world: &World) -> Vec<Door> {
    let mut all = about_reviews_and_the_store(world);
    all.extend(about_uploads_and_shelves(world));
    all.extend(about_releases(world));
    all.extend(about_people(world));
    all.extend(clusters::mutations(world));
    all
}

fn about_uploads_and_shelves(world: &World) -> Vec<Door> {
    vec![
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "uploadApp",
                &["app.upload"],
                move |_| json!({ "workspace": workspace, "upload": "none" }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "uploadVersion",
                &["version.upload"],
                move |_| json!({ "app": app, "upload": "none" }),
            )
        },
        {
            let draft_version = world.draft_version.clone();
            Door::mutation(
                "replacePackage",
                &["package.replace"],
                move |_| json!({ "version": draft_version, "upload": "none" }),
            )
        },
        {
            let draft = world.draft.clone();
            Door::mutation(
                "editListing",
                &["listing.edit"],
                move |who| json!({ "app": draft, "summary": who }),
            )
        },
        {
            let draft = world.draft.clone();
            Door::mutation(
                "setIcon",
                &["listing.edit"],
                move |_| json!({ "app": draft, "upload": "none" }),
            )
        },
        Door::mutation(
            "createCategory",
            &["category.create"],
            |who| json!({ "name": format!("Shelf of {who}"), "icon": "box" }),
        ),
        {
            let category = world.category.clone();
            Door::mutation(
                "editCategory",
                &["category.edit"],
                move |_| json!({ "category": category, "icon": "box" }),
            )
        },
        {
            let category = world.category.clone();
            Door::mutation(
                "deleteCategory",
                &["category.delete"],
                move |_| json!({ "category": category }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "assignCategory",
                &["app.categorise", "category.assign"],
                move |_| json!({ "app": app }),
            )
        },
        {
            let workspace = world.workspace.clone();
            let app = world.app.clone();
            Door::mutation(
                "moveApp",
                &["app.move"],
                move |_| json!({ "app": app, "workspace": workspace }),
            )
        },
        {
            let listing = world.listing.clone();
            Door::mutation(
                "removeContent",
                &["content.remove"],
                move |_| json!({ "digest": listing, "reason": "" }),
            )
        },
    ]
}

fn about_reviews_and_the_store(world: &World) -> Vec<Door> {
    vec![
        {
            let version = world.version.clone();
            Door::mutation(
                "submitVersion",
                &["version.submit"],
                move |_| json!({ "version": version }),
            )
        },
        {
            let version = world.version.clone();
            Door::mutation(
                "withdrawVersion",
                &["version.withdraw"],
                move |_| json!({ "version": version }),
            )
        },
        {
            let version = world.version.clone();
            Door::mutation(
                "deleteVersion",
                &["version.delete"],
                move |_| json!({ "version": version }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation("deleteApp", &["app.delete"], move |_| json!({ "app": app }))
        },
        {
            let app = world.app.clone();
            Door::mutation("submitListing", &["listing.submit"], move |_| json!({ "app": app }))
        },
        {
            let app = world.app.clone();
            Door::mutation("withdrawListing", &["listing.withdraw"], move |_| json!({ "app": app }))
        },
        {
            let version = world.version.clone();
            Door::mutation("startReview", &["review.start"], move |_| json!({ "version": version }))
        },
        {
            let version = world.version.clone();
            Door::mutation(
                "releaseReview",
                &["review.start"],
                move |_| json!({ "version": version }),
            )
        },
        {
            let submitted = world.submitted.clone();
            Door::mutation(
                "approveVersion",
                &["review.approve"],
                move |_| json!({ "version": submitted, "submission": NIL, "packageDigest": zeros(), "listingDigest": zeros() }),
            )
        },
        {
            let submitted = world.submitted.clone();
            Door::mutation(
                "rejectVersion",
                &["review.reject"],
                move |_| json!({ "version": submitted, "submission": NIL, "packageDigest": zeros(), "listingDigest": zeros(), "reason": "no" }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation("startListingReview", &["review.start"], move |_| json!({ "app": app }))
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "releaseListingReview",
                &["review.start"],
                move |_| json!({ "app": app }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "approveListing",
                &["review.approve"],
                move |_| json!({ "app": app, "submission": NIL, "listingDigest": zeros() }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "rejectListing",
                &["review.reject"],
                move |_| json!({ "app": app, "submission": NIL, "listingDigest": zeros(), "reason": "no" }),
            )
        },
        {
            let version = world.version.clone();
            Door::mutation(
                "publishVersion",
                &["version.publish"],
                move |_| json!({ "version": version }),
            )
        },
        {
            let submitted = world.submitted.clone();
            Door::mutation(
                "suspendVersion",
                &["version.suspend", "store.suspend"],
                move |_| json!({ "version": submitted }),
            )
        },
        {
            let submitted = world.submitted.clone();
            Door::mutation(
                "resumeVersion",
                &["version.resume", "store.resume"],
                move |_| json!({ "version": submitted }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "suspendApp",
                &["app.suspend", "store.suspend"],
                move |_| json!({ "app": app }),
            )
        },
        {
            let app = world.app.clone();
            Door::mutation(
                "resumeApp",
                &["app.resume", "store.resume"],
                move |_| json!({ "app": app }),
            )
        },
    ]
}

fn about_releases(world: &World) -> Vec<Door> {
    vec![
        {
            let project = world.project.clone();
            let version = world.version.clone();
            Door::mutation(
                "installRelease",
                &["release.install"],
                move |_| json!({ "project": project, "name": "another", "version": version }),
            )
        },
        {
            let release = world.release.clone();
            Door::mutation(
                "upgradeRelease",
                &["release.upgrade"],
                move |_| json!({ "release": release, "values": "a: 1" }),
            )
        },
        {
            let release = world.release.clone();
            Door::mutation(
                "rollbackRelease",
                &["release.rollback"],
                move |_| json!({ "release": release, "revision": 1 }),
            )
        },
        {
            let release = world.release.clone();
            Door::mutation(
                "retryOperation",
                &["release.upgrade"],
                move |_| json!({ "release": release }),
            )
        },
        {
            let release = world.release.clone();
            Door::mutation(
                "cancelOperation",
                &["release.upgrade"],
                move |_| json!({ "release": release }),
            )
        },
        {
            let release = world.release.clone();
            Door::mutation(
                "uninstallRelease",
                &["release.uninstall"],
                move |_| json!({ "release": release }),
            )
        },
    ]
}

fn about_people(world: &World) -> Vec<Door> {
    vec![
        Door::mutation(
            "createAccount",
            &["account.manage"],
            |who| json!({ "name": format!("friend-of-{who}") }),
        ),
        {
            let account = world.account.clone();
            Door::mutation(
                "eraseAccount",
                &["account.manage"],
                move |_| json!({ "account": account, "name": "not-confirmed" }),
            )
        },
        Door::mutation(
            "signIn",
            &[],
            |who| json!({ "name": who, "password": "not the password" }),
        )
        .public(),
        Door::mutation("signOut", &[], |_| json!({})),
        {
            let session = world.guest_session.clone();
            Door::mutation(
                "closeSession",
                &["account.manage"],
                move |_| json!({ "session": session }),
            )
        },
        Door::mutation("setPassword", &[], |_| json!({ "password": "short" })),
        {
            let guest = world.guest.clone();
            Door::mutation(
                "resetPassword",
                &["account.manage"],
                move |_| json!({ "account": guest, "password": "nine lamps on cold stairs" }),
            )
        },
        {
            let guest = world.guest.clone();
            Door::mutation(
                "blockAccount",
                &["account.manage"],
                move |_| json!({ "account": guest }),
            )
        },
        {
            let guest = world.guest.clone();
            Door::mutation(
                "unblockAccount",
                &["account.manage"],
                move |_| json!({ "account": guest }),
            )
        },
        Door::mutation(
            "createToken",
            &[],
            |_| json!({ "name": "walk", "permissions": ["store.view"] }),
        ),
        Door::mutation("revokeToken", &[], |_| json!({ "token": NIL })),
        Door::mutation(
            "defineRole",
            &["role.manage"],
            |who| json!({ "role": format!("role-of-{who}"), "permissions": ["store.view"] }),
        ),
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "retireRole",
                &["workspace-role.manage"],
                move |_| json!({ "role": "auditor", "workspace": workspace }),
            )
        },
        {
            let workspace = world.workspace.clone();
            let account = world.account.clone();
            Door::mutation(
                "grantRole",
                &["member.manage"],
                move |_| json!({ "account": account, "role": "workspace-viewer", "workspace": workspace }),
            )
        },
        {
            let workspace = world.workspace.clone();
            let account = world.account.clone();
            Door::mutation(
                "revokeRole",
                &["member.manage"],
                move |_| json!({ "account": account, "role": "workspace-regular", "workspace": workspace }),
            )
        },
        Door::mutation(
            "setReviewPolicy",
            &["policy.manage"],
            |_| json!({ "stages": [{ "name": "review" }] }),
        ),
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "inviteMember",
                &["member.manage"],
                move |who| json!({ "name": who, "role": "workspace-viewer", "workspace": workspace }),
            )
        },
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "withdrawInvitation",
                &["member.manage"],
                move |who| json!({ "name": who, "role": "workspace-viewer", "workspace": workspace }),
            )
        },
        Door::mutation("acceptInvitation", &[], |_| json!({ "role": "workspace-viewer" })),
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "declineInvitation",
                &[],
                move |_| json!({ "role": "workspace-viewer", "workspace": workspace }),
            )
        },
        Door::mutation(
            "createWorkspace",
            &["workspace.manage"],
            |who| json!({ "name": format!("of-{who}") }),
        ),
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "closeWorkspace",
                &["workspace.close"],
                move |_| json!({ "workspace": workspace }),
            )
        },
        {
            let workspace = world.workspace.clone();
            Door::mutation(
                "createProject",
                &["project.manage"],
                move |who| json!({ "workspace": workspace, "name": format!("of-{who}") }),
            )
        },
    ]
}
