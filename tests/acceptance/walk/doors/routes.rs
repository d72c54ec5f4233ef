//! The paths beside GraphQL: pages, pictures, archives, uploads, exports, the feed and the published log.

use super::{super::World, Door};

/// Routes that are walked elsewhere: GraphQL's socket by the subscriptions, and signing in by a provider, which takes one
/// to talk to, by the stories of `oidc`.
pub const ELSEWHERE: [&str; 3] = ["/graphql/ws", "/auth/oidc/start", "/auth/oidc/callback"];

/// What is fetched, by the route it takes.
pub fn downloads(world: &World) -> Vec<Door> {
    let World {
        icon,
        screenshot,
        draft_package,
        submitted_package,
        published_icon,
        published_package,
        signed,
        ..
    } = world;
    let door = |route, needs, path: &str| Door::query(route, needs, path.to_owned());
    let public = |path| Door::query(path, &[], path.to_owned()).public();
    let entries = format!("/log/tile/entries/000.p/{signed}");
    let hashes = format!("/log/tile/0/000.p/{signed}");
    let mut doors = vec![
        public("/"),
        public("/graphql"),
        public("/livez"),
        public("/readyz"),
        public("/log/checkpoint"),
        public("/log/vkey"),
        door("/log/tile/{*place}", &[], &hashes).public(),
        door("/log/tile/{*place}", &["audit.view"], &entries),
        door("/apps/{app}/icon", &["workspace.view"], icon),
        door("/apps/{app}/icon", &["store.view"], published_icon),
        door("/apps/{app}/screenshots/{number}", &["workspace.view"], screenshot),
        door(
            "/apps/{app}/versions/{version}/package",
            &["workspace.view"],
            draft_package,
        ),
        door(
            "/apps/{app}/versions/{version}/package",
            &["workspace.view", "review.view"],
            submitted_package,
        ),
        door(
            "/apps/{app}/versions/{version}/package",
            &["store.view"],
            published_package,
        ),
        door("/charts/store/index.yaml", &["store.view"], "/charts/store/index.yaml"),
        door(
            "/charts/store/{archive}",
            &["store.view"],
            "/charts/store/redis-11.3.4.tgz",
        ),
        door(
            "/charts/workspaces/{workspace}/index.yaml",
            &["workspace.view"],
            "/charts/workspaces/acme/index.yaml",
        ),
        door(
            "/charts/workspaces/{workspace}/{archive}",
            &["workspace.view"],
            "/charts/workspaces/acme/valkey-1.0.0.tgz",
        ),
        door("/events", &["audit.view"], "/events"),
    ];
    for extension in ["csv", "jsonl", "cloudevents.json", "zip"] {
        let path = format!("/exports/decisions.{extension}");
        doors.push(door("/exports/{file}", &["audit.view"], &path));
    }
    doors
}

/// What is sent, by its kind.
pub fn uploads() -> Vec<Door> {
    let upload = |kind: &str, needs| Door::query("/uploads", needs, kind.to_owned());
    vec![
        upload("chart", &["app.upload", "version.upload", "package.replace"]),
        upload("icon", &["listing.edit"]),
        upload("screenshot", &["listing.edit"]),
    ]
}
