use proptest::prelude::*;

use super::world::*;
use crate::{
    search::Wanted,
    storefront::{self, Filter, Shelf, Sort},
};

#[tokio::test]
async fn no_text_is_an_error_to_search_for() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    for text in [
        "\"",
        "\"\"",
        "'",
        "redis\"",
        "redis*",
        "*",
        "^redis",
        "redis AND",
        "AND",
        "OR NOT",
        "NEAR(redis, 2)",
        "name:redis",
        "{name} : x",
        "filters : \"uncategorised\"",
        "(",
        ")",
        "re-dis",
        "redis + x",
        "a\0b",
        "🚀",
        "redis 🚀",
        "é",
        "ｒｅｄｉｓ",
        "--",
        ";DROP TABLE app",
        "\u{301}",
        "\u{202e}sider",
        "%",
        "_",
    ] {
        world
            .ask(move |conn| storefront::list(conn, &with_words(text), Sort::NewestPublication, &first(10)))
            .await;
    }
    let many = "word ".repeat(10_000);
    world
        .ask(move |conn| {
            storefront::list(
                conn,
                &Filter {
                    shelf: Shelf::Uncategorised,
                    ..with_words(&many)
                },
                Sort::NewestPublication,
                &first(10),
            )
        })
        .await;
    let long = "x".repeat(1_000_000);
    world
        .ask(move |conn| storefront::list(conn, &with_words(&long), Sort::NewestPublication, &first(10)))
        .await;
}

#[tokio::test]
async fn a_text_without_a_word_finds_nothing() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    for text in ["🚀", "\"", "***"] {
        let page = world
            .ask(move |conn| storefront::list(conn, &with_words(text), Sort::NewestPublication, &first(10)))
            .await;
        assert!(page.items.is_empty(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_becomes_a_query_that_the_index_accepts(text in ".{0,80}") {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE VIRTUAL TABLE t USING fts5 (name, chart, summary, keywords, readme, filters)").unwrap();
        let filter = Filter { maintainer: Some(text.clone()), ..with_words(&text) };
        if let Wanted::Matching(query) = Wanted::by(&filter) {
            let mut statement = conn.prepare("SELECT rowid FROM t WHERE t MATCH ?").unwrap();
            let found = statement.query_map([&query], |_| Ok(())).unwrap().count();
            prop_assert_eq!(found, 0, "{}", query);
        }
    }
}
