//! A server that is cut off from its log answers nothing from what may be out of date.

use harness::{
    Person, Server, admin::Admin, person::Answer, postgres::Postgres, server::PATIENCE, socket::Socket, text,
};
use reqwest::Method;
use serde_json::json;

const QUERY: &str = "{ viewer { account { name } } }";

async fn asked(person: &Person) -> Answer {
    let request = person.request(Method::POST, "/graphql");
    Answer::to(request.json(&json!({ "query": QUERY }))).await
}

/// Asks until the answer has this status.
async fn until(status: u16, person: &Person) -> Answer {
    let answered = async {
        loop {
            let answer = asked(person).await;
            if answer.status == status {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, answered).await;
    in_time.unwrap_or_else(|_| panic!("no answer with status {status}"))
}

#[tokio::test]
async fn a_server_that_lost_sight_of_its_log_answers_nothing_until_it_sees_it_again() {
    let postgres = Postgres::start();
    let (url, folder) = (postgres.url(), tempfile::tempdir().unwrap());
    let admin = Admin::of(folder.path());
    admin
        .run(&["--log", &url, "account", "create", "ada", "--role", "platform-admin"])
        .await;
    let token = admin.run(&["--log", &url, "token", "create", "ada"]).await;
    let server = Server::start_with(folder.path(), &["--log", &url, "--head-age-max", "2s"]).await;
    let ada = Person::new("ada", text(&token, "/token"), server.address());
    assert_eq!(asked(&ada).await.status, 200);
    let mut socket = Socket::open(&ada).await;
    socket
        .asks("a", "subscription { reviewQueueChanged { submission } }")
        .await;
    assert_eq!(socket.hears().await.unwrap()["type"], "next");

    postgres.stop();
    until(503, &ada).await.refusal().says("LOG_UNAVAILABLE", &["2s"]);
    for path in ["/events", "/exports/decisions.csv", "/charts/store/index.yaml"] {
        ada.get(path).await.refusal().says("LOG_UNAVAILABLE", &[]);
    }
    let closed = socket.hears().await.unwrap_err();
    assert_eq!(closed.code, 1013, "try again later: {}", closed.reason);
    assert!(closed.reason.contains("2s"), "{}", closed.reason);
    assert_eq!(ada.get("/readyz").await.status, 503);
    assert_eq!(ada.get("/livez").await.status, 200);
    assert_eq!(
        ada.get("/log/checkpoint").await.status,
        200,
        "what is signed stays true"
    );

    postgres.start_again();
    until(200, &ada).await;
    assert_eq!(ada.get("/readyz").await.status, 200);
}
