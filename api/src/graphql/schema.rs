//! The schema, and how it executes what comes over HTTP and over web sockets.
//!
//! The library hands every field and every item of a list to each extension that a schema has, which costs more than all
//! the rest of an answer. So there are two schemas of the same types: the one for HTTP has no extensions, and what they
//! would do is done here, around an execution. On web sockets every step of a subscription is an execution of its own,
//! and only an extension learns where one begins.

use std::{any::TypeId, sync::Arc};

use async_graphql::{Data, Executor, Request, Response};
use futures_util::stream::BoxStream;

use super::{Query, builder, limits::Limits, mutations::Mutation, subscriptions::Subscription, viewer};
use crate::{auth::Credentials, effects::Previews, services::Services};

type Library = async_graphql::Schema<Query, Mutation, Subscription>;

/// Executes documents. Clones share it.
#[derive(Clone)]
pub struct Schema {
    requests: Library,
    sockets: Library,
    services: Services,
}

impl Schema {
    pub(super) fn new(services: Services, previews: Previews) -> Self {
        let builder = |previews: Previews| builder().data(previews).data(services.clone());
        let limits = Limits::new(&services.limits);
        Self {
            requests: builder(previews.clone()).finish(),
            sockets: builder(previews)
                .extension(limits)
                .extension(viewer::Executions)
                .finish(),
            services,
        }
    }

    /// Executes a request that came by itself, with the credentials in its data.
    pub async fn execute(&self, request: impl Into<Request>) -> Response {
        let mut request = request.into();
        let limits = Limits::new(&self.services.limits);
        let begun = limits.admit(&mut request).and_then(|()| {
            limits.begin(&mut request.data);
            let credentials = credentials(&request.data);
            viewer::begin(&self.services, credentials, &mut request.data)
        });
        if let Err(refusal) = begun {
            return Response::from_errors(vec![refusal]);
        }
        viewer::in_time(&self.services, self.requests.execute(request)).await
    }
}

/// What sockets are given; see [`Schema::execute`] for requests.
impl Executor for Schema {
    async fn execute(&self, request: Request) -> Response {
        Self::execute(self, request).await
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.sockets
            .execute_stream_with_session_data(request, session.unwrap_or_default())
    }
}

fn credentials(data: &Data) -> Credentials {
    let shown = data.get(&TypeId::of::<Credentials>());
    let shown = shown.and_then(|shown| shown.downcast_ref());
    shown.copied().unwrap_or(Credentials::Absent)
}
