//! `charthouse demo`: the whole life of an app, played through the public API by four people.

mod artwork;
mod narrator;
mod people;
mod person;
mod queries;
mod story;

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Args;

use self::{narrator::Narrator, people::People};
use super::serve::{Role, Server, stop_asked_for};
use crate::config::{DataFolder, Log, ServerOptions};

#[derive(Debug, Args)]
pub struct Demo {
    /// Folder to play in; it must be empty, or not be there yet
    #[arg(long, env = "CHARTHOUSE_DATA", default_value = "charthouse-demo", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    log: Log,
    /// End after the last step instead of leaving the server running; the exit status says whether every step went as
    /// told
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    options: ServerOptions,
}

impl Demo {
    pub async fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let data = DataFolder {
            root: self.data,
            master_key: None,
            log: self.log,
        };
        if std::fs::read_dir(data.path()).is_ok_and(|mut entries| entries.next().is_some()) {
            let folder = data.path().display();
            return Err(
                format!("the demo needs an empty folder, and {folder} is not; name another one with --data").into(),
            );
        }
        let server = Server::start(data.clone(), self.options, Role::All).await?;
        let url = format!("http://{}", server.address);
        println!(
            "Charthouse plays the life of a Redis app on {url}, in {}.\n",
            data.path().display()
        );

        let people = People::sign_up(&data, &url).await?;
        let mut narrator = Narrator::start(&people.admin).await?;
        let played = story::play(&people, &mut narrator).await;
        if let Err(error) = &played {
            eprintln!("\nThe demo went wrong: {error}");
        }
        if self.exit || played.is_err() {
            server.stop().await;
            return Ok(if played.is_ok() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        what_next(&url, &people);
        stop_asked_for().await?;
        server.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}

fn what_next(url: &str, people: &People) {
    let query = queries::FIRST.split_whitespace().collect::<Vec<_>>().join(" ");
    let encoded = serde_urlencoded::to_string([("token", people.user.token()), ("query", &query)]).unwrap_or_default();
    let token = people.user.token();
    println!("\nThe server is still running. Try this:\n");
    println!("  Ask it, in a browser (GraphiQL, signed in as project-regular):\n    {url}/graphql#{encoded}\n");
    println!("  Ask it, in a shell:");
    println!("    curl -s {url}/graphql -H 'Authorization: Bearer {token}' \\");
    println!("      -H 'Content-Type: application/json' -d '{{\"query\":\"{query}\"}}'\n");
    println!("  Use the store as a Helm repository:");
    println!("    helm repo add charthouse {url}/charts/store --username demo --password {token}");
    println!("    helm search repo charthouse\n");
    println!("  Tokens of the others, to see what they see:");
    for person in [&people.isv, &people.reviewer, &people.admin] {
        println!("    {:<16}{}", person.name(), person.token());
    }
    println!("\nCtrl-C stops the server.");
}
