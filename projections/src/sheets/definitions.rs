//! What the sheet of each view shows, and of which rows it is made.

use super::View;

/// How a view becomes a sheet. In its SQL, `t` is the table.
pub(super) struct Definition {
    /// The tables whose rows make a row, each with the key of that.
    pub(super) tables: &'static [(&'static str, &'static str)],
    pub(super) from: &'static str,
    /// What names a row, with `{row}` in place of the table.
    pub(super) key: &'static str,
    pub(super) order: &'static str,
    /// The column with the app that a row is about.
    pub(super) app: Option<&'static str>,
    pub(super) columns: &'static [Column],
    /// How many of the columns a narrow table has.
    pub(super) brief: usize,
}

pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Plain,
    /// Milliseconds since 1970.
    Time,
    Flag,
    Json,
}

const fn plain(name: &'static str, sql: &'static str) -> Column {
    let kind = Kind::Plain;
    Column { name, sql, kind }
}

const fn time(name: &'static str, sql: &'static str) -> Column {
    let kind = Kind::Time;
    Column { name, sql, kind }
}

const fn flag(name: &'static str, sql: &'static str) -> Column {
    let kind = Kind::Flag;
    Column { name, sql, kind }
}

const fn json(name: &'static str, sql: &'static str) -> Column {
    let kind = Kind::Json;
    Column { name, sql, kind }
}

impl View {
    pub(super) const fn definition(self) -> &'static Definition {
        match self {
            Self::Store => &STORE,
            Self::Apps => &APPS,
            Self::Versions => &VERSIONS,
            Self::ReviewQueue => &REVIEW_QUEUE,
            Self::Categories => &CATEGORIES,
            Self::Workspaces => &WORKSPACES,
            Self::Projects => &PROJECTS,
            Self::Clusters => &CLUSTERS,
            Self::Accounts => &ACCOUNTS,
            Self::Roles => &ROLES,
            Self::Grants => &GRANTS,
            Self::Invitations => &INVITATIONS,
            Self::ReviewPolicy => &REVIEW_POLICY,
            Self::Releases => &RELEASES,
            Self::Revisions => &REVISIONS,
            Self::Audit => &AUDIT,
            Self::Decisions => &DECISIONS,
        }
    }
}

const BY_ID: &str = "lower(hex({row}.id))";
const BY_POSITION: &str = "printf('%020d', {row}.position)";

const STORE: Definition = Definition {
    tables: &[("store_entry", "lower(hex({row}.app))")],
    from: "store_entry t LEFT JOIN listing l ON l.digest = t.listing LEFT JOIN chart c ON c.digest = t.chart_document",
    key: "lower(hex({row}.app))",
    order: "t.published DESC",
    app: Some("t.app"),
    columns: &[
        plain("chart", "t.chart"),
        plain("displayName", "l.display_name"),
        plain("version", "t.version"),
        plain("category", "t.category"),
        plain("workspace", "t.workspace"),
        time("publishedAt", "t.published_at"),
        plain("published", "t.published"),
        plain("app", "t.app"),
        plain("summary", "l.summary"),
        plain("appVersion", "c.app_version"),
        plain("package", "t.package"),
        plain("listing", "t.listing"),
        plain("firstPublished", "t.first_published"),
        time("firstPublishedAt", "t.first_published_at"),
    ],
    brief: 7,
};

const APPS: Definition = Definition {
    tables: &[("app", BY_ID)],
    from: "app t",
    key: BY_ID,
    order: "t.uploaded",
    app: Some("t.id"),
    columns: &[
        plain("chart", "t.chart"),
        plain("status", "t.status"),
        plain("latest", "json_extract(t.row, '$.latest')"),
        plain("category", "json_extract(t.row, '$.category')"),
        plain("workspace", "t.workspace"),
        plain("uploadedAt", "json_extract(t.row, '$.uploaded.at')"),
        plain("uploadedBy", "json_extract(t.row, '$.uploaded.by')"),
        plain("uploaded", "t.uploaded"),
        plain("app", "t.id"),
        json("listing", "json_extract(t.row, '$.listing')"),
        json("suspension", "json_extract(t.row, '$.suspension')"),
    ],
    brief: 7,
};

const VERSIONS: Definition = Definition {
    tables: &[("version", "lower(hex({row}.app)) || '/' || {row}.sort_key")],
    from: "version t",
    key: "lower(hex({row}.app)) || '/' || {row}.sort_key",
    order: "t.app, t.sort_key DESC",
    app: Some("t.app"),
    columns: &[
        plain("app", "t.app"),
        plain("version", "json_extract(t.row, '$.number')"),
        plain("stage", "t.stage"),
        plain("reviewer", "json_extract(t.row, '$.claim.reviewer')"),
        plain("decision", "json_extract(t.row, '$.decision.decision')"),
        plain("publishedAt", "json_extract(t.row, '$.published.at')"),
        plain("updatedAt", "json_extract(t.row, '$.updated.at')"),
        plain("revision", "json_extract(t.row, '$.revision')"),
        plain("workspace", "json_extract(t.row, '$.workspace')"),
        json("package", "json_extract(t.row, '$.package')"),
        json("submission", "json_extract(t.row, '$.submission')"),
        json("decided", "json_extract(t.row, '$.decision')"),
        json("suspension", "json_extract(t.row, '$.suspension')"),
        json("uploaded", "json_extract(t.row, '$.uploaded')"),
        json("updated", "json_extract(t.row, '$.updated')"),
        json("published", "json_extract(t.row, '$.published')"),
        json("contributors", "json_extract(t.row, '$.contributors')"),
    ],
    brief: 7,
};

const REVIEW_QUEUE: Definition = Definition {
    tables: &[("queue", "lower(hex({row}.submission))")],
    from: "queue t",
    key: "lower(hex({row}.submission))",
    order: "t.submitted",
    app: Some("t.app"),
    columns: &[
        plain("app", "t.app"),
        plain("version", "json_extract(t.row, '$.subject.number')"),
        plain("reviewer", "json_extract(t.row, '$.claim.reviewer')"),
        plain("submittedAt", "json_extract(t.row, '$.submitted.at')"),
        plain("submittedBy", "json_extract(t.row, '$.submitted.by')"),
        plain("workspace", "json_extract(t.row, '$.workspace')"),
        plain("submitted", "t.submitted"),
        plain("submission", "t.submission"),
        plain("package", "json_extract(t.row, '$.subject.package')"),
        plain("listing", "json_extract(t.row, '$.listing')"),
        plain("claimedAt", "json_extract(t.row, '$.claim.since')"),
        json("review", "json_extract(t.row, '$.review')"),
    ],
    brief: 7,
};

const CATEGORIES: Definition = Definition {
    tables: &[("category", BY_ID), ("store_entry", "lower(hex({row}.category))")],
    from: "category t",
    key: BY_ID,
    order: "t.name",
    app: None,
    columns: &[
        plain("name", "t.name"),
        plain("icon", "t.icon"),
        plain("apps", "(SELECT count(*) FROM store_entry e WHERE e.category = t.id)"),
        plain("created", "t.created"),
        plain("category", "t.id"),
    ],
    brief: 4,
};

const WORKSPACES: Definition = Definition {
    tables: &[("workspace", BY_ID)],
    from: "workspace t",
    key: BY_ID,
    order: "t.name",
    app: None,
    columns: &[
        plain("name", "t.name"),
        plain("created", "t.created"),
        plain("closed", "t.closed"),
        plain("workspace", "t.id"),
    ],
    brief: 3,
};

const PROJECTS: Definition = Definition {
    tables: &[("project", BY_ID)],
    from: "project t",
    key: BY_ID,
    order: "t.workspace, t.name",
    app: None,
    columns: &[
        plain("name", "t.name"),
        plain("workspace", "t.workspace"),
        plain("cluster", "t.cluster"),
        plain("namespace", "t.namespace"),
        plain("created", "t.created"),
        plain("status", "t.status"),
        plain("failure", "t.failure"),
        plain("project", "t.id"),
    ],
    brief: 5,
};

const CLUSTERS: Definition = Definition {
    tables: &[("cluster", BY_ID)],
    from: "cluster t",
    key: BY_ID,
    order: "t.name",
    app: None,
    columns: &[
        plain("name", "t.name"),
        plain("kind", "t.kind"),
        plain("created", "t.created"),
        plain("uid", "t.uid"),
        plain("version", "t.version"),
        plain("trouble", "t.trouble"),
        plain("cluster", "t.id"),
    ],
    brief: 3,
};

const ACCOUNTS: Definition = Definition {
    tables: &[("account", BY_ID)],
    from: "account t",
    key: BY_ID,
    order: "t.created",
    app: None,
    columns: &[
        json("name", "t.name"),
        time("createdAt", "t.created_at"),
        plain("created", "t.created"),
        plain("revision", "t.revision"),
        plain("account", "t.id"),
    ],
    brief: 4,
};

const ROLES: Definition = Definition {
    tables: &[("role", "{row}.key")],
    from: "role t",
    key: "{row}.key",
    order: "t.workspace, t.name",
    app: None,
    columns: &[
        plain("name", "t.name"),
        plain("workspace", "t.workspace"),
        json("permissions", "t.permissions"),
        plain("retired", "t.retired"),
        plain("revision", "t.revision"),
    ],
    brief: 4,
};

const GRANTS: Definition = Definition {
    tables: &[(
        "granted",
        "lower(hex({row}.account)) || '/' || {row}.role || '/' || {row}.scope",
    )],
    from: "granted t",
    key: "lower(hex({row}.account)) || '/' || {row}.role || '/' || {row}.scope",
    order: "t.since, t.account, t.role, t.scope",
    app: None,
    columns: &[
        plain("account", "t.account"),
        plain("role", "t.role"),
        json("scope", "t.scope"),
        plain("since", "t.since"),
    ],
    brief: 4,
};

const INVITATIONS: Definition = Definition {
    tables: &[("invitation", "{row}.invited || '/' || {row}.role || '/' || {row}.scope")],
    from: "invitation t",
    key: "{row}.invited || '/' || {row}.role || '/' || {row}.scope",
    order: "t.since, t.invited, t.role, t.scope",
    app: None,
    columns: &[
        plain("invited", "t.invited"),
        plain("role", "t.role"),
        json("scope", "t.scope"),
        plain("by", "t.by"),
        plain("since", "t.since"),
    ],
    brief: 5,
};

const REVIEW_POLICY: Definition = Definition {
    tables: &[("review_policy", "{row}.one")],
    from: "review_policy t",
    key: "{row}.one",
    order: "t.one",
    app: None,
    columns: &[
        json("policy", "t.policy"),
        plain("setAt", "json_extract(t.mark, '$.at')"),
        plain("setBy", "json_extract(t.mark, '$.by')"),
        plain("set", "json_extract(t.mark, '$.position')"),
    ],
    brief: 4,
};

const RELEASES: Definition = Definition {
    tables: &[("release", BY_ID)],
    from: "release t",
    key: BY_ID,
    order: "t.created",
    app: Some("t.app"),
    columns: &[
        plain("name", "json_extract(t.row, '$.name')"),
        plain("app", "t.app"),
        plain("project", "t.project"),
        plain("wanted", "json_extract(t.row, '$.wanted.version')"),
        plain("observed", "json_extract(t.row, '$.observed.version')"),
        plain("operation", "json_extract(t.row, '$.operation.kind')"),
        plain("failed", "json_extract(t.row, '$.failure.operation')"),
        flag("uninstalled", "t.uninstalled"),
        plain("revision", "json_extract(t.row, '$.revision')"),
        plain("updatedAt", "json_extract(t.row, '$.updated.at')"),
        plain("workspace", "t.workspace"),
        plain("created", "t.created"),
        plain("release", "t.id"),
        json("wantedDeployment", "json_extract(t.row, '$.wanted')"),
        json("observedDeployment", "json_extract(t.row, '$.observed')"),
        json("requested", "json_extract(t.row, '$.requested')"),
    ],
    brief: 10,
};

const REVISIONS: Definition = Definition {
    tables: &[(
        "release_revision",
        "lower(hex({row}.release)) || '/' || printf('%020d', {row}.revision)",
    )],
    from: "release_revision t",
    key: "lower(hex({row}.release)) || '/' || printf('%020d', {row}.revision)",
    order: "t.release, t.revision",
    app: None,
    columns: &[
        plain("release", "t.release"),
        plain("revision", "t.revision"),
        plain(
            "cause",
            "coalesce('rollback to ' || json_extract(t.row, '$.cause.rollback.to'), json_extract(t.row, '$.cause'))",
        ),
        plain("version", "json_extract(t.row, '$.deployment.version')"),
        plain("requestedBy", "json_extract(t.row, '$.requested.by')"),
        plain("observedAt", "json_extract(t.row, '$.observed.at')"),
        plain("package", "json_extract(t.row, '$.deployment.digest')"),
        plain("attempt", "json_extract(t.row, '$.attempt')"),
        plain("requested", "json_extract(t.row, '$.requested.position')"),
        plain("observed", "json_extract(t.row, '$.observed.position')"),
    ],
    brief: 6,
};

const AUDIT: Definition = Definition {
    tables: &[("audit", BY_POSITION)],
    from: "audit t",
    key: BY_POSITION,
    order: "t.position",
    app: Some("t.app"),
    columns: &[
        plain("position", "t.position"),
        time("at", "t.at"),
        plain("actor", "t.actor"),
        plain("event", "t.event"),
        plain("app", "t.app"),
        plain("version", "t.version"),
        plain("release", "t.release"),
        plain("workspace", "t.workspace"),
        plain("project", "t.project"),
        plain("category", "t.category"),
        plain("account", "t.account"),
        plain("submission", "t.submission"),
        plain("stream", "t.stream"),
        plain("revision", "t.revision"),
        plain("id", "t.id"),
        plain("correlation", "t.correlation"),
        plain("causation", "t.causation"),
    ],
    brief: 7,
};

const DECISIONS: Definition = Definition {
    tables: &[("decision", BY_POSITION)],
    from: "decision t",
    key: BY_POSITION,
    order: "t.position",
    app: Some("t.app"),
    columns: &[
        plain("position", "t.position"),
        time("at", "t.at"),
        plain("reviewer", "t.reviewer"),
        plain("decision", "t.decision"),
        plain("chart", "t.chart"),
        plain("version", "t.version"),
        json("reason", "t.reason"),
        plain("stage", "json_extract(t.terms, '$.stage')"),
        json("roles", "t.roles"),
        plain("policy", "t.policy"),
        plain("exception", "json_extract(t.terms, '$.exception')"),
        flag("last", "t.last"),
        plain("app", "t.app"),
        plain("workspace", "t.workspace"),
        plain("submission", "t.submission"),
        plain("package", "t.package"),
        plain("listing", "t.listing"),
    ],
    brief: 7,
};
