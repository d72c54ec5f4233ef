//! Any object by its global id.

use async_graphql::{Context, ID, Interface, Object};

use super::{
    NodeId,
    accounts::Account,
    apps::App,
    categories::Category,
    clusters::Cluster,
    error::Result,
    releases::Release,
    tenancy::{Project, Workspace},
    versions::Version,
    viewer::viewer,
};

/// An object with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
#[expect(
    clippy::large_enum_variant,
    reason = "an answer has one, and it lives as long as the answer"
)]
pub enum Node {
    Account(Account),
    App(App),
    Category(Category),
    Cluster(Cluster),
    Project(Project),
    Release(Release),
    Version(Version),
    Workspace(Workspace),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its global id; absent if it does not exist, or the viewer may not know that it does.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        viewer(ctx)?;
        let Some(id) = NodeId::parse(&id) else { return Ok(None) };
        Ok(match id {
            NodeId::Account(id) => Account::find(ctx, id).await?.map(Node::Account),
            NodeId::App(id) => App::load(ctx, id).await?.map(Node::App),
            NodeId::Category(id) => Category::load(ctx, id).await?.map(Node::Category),
            NodeId::Cluster(id) => Cluster::load(ctx, id).await?.map(Node::Cluster),
            NodeId::Project(id) => Project::load(ctx, id).await?.map(Node::Project),
            NodeId::Release(id) => Release::load(ctx, id).await?.map(Node::Release),
            NodeId::Version(app, number) => Version::load(ctx, app, number).await?.map(Node::Version),
            NodeId::Workspace(id) => Workspace::load(ctx, id).await?.map(Node::Workspace),
        })
    }
}
