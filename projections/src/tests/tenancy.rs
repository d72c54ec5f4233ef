use domain::{cluster as clusters, project as projects, workspace as workspaces};

use super::world::*;
use crate::tenancy;

#[tokio::test]
async fn workspaces_and_projects_are_found_by_id_by_name_and_in_lists() {
    let mut world = World::new().await;
    for (id, name) in [(1, "shop"), (2, "bank")] {
        let created = workspaces::Event::WorkspaceCreated {
            name: name.parse().unwrap(),
        };
        world
            .record(AUTHOR, &format!("workspace-{}", workspace(id)), &created)
            .await;
    }
    let registered = clusters::Event::ClusterRegistered {
        name: "local".parse().unwrap(),
        kind: clusters::Kind::Directory,
        kubernetes: None,
    };
    world
        .record(AUTHOR, &format!("cluster-{}", cluster(5)), &registered)
        .await;
    let created = projects::Event::ProjectCreated {
        workspace: workspace(1),
        name: "web".parse().unwrap(),
        cluster: cluster(5),
        namespace: "shop-web".parse().unwrap(),
    };
    world.record(AUTHOR, &format!("project-{}", project(7)), &created).await;

    let all = world.ask(|conn| tenancy::workspaces(conn, &first(10))).await;
    let names: Vec<_> = all.items.iter().map(|item| item.row.name.as_str()).collect();
    assert_eq!(names, ["bank", "shop"]);
    let shop = world
        .ask(|conn| tenancy::workspace_named(conn, &"shop".parse().unwrap()))
        .await;
    assert_eq!(shop, world.ask(|conn| tenancy::workspace(conn, workspace(1))).await);
    assert_eq!(shop.unwrap().id, workspace(1));

    let web = world
        .ask(|conn| tenancy::project_named(conn, workspace(1), &"web".parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(
        (web.id, web.cluster, web.namespace.as_str()),
        (project(7), cluster(5), "shop-web")
    );
    assert_eq!(
        world.ask(|conn| tenancy::project(conn, project(7))).await,
        Some(web.clone())
    );
    let of_shop = world
        .ask(|conn| tenancy::projects(conn, workspace(1), &first(10)))
        .await;
    assert_eq!(of_shop.items[0].row, web);
    let of_bank = world
        .ask(|conn| tenancy::projects(conn, workspace(2), &first(10)))
        .await;
    assert!(of_bank.items.is_empty());

    assert_eq!(world.views.access().project_workspace(project(7)), Some(workspace(1)));
}
