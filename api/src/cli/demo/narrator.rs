//! Tells the story: who does what, and which facts it left in the log.

use serde_json::{Value, json};

use super::{
    person::{Person, TalkError, text},
    queries,
};

pub struct Narrator {
    auditor: Person,
    /// The last position that was told of.
    told: i64,
    step: u32,
}

impl Narrator {
    /// Begins behind everything that is in the log already.
    pub async fn start(auditor: &Person) -> Result<Self, TalkError> {
        let mut narrator = Self {
            auditor: auditor.clone(),
            told: -1,
            step: 0,
        };
        let before = narrator.news().await?;
        let facts: Vec<_> = before.iter().map(|(event, _)| event.as_str()).collect();
        println!("     admin            sets the store up: four accounts, their roles, a workspace, a project");
        println!(
            "{:23}{} facts, from {} to {}\n",
            "",
            facts.len(),
            facts.first().unwrap_or(&"?"),
            facts.last().unwrap_or(&"?")
        );
        Ok(narrator)
    }

    /// Tells of one step, and fails if it did not leave the facts it should.
    pub async fn tell(&mut self, who: &Person, what: &str, expected: &[&str]) -> Result<(), TalkError> {
        self.step += 1;
        let news = self.news().await?;
        println!("{:>3}  {:<16} {what}", self.step, who.name());
        let facts: Vec<_> = news
            .iter()
            .map(|(event, position)| format!("{event} @{position}"))
            .collect();
        if !facts.is_empty() {
            println!("{:23}{}", "", facts.join(", "));
        }
        let events: Vec<_> = news.iter().map(|(event, _)| event.as_str()).collect();
        if events == expected {
            return Ok(());
        }
        Err(TalkError::Story(format!(
            "step {} should have left {expected:?} and left {events:?}",
            self.step
        )))
    }

    /// Tells of a step that the server refused, as it should.
    pub async fn tell_refusal(
        &mut self,
        who: &Person,
        what: &str,
        outcome: Result<Value, TalkError>,
        expected_code: &str,
    ) -> Result<(), TalkError> {
        match outcome {
            Err(TalkError::Refused { code, message }) if code == expected_code => {
                self.tell(who, what, &[]).await?;
                println!("{:23}refused, {code}: {message}", "");
                Ok(())
            }
            Err(other) => Err(other),
            Ok(_) => Err(TalkError::Story(format!("{} could {what}, and should not", who.name()))),
        }
    }

    /// The events since the last look, the oldest first.
    async fn news(&mut self) -> Result<Vec<(String, i64)>, TalkError> {
        let mut news = vec![];
        let mut after = Value::Null;
        loop {
            let answer = self
                .auditor
                .ask(queries::AUDIT_TRAIL, json!({ "after": after }))
                .await?;
            let nodes = answer
                .pointer("/auditTrail/nodes")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            for node in &nodes {
                let position: i64 = text(node, "/position")?.parse().unwrap_or_default();
                if position > self.told {
                    news.push((text(node, "/event")?, position));
                }
            }
            let more = answer.pointer("/auditTrail/pageInfo/hasNextPage") == Some(&Value::Bool(true));
            let reached = nodes
                .last()
                .and_then(|node| text(node, "/position").ok()?.parse::<i64>().ok());
            if !more || reached.is_none_or(|position| position <= self.told) {
                break;
            }
            after = answer
                .pointer("/auditTrail/pageInfo/endCursor")
                .cloned()
                .unwrap_or_default();
        }
        news.reverse();
        self.told = news.last().map_or(self.told, |(_, position)| *position);
        Ok(news)
    }
}
