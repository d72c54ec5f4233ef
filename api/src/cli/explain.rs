//! `charthouse explain`: the chain of facts that led a version to where it is.

use std::{collections::HashMap, error::Error};

use clap::Args;
use domain::{
    app::App,
    decider::Decider,
    digest::Sealed,
    ids::{AccountId, Actor, AppId},
    version_number::VersionNumber,
};
use eventstore::{EventStore, Position, Recorded, Revision, StreamName};
use projections::explanation::{self, Explanation, Step};
use serde_json::{Value, json};

use super::{
    moment::At,
    offline::{Offline, Opened},
    table::{line, shown},
};
use crate::{config::DataFolder, content::Content};

/// Events looked through at once for the upload of an app.
const EVENTS_PER_LOOK: usize = 10_000;

#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    data: DataFolder,
    /// The app: the name of its chart, or its id
    app: String,
    /// The number of the version
    #[arg(value_name = "VERSION")]
    number: VersionNumber,
    /// As it was then: a position of the log, a time, a day (its end, in UTC), or now
    #[arg(long, value_name = "MOMENT", default_value = "now")]
    at: At,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let offline = Offline::open(&self.data).await?;
        let size = self.at.size(&offline).await?;
        let mut explanation = self.find(&offline.log, size).await?;
        if !Content::new(offline.blobs.clone(), offline.log.clone())
            .has(explanation.package)
            .await?
        {
            explanation = explanation.without_content();
        }
        let mut people = People::new(&offline);
        match self.json {
            true => line!("{}", to_json(&explanation, &mut people).await?),
            false => print(&self.app, &explanation, &mut people).await?,
        }
        Ok(())
    }

    /// The version of the one app that is called so and had it.
    async fn find(&self, log: &EventStore, size: u64) -> Result<Explanation, Box<dyn Error>> {
        let ids = match self.app.parse() {
            Ok(id) => vec![id],
            Err(_) => uploaded_as(log, &self.app, size).await?,
        };
        let mut found = vec![];
        for id in ids {
            let events = before(log, id, size).await?;
            found.extend(explanation::of(id, &events, &self.number)?);
        }
        match (found.pop(), found.as_slice()) {
            (Some(explanation), []) => Ok(explanation),
            (None, _) => Err(format!(
                "there was no version {} of an app {} at that moment",
                self.number, self.app
            )
            .into()),
            (Some(last), others) => {
                let ids = others
                    .iter()
                    .chain([&last])
                    .map(|explanation| explanation.app.to_string());
                let ids = ids.collect::<Vec<_>>().join(", ");
                Err(format!("several apps are called {}; name one by its id: {ids}", self.app).into())
            }
        }
    }
}

/// The events of an app among the first `size` of the log.
async fn before(log: &EventStore, app: AppId, size: u64) -> Result<Vec<Recorded>, Box<dyn Error>> {
    let mut events = log
        .read_stream(&StreamName::new(App::CATEGORY, app)?, Revision::NONE)
        .await?;
    events.retain(|event| event.position.get() < size);
    Ok(events)
}

/// The apps that were uploaded with this chart name.
async fn uploaded_as(log: &EventStore, chart: &str, size: u64) -> Result<Vec<AppId>, Box<dyn Error>> {
    let (mut found, mut next) = (vec![], Position::START);
    loop {
        let events = log.read(next, EVENTS_PER_LOOK).await?;
        let Some(last) = events.last().filter(|_| next.get() < size) else {
            return Ok(found);
        };
        next = last.position.next();
        for event in events.iter().filter(|event| event.name == "AppUploaded") {
            let data: Value = serde_json::from_str(event.envelope()?.data.get())?;
            if data.get("chart").and_then(Value::as_str) == Some(chart) {
                found.push(event.stream.key().parse()?);
            }
        }
    }
}

/// Names of people, looked up once each.
struct People<'a> {
    offline: &'a Offline,
    names: HashMap<AccountId, String>,
}

impl<'a> People<'a> {
    fn new(offline: &'a Offline) -> Self {
        Self {
            offline,
            names: HashMap::new(),
        }
    }

    async fn name(&mut self, actor: Actor) -> Result<String, Box<dyn Error>> {
        let Actor::Account(account) = actor else {
            return Ok("Charthouse".to_owned());
        };
        if let Some(name) = self.names.get(&account) {
            return Ok(name.clone());
        }
        let stream = StreamName::new(domain::account::Account::CATEGORY, account)?;
        let events = self.offline.log.read_stream(&stream, Revision::NONE).await?;
        let mut name = account.to_string();
        for event in events.iter().filter(|event| event.name == "AccountCreated") {
            let data: Value = serde_json::from_str(event.envelope()?.data.get())?;
            if let Ok(sealed) = serde_json::from_value::<Sealed>(data["name"].clone()) {
                name = match self.offline.unseal(&sealed).await? {
                    Opened::Sealed => name,
                    opened => opened.words(),
                };
            }
        }
        self.names.insert(account, name.clone());
        Ok(name)
    }

    async fn reason(&self, step: &Step) -> Result<Option<String>, Box<dyn Error>> {
        match &step.facts.reason {
            Some(sealed) => Ok(Some(self.offline.unseal(sealed).await?.words())),
            None => Ok(None),
        }
    }
}

async fn print(app: &str, explanation: &Explanation, people: &mut People<'_>) -> Result<(), Box<dyn Error>> {
    let shows = if explanation.is_in_store { "is" } else { "is not" };
    line!(
        "{} {} is {} and {shows} in the store:",
        shown(app),
        explanation.number,
        explanation.stage.as_str()
    );
    for reason in &explanation.reasons {
        line!("  {reason} ({})", reason.code());
    }
    line!("");
    for step in &explanation.steps {
        let (at, who) = (rfc3339(step), shown(&people.name(step.actor).await?));
        line!("{:>6}  {at}  {who}: {} ({})", step.position, step.words, step.event);
        if let Some(reason) = people.reason(step).await? {
            line!("          reason: {}", shown(&reason));
        }
        for (name, digest) in [
            ("package", step.facts.package),
            ("listing", step.facts.listing),
            ("review policy", step.facts.policy),
        ] {
            if let Some(digest) = digest {
                line!("          {name}: {digest}");
            }
        }
        if let Some(submission) = step.facts.submission {
            line!("          submission: {submission}");
        }
        if let Some(before) = step.before.filter(|before| *before != step.after) {
            line!("          {} -> {}", before.as_str(), step.after.as_str());
        }
    }
    Ok(())
}

async fn to_json(explanation: &Explanation, people: &mut People<'_>) -> Result<Value, Box<dyn Error>> {
    let mut steps = vec![];
    for step in &explanation.steps {
        let facts = &step.facts;
        steps.push(json!({
            "position": step.position,
            "at": rfc3339(step),
            "actor": step.actor.to_string(),
            "actorName": people.name(step.actor).await?,
            "event": step.event,
            "words": step.words,
            "stageBefore": step.before,
            "stageAfter": step.after,
            "wasInStore": step.was_in_store,
            "isInStore": step.is_in_store,
            "submission": facts.submission,
            "package": facts.package,
            "listing": facts.listing,
            "policy": facts.policy,
            "decision": facts.decision,
            "authority": facts.authority,
            "reason": people.reason(step).await?,
        }));
    }
    let reasons = explanation.reasons.iter();
    let reasons: Vec<_> = reasons
        .map(|reason| json!({ "code": reason.code(), "words": reason.to_string() }))
        .collect();
    Ok(json!({
        "app": explanation.app,
        "version": explanation.number,
        "stage": explanation.stage,
        "package": explanation.package,
        "isInStore": explanation.is_in_store,
        "reasons": reasons,
        "steps": steps,
    }))
}

fn rfc3339(step: &Step) -> String {
    step.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
