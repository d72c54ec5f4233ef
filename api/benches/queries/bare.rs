//! The limit: a handler that runs the SQL of the store's page and serialises the same JSON, and knows nothing of GraphQL.

use std::path::PathBuf;

use axum::{Json, Router, body::Bytes, extract::State, http::header, response::IntoResponse, routing::post};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ids::CategoryId;
use eventstore::{EventStore, Mode};
use projections::{
    Moment, PageRequest, Views,
    storefront::{self, Entry, Filter, Shelf, Sort},
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Request {
    variables: Variables,
}

#[derive(Deserialize)]
struct Variables {
    search: String,
    category: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    store: Store<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Store<'a> {
    edges: Vec<Edge<'a>>,
    page_info: PageInfo,
}

#[derive(Serialize)]
struct Edge<'a> {
    cursor: String,
    node: Node<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    chart_name: &'a str,
    display_name: &'a str,
    summary: Option<&'a str>,
    keywords: &'a [String],
    icon_path: Option<String>,
    app_version: Option<&'a str>,
    published_at: String,
    first_published_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// Serves the views in a data folder that no server is using; the first line it prints says where.
pub(crate) async fn serve(data: PathBuf) {
    let url = format!("sqlite://{}", data.join("log.db").display());
    let log = EventStore::open(&url, Mode::ReadOnly).await.unwrap();
    let views = Views::open(&data.join("views.db"), &log).await.unwrap();
    let router = Router::new().route("/graphql", post(answer)).with_state(views);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listens on http://{}/graphql", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn answer(State(views): State<Views>, body: Bytes) -> impl IntoResponse {
    let Request { variables } = serde_json::from_slice(&body).unwrap();
    let Variables { search, category } = variables;
    let category = URL_SAFE_NO_PAD.decode(category).unwrap();
    let (_, category) = std::str::from_utf8(&category).unwrap().split_once(':').unwrap();
    let shelf = Shelf::Category(CategoryId::from_uuid(category.parse().unwrap()));
    let filter = Filter {
        text: Some(search),
        shelf,
        ..Filter::default()
    };
    let request = PageRequest::new(20, None);
    let page = views
        .read_inline(Moment::Now, move |view| {
            storefront::list(view, &filter, Sort::default(), &request)
        })
        .await
        .unwrap();
    let edges = page.items.iter().map(|item| Edge {
        cursor: URL_SAFE_NO_PAD.encode(item.key.as_str()),
        node: Node::of(&item.row),
    });
    let edges: Vec<_> = edges.collect();
    let page_info = PageInfo {
        has_next_page: page.has_next,
        end_cursor: edges.last().map(|edge| edge.cursor.clone()),
    };
    let store = Store { edges, page_info };
    (
        [(header::CACHE_CONTROL, "no-store")],
        Json(Answer { data: Data { store } }),
    )
        .into_response()
}

impl<'a> Node<'a> {
    fn of(entry: &'a Entry) -> Self {
        let card = entry.card.as_ref();
        let icon = card.and_then(|card| card.icon);
        Self {
            chart_name: entry.chart.as_str(),
            display_name: card.map_or(entry.chart.as_str(), |card| &card.display_name),
            summary: card.map(|card| card.summary.as_str()),
            keywords: card.map_or(&[], |card| &card.keywords),
            icon_path: icon.map(|_| format!("/apps/{}/icon?listing={}", entry.app, entry.listing)),
            app_version: entry.app_version.as_deref(),
            published_at: entry.published_at.to_rfc3339(),
            first_published_at: entry.first_published_at.to_rfc3339(),
        }
    }
}
