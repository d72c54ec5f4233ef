//! What the four people send.

/// What a newcomer may ask first.
pub const FIRST: &str = "{ store { nodes { displayName summary latestVersion { number } category { name } } } }";

pub const AUDIT_TRAIL: &str = "query($after: String) { auditTrail(first: 100, after: $after) { nodes { position event } pageInfo { hasNextPage endCursor } } }";

pub const UPLOAD_APP: &str = "mutation($input: UploadAppInput!) { uploadApp(input: $input) { app { id versions { nodes { id number } } } userErrors { code message } } }";

pub const UPLOAD_VERSION: &str = "mutation($input: UploadVersionInput!) { uploadVersion(input: $input) { version { id number stage } userErrors { code message } } }";

pub const EDIT_LISTING: &str =
    "mutation($input: EditListingInput!) { editListing(input: $input) { app { id } userErrors { code message } } }";

pub const SET_ICON: &str =
    "mutation($input: SetIconInput!) { setIcon(input: $input) { app { id } userErrors { code message } } }";

pub const SUBMIT_VERSION: &str = "mutation($input: VersionInput!) { submitVersion(input: $input) { version { stage } userErrors { code message } } }";

pub const START_REVIEW: &str =
    "mutation($input: VersionInput!) { startReview(input: $input) { version { stage } userErrors { code message } } }";

pub const REVIEW_QUEUE: &str = "{ reviewQueue { nodes { submission version { id number packageDigest chart { readme } } listing { digest content { summary } } } } }";

pub const REJECT_VERSION: &str = "mutation($input: RejectVersionInput!) { rejectVersion(input: $input) { version { stage } userErrors { code message } } }";

pub const APPROVE_VERSION: &str = "mutation($input: ApproveVersionInput!) { approveVersion(input: $input) { version { stage } userErrors { code message } } }";

pub const PUBLISH_VERSION: &str = "mutation($input: VersionInput!) { publishVersion(input: $input) { version { stage } userErrors { code message } } }";

pub const CREATE_CATEGORY: &str = "mutation($input: CreateCategoryInput!) { createCategory(input: $input) { category { id } userErrors { code message } } }";

pub const ASSIGN_CATEGORY: &str = "mutation($input: AssignCategoryInput!) { assignCategory(input: $input) { app { category { name } } userErrors { code message } } }";

pub const STORE: &str = "query($search: String, $category: ID) { store(search: $search, category: $category) { nodes { app { id } displayName latestVersion { id number } } } }";

pub const INSTALL_RELEASE: &str = "mutation($input: InstallReleaseInput!) { installRelease(input: $input) { release { id status } userErrors { code message } } }";

pub const UPGRADE_RELEASE: &str = "mutation($input: UpgradeReleaseInput!) { upgradeRelease(input: $input) { release { id status } userErrors { code message } } }";

pub const ROLLBACK_RELEASE: &str = "mutation($input: RollbackReleaseInput!) { rollbackRelease(input: $input) { release { id status } userErrors { code message } } }";

pub const UNINSTALL_RELEASE: &str = "mutation($input: UninstallReleaseInput!) { uninstallRelease(input: $input) { release { id status } userErrors { code message } } }";

pub const RELEASE: &str = "query($id: ID!) { release(id: $id) { status operation revision observed { versionNumber } attempts(first: 1) { nodes { failure output } } } }";

pub const SUSPEND_APP: &str =
    "mutation($input: SuspendAppInput!) { suspendApp(input: $input) { app { status } userErrors { code message } } }";

pub const RESUME_APP: &str =
    "mutation($input: AppInput!) { resumeApp(input: $input) { app { status } userErrors { code message } } }";
