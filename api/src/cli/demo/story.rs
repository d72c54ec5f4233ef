//! The story: from the upload of Redis 11.3.4 to the upgrade to 12.0.0, with a rejection and a suspension on the way,
//! and back to what ran before.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    artwork,
    narrator::Narrator,
    people::People,
    person::{Person, TalkError, text},
    queries,
};

const INSTALLED: &[&str] = &[
    "InstallRequested",
    "NameTaken",
    "ReleaseJoined",
    "OperationStarted",
    "ReleaseInstalled",
];
const UPGRADED: &[&str] = &["UpgradeRequested", "OperationStarted", "ReleaseUpgraded"];
const ROLLED_BACK: &[&str] = &["RollbackRequested", "OperationStarted", "ReleaseUpgraded"];
/// An operation of the demo takes well under a second.
const OPERATION_MAX: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

pub async fn play(people: &People, narrator: &mut Narrator) -> Result<(), TalkError> {
    let (app, first) = upload(people, narrator).await?;
    test(people, narrator, &first).await?;
    reject_and_approve(people, narrator, &app, &first).await?;
    publish(people, narrator, &app, &first).await?;
    let release = install(people, narrator).await?;
    let second = next_version(people, narrator, &app).await?;
    upgrade(people, narrator, &release, &second).await?;
    suspend_and_resume(people, narrator, &app, &second, &release).await?;
    roll_back(people, narrator, &release).await
}

async fn upload(people: &People, narrator: &mut Narrator) -> Result<(String, String), TalkError> {
    let isv = &people.isv;
    let chart = isv
        .upload(
            &people.workspace,
            "chart",
            artwork::redis_11_3_4().map_err(|error| broken(&error))?,
        )
        .await?;
    let answer = isv
        .ask(
            queries::UPLOAD_APP,
            input(&json!({ "workspace": people.workspace, "upload": chart })),
        )
        .await?;
    let app = text(&answer, "/uploadApp/app/id")?;
    let version = text(&answer, "/uploadApp/app/versions/nodes/0/id")?;
    narrator
        .tell(
            isv,
            "uploads the chart redis 11.3.4",
            &["AppUploaded", "VersionUploaded", "NameTaken", "AppJoined"],
        )
        .await?;

    let listing = json!({ "app": app, "displayName": "Redis", "summary": "A chart" });
    isv.ask(queries::EDIT_LISTING, input(&listing)).await?;
    let icon = isv
        .upload(
            &people.workspace,
            "icon",
            artwork::icon().map_err(|error| broken(&error))?,
        )
        .await?;
    isv.ask(queries::SET_ICON, input(&json!({ "app": app, "upload": icon })))
        .await?;
    narrator
        .tell(isv, "edits its listing and sets an icon", &["ListingEdited", "IconSet"])
        .await?;
    Ok((app, version))
}

async fn test(people: &People, narrator: &mut Narrator, version: &str) -> Result<(), TalkError> {
    let isv = &people.isv;
    let release = install_as(isv, &people.project, "redis-test", version, None).await?;
    settled(isv, &release, "RUNNING").await?;
    narrator.tell(isv, "test-installs the draft", INSTALLED).await?;
    isv.ask(queries::UNINSTALL_RELEASE, input(&json!({ "release": release })))
        .await?;
    settled(isv, &release, "UNINSTALLED").await?;
    let gone = &[
        "UninstallRequested",
        "OperationStarted",
        "ReleaseUninstalled",
        "NameReleased",
        "ReleaseLeft",
    ];
    narrator.tell(isv, "removes the test again", gone).await
}

async fn reject_and_approve(
    people: &People,
    narrator: &mut Narrator,
    app: &str,
    version: &str,
) -> Result<(), TalkError> {
    let (isv, reviewer) = (&people.isv, &people.reviewer);
    isv.ask(queries::SUBMIT_VERSION, input(&json!({ "version": version })))
        .await?;
    narrator
        .tell(isv, "submits 11.3.4 for review", &["VersionSubmitted"])
        .await?;
    let own = isv
        .ask(queries::START_REVIEW, input(&json!({ "version": version })))
        .await;
    narrator
        .tell_refusal(isv, "tries to review their own work", own, "FORBIDDEN")
        .await?;

    reviewer
        .ask(queries::START_REVIEW, input(&json!({ "version": version })))
        .await?;
    narrator
        .tell(
            reviewer,
            "takes it from the review queue and reads it",
            &["ReviewStarted"],
        )
        .await?;
    let mut read = what_was_read(reviewer, version).await?;
    read["reason"] = json!("The summary does not say what Redis is for.");
    reviewer.ask(queries::REJECT_VERSION, input(&read)).await?;
    narrator
        .tell(
            reviewer,
            "rejects it: the summary says too little",
            &["VersionRejected"],
        )
        .await?;

    let summary = "An in-memory store for caches, queues and sessions";
    let description = "# Redis\n\nKeeps strings, lists, hashes and streams **in memory** and, if wanted, on disk.";
    let listing = json!({ "app": app, "summary": summary, "description": description, "keywords": ["redis", "cache"] });
    isv.ask(queries::EDIT_LISTING, input(&listing)).await?;
    isv.ask(queries::SUBMIT_VERSION, input(&json!({ "version": version })))
        .await?;
    narrator
        .tell(
            isv,
            "improves the listing and submits again",
            &["ListingEdited", "VersionSubmitted"],
        )
        .await?;
    approve(reviewer, narrator, version, "approves exactly these bytes").await
}

async fn approve(reviewer: &Person, narrator: &mut Narrator, version: &str, what: &str) -> Result<(), TalkError> {
    reviewer
        .ask(queries::START_REVIEW, input(&json!({ "version": version })))
        .await?;
    let read = what_was_read(reviewer, version).await?;
    reviewer.ask(queries::APPROVE_VERSION, input(&read)).await?;
    narrator
        .tell(reviewer, what, &["ReviewStarted", "VersionApproved"])
        .await
}

async fn publish(people: &People, narrator: &mut Narrator, app: &str, version: &str) -> Result<(), TalkError> {
    let (isv, reviewer) = (&people.isv, &people.reviewer);
    isv.ask(queries::PUBLISH_VERSION, input(&json!({ "version": version })))
        .await?;
    narrator
        .tell(isv, "publishes 11.3.4 to the store", &["PublishedToStore", "NameTaken"])
        .await?;
    let category = json!({ "name": "Databases", "icon": "database" });
    let answer = reviewer.ask(queries::CREATE_CATEGORY, input(&category)).await?;
    let category = text(&answer, "/createCategory/category/id")?;
    reviewer
        .ask(
            queries::ASSIGN_CATEGORY,
            input(&json!({ "app": app, "category": category })),
        )
        .await?;
    let shelved = &["CategoryCreated", "NameTaken", "CategoryAssigned", "AppShelved"];
    narrator
        .tell(reviewer, "makes the category Databases and puts Redis there", shelved)
        .await
}

async fn install(people: &People, narrator: &mut Narrator) -> Result<String, TalkError> {
    let user = &people.user;
    let found = user.ask(queries::STORE, json!({ "search": "in-memory cach" })).await?;
    let version = text(&found, "/store/nodes/0/latestVersion/id")?;
    let release = install_as(user, &people.project, "cache", &version, None).await?;
    settled(user, &release, "RUNNING").await?;
    narrator
        .tell(
            user,
            "finds it by searching for \"in-memory cach\" and installs it",
            INSTALLED,
        )
        .await?;
    Ok(release)
}

async fn next_version(people: &People, narrator: &mut Narrator, app: &str) -> Result<String, TalkError> {
    let isv = &people.isv;
    let chart = isv
        .upload(
            &people.workspace,
            "chart",
            artwork::redis_12_0_0().map_err(|error| broken(&error))?,
        )
        .await?;
    let answer = isv
        .ask(queries::UPLOAD_VERSION, input(&json!({ "app": app, "upload": chart })))
        .await?;
    let version = text(&answer, "/uploadVersion/version/id")?;
    isv.ask(queries::SUBMIT_VERSION, input(&json!({ "version": version })))
        .await?;
    narrator
        .tell(
            isv,
            "uploads redis 12.0.0 and submits it",
            &["VersionUploaded", "VersionSubmitted"],
        )
        .await?;
    approve(&people.reviewer, narrator, &version, "approves 12.0.0").await?;
    isv.ask(queries::PUBLISH_VERSION, input(&json!({ "version": version })))
        .await?;
    narrator.tell(isv, "publishes 12.0.0", &["PublishedToStore"]).await?;
    Ok(version)
}

async fn upgrade(people: &People, narrator: &mut Narrator, release: &str, version: &str) -> Result<(), TalkError> {
    let values = "# two copies to read from\narchitecture: replication\nreplica:\n  replicaCount: 2\n";
    let wanted = json!({ "release": release, "version": version, "values": values });
    people.user.ask(queries::UPGRADE_RELEASE, input(&wanted)).await?;
    settled(&people.user, release, "RUNNING").await?;
    narrator
        .tell(
            &people.user,
            "upgrades the release to 12.0.0, with own values",
            UPGRADED,
        )
        .await
}

async fn suspend_and_resume(
    people: &People,
    narrator: &mut Narrator,
    app: &str,
    version: &str,
    release: &str,
) -> Result<(), TalkError> {
    let (reviewer, user) = (&people.reviewer, &people.user);
    let suspend = json!({ "app": app, "reason": "A vulnerability is being looked into." });
    reviewer.ask(queries::SUSPEND_APP, input(&suspend)).await?;
    narrator
        .tell(
            reviewer,
            "suspends the app: nobody finds or installs it now",
            &["Suspended"],
        )
        .await?;

    let again = install_as(user, &people.project, "second", version, None)
        .await
        .map(Value::String);
    narrator
        .tell_refusal(user, "tries to install it once more", again, "NOT_FOUND")
        .await?;
    let values = json!({ "release": release, "values": "architecture: standalone\n" });
    user.ask(queries::UPGRADE_RELEASE, input(&values)).await?;
    settled(user, release, "RUNNING").await?;
    narrator
        .tell(user, "goes on using and reconfiguring what already runs", UPGRADED)
        .await?;

    reviewer.ask(queries::RESUME_APP, input(&json!({ "app": app }))).await?;
    narrator.tell(reviewer, "resumes the app", &["Resumed"]).await?;
    let store = user.ask(queries::STORE, json!({ "search": "redis" })).await?;
    let latest = text(&store, "/store/nodes/0/latestVersion/number")?;
    if latest == "12.0.0" {
        Ok(())
    } else {
        Err(TalkError::Story(format!("the store offers {latest}, not 12.0.0")))
    }
}

/// Revision 1 is the installation, 2 the upgrade, 3 the reconfiguration.
async fn roll_back(people: &People, narrator: &mut Narrator, release: &str) -> Result<(), TalkError> {
    let user = &people.user;
    let back = json!({ "release": release, "revision": 2 });
    user.ask(queries::ROLLBACK_RELEASE, input(&back)).await?;
    settled(user, release, "RUNNING").await?;
    narrator
        .tell(
            user,
            "rolls the release back to the values it was upgraded with",
            ROLLED_BACK,
        )
        .await
}

async fn install_as(
    who: &Person,
    project: &str,
    name: &str,
    version: &str,
    values: Option<&str>,
) -> Result<String, TalkError> {
    let wanted = json!({ "project": project, "name": name, "version": version, "values": values });
    text(
        &who.ask(queries::INSTALL_RELEASE, input(&wanted)).await?,
        "/installRelease/release/id",
    )
}

/// What a decision has to name, read from the queue as a reviewer's page would.
async fn what_was_read(reviewer: &Person, version: &str) -> Result<Value, TalkError> {
    let queue = reviewer.ask(queries::REVIEW_QUEUE, json!({})).await?;
    let entries = queue
        .pointer("/reviewQueue/nodes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let entry = entries
        .into_iter()
        .find(|entry| entry.pointer("/version/id").and_then(Value::as_str) == Some(version));
    let entry = entry.ok_or_else(|| TalkError::Missing("the version in the review queue".to_owned(), queue))?;
    Ok(json!({
        "version": version,
        "submission": text(&entry, "/submission")?,
        "packageDigest": text(&entry, "/version/packageDigest")?,
        "listingDigest": text(&entry, "/listing/digest")?,
    }))
}

/// Waits until nothing of the release is under way, and fails if it did not end as it should.
async fn settled(who: &Person, release: &str, expected: &str) -> Result<(), TalkError> {
    let looks = async {
        loop {
            let answer = who.ask(queries::RELEASE, json!({ "id": release })).await?;
            if answer.pointer("/release/operation") == Some(&Value::Null) {
                return Ok::<_, TalkError>(answer);
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    };
    let late = |_| {
        TalkError::Story(format!(
            "the release was not {expected} within {} s",
            OPERATION_MAX.as_secs()
        ))
    };
    let answer = tokio::time::timeout(OPERATION_MAX, looks).await.map_err(late)??;
    let status = text(&answer, "/release/status")?;
    if status == expected {
        return Ok(());
    }
    let output = text(&answer, "/release/attempts/nodes/0/output").unwrap_or_default();
    Err(TalkError::Story(format!(
        "the release is {status}, not {expected}: {}",
        output.trim()
    )))
}

fn input(input: &Value) -> Value {
    json!({ "input": input })
}

fn broken(error: &std::io::Error) -> TalkError {
    TalkError::Story(format!("the demo's own files are broken: {error}"))
}
