//! Commands, given to a running server one after the other.

use std::{path::Path, process::Command, time::Instant};

use serde_json::{Value, json};

use crate::{TOKEN, process::Process};

pub(crate) struct Commander {
    server: Process,
    http: reqwest::Client,
    category: Value,
    guest: Value,
    edits: u64,
    is_guest_blocked: bool,
}

impl Commander {
    pub(crate) async fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_charthouse"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let mut commander = Self {
            server: Process::start(&mut command),
            http: reqwest::Client::new(),
            category: Value::Null,
            guest: Value::Null,
            edits: 0,
            is_guest_blocked: false,
        };
        let made = "mutation { createCategory(input: { name: \"Databases\", icon: \"box\" }) { category { id } } }";
        commander.category = commander.asks(made, &json!({})).await["createCategory"]["category"]["id"].take();
        let newest = "{ accounts(first: 1) { nodes { id } } }";
        commander.guest = commander.asks(newest, &json!({})).await["accounts"]["nodes"][0]["id"].take();
        commander
    }

    pub(crate) fn stop(self) {
        self.server.stop();
    }

    /// Microseconds that a command takes which changes nobody's rights.
    pub(crate) async fn edits(&mut self) -> f64 {
        let edit = "mutation($of: ID!, $icon: String!) { editCategory(input: { category: $of, icon: $icon }) \
            { position userErrors { code } } }";
        self.edits += 1;
        let icon = format!("box-{}", self.edits);
        let variables = json!({ "of": self.category, "icon": icon });
        self.timed("editCategory", edit, &variables).await
    }

    /// Microseconds that a command takes which changes what one account may do.
    pub(crate) async fn changes_rights(&mut self) -> f64 {
        let mutation = match self.is_guest_blocked {
            true => "unblockAccount",
            false => "blockAccount",
        };
        self.is_guest_blocked = !self.is_guest_blocked;
        let document = format!(
            "mutation($of: ID!) {{ {mutation}(input: {{ account: $of }}) {{ position userErrors {{ code }} }} }}"
        );
        self.timed(mutation, &document, &json!({ "of": self.guest })).await
    }

    async fn timed(&self, mutation: &str, document: &str, variables: &Value) -> f64 {
        let started = Instant::now();
        let data = self.asks(document, variables).await;
        let taken = started.elapsed();
        assert_eq!(data[mutation]["userErrors"], json!([]), "{mutation}");
        taken.as_secs_f64() * 1e6
    }

    async fn asks(&self, query: &str, variables: &Value) -> Value {
        let url = format!("http://{}/graphql", self.server.address);
        let body = json!({ "query": query, "variables": variables });
        let answer = self.http.post(url).bearer_auth(TOKEN).json(&body).send().await.unwrap();
        let mut answer: Value = answer.json().await.unwrap();
        match answer.get("errors") {
            None => answer["data"].take(),
            Some(errors) => panic!("{query}: {errors}"),
        }
    }
}
