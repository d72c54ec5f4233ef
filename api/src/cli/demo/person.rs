//! Somebody with a token, who talks to the server over HTTP like any client.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Person {
    name: &'static str,
    token: String,
    url: String,
    http: reqwest::Client,
}

/// What went wrong in the talk.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    #[error("the server could not be reached")]
    Http(#[from] reqwest::Error),
    /// The server understood and refused.
    #[error("refused with {code}: {message}")]
    Refused { code: String, message: String },
    #[error("the answer lacks {0}: {1}")]
    Missing(String, Value),
    #[error("{0}")]
    Story(String),
}

#[derive(Deserialize)]
struct Upload {
    #[serde(rename = "uploadId")]
    upload_id: String,
}

impl Person {
    pub fn new(name: &'static str, token: String, url: &str) -> Self {
        Self {
            name,
            token,
            url: url.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// The `data` of the answer to a query or mutation.
    ///
    /// # Errors
    ///
    /// [`TalkError::Refused`] for the first error or user error.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value, TalkError> {
        let body = json!({ "query": query, "variables": variables });
        let request = self
            .http
            .post(format!("{}/graphql", self.url))
            .bearer_auth(&self.token)
            .json(&body);
        let mut answer: Value = request.send().await?.json().await?;
        if let Some(error) = answer.pointer("/errors/0") {
            return Err(refused(error, "/extensions/code"));
        }
        let data = answer["data"].take();
        let payloads = data.as_object().into_iter().flat_map(serde_json::Map::values);
        if let Some(error) = payloads.filter_map(|payload| payload.pointer("/userErrors/0")).next() {
            return Err(refused(error, "/code"));
        }
        Ok(data)
    }

    /// Sends a file to a workspace, and returns its upload id.
    pub async fn upload(&self, workspace: &str, kind: &str, bytes: Vec<u8>) -> Result<String, TalkError> {
        let url = format!("{}/uploads?workspace={workspace}&kind={kind}", self.url);
        let answer = self.http.post(url).bearer_auth(&self.token).body(bytes).send().await?;
        if !answer.status().is_success() {
            let answer: Value = answer.json().await?;
            return Err(refused(&answer["error"], "/code"));
        }
        Ok(answer.json::<Upload>().await?.upload_id)
    }
}

fn refused(error: &Value, code: &str) -> TalkError {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("?").to_owned();
    TalkError::Refused {
        code: text(error.pointer(code)),
        message: text(error.get("message")),
    }
}

/// A text in an answer, by its JSON pointer.
pub fn text(answer: &Value, pointer: &str) -> Result<String, TalkError> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| TalkError::Missing(pointer.to_owned(), answer.clone()))
}
