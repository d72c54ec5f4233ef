//! Somebody with a token.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{server::Address, text};

#[derive(Clone)]
pub struct Person {
    pub name: &'static str,
    token: Option<String>,
    address: Address,
    http: reqwest::Client,
}

/// Why the server did not do it.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    pub path: Vec<String>,
}

/// What came over the wire.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Person {
    #[must_use]
    pub fn new(name: &'static str, token: &str, address: Address) -> Self {
        Self {
            name,
            token: Some(token.to_owned()),
            address,
            http: reqwest::Client::new(),
        }
    }

    #[must_use]
    pub fn anonymous(address: Address) -> Self {
        Self {
            name: "anonymous",
            token: None,
            address,
            http: reqwest::Client::new(),
        }
    }

    /// The same person with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// # Panics
    ///
    /// If it is nobody.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("somebody has a token")
    }

    /// What goes into an `Authorization` header; nothing of nobody.
    #[must_use]
    pub fn bearer(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.address.url(path)
    }

    /// A request to the server, with the token if there is one.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.address.url(path));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// Sends a query or mutation.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or is gone before it answered.
    pub async fn send(&self, query: &str, variables: &Value) -> reqwest::Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        self.request(Method::POST, "/graphql")
            .json(&body)
            .send()
            .await?
            .json()
            .await
    }

    /// The data of an answer without errors.
    ///
    /// # Panics
    ///
    /// If there are errors.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.send(query, &variables).await.expect("the server can be reached");
        assert!(
            answer.get("errors").is_none(),
            "{} asked {query} with {variables}: {answer:#}",
            self.name
        );
        answer["data"].take()
    }

    /// The error of an answer that has one.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn is_denied(&self, query: &str, variables: Value) -> Refusal {
        let answer = self.send(query, &variables).await.expect("the server can be reached");
        let error = answer
            .pointer("/errors/0")
            .unwrap_or_else(|| panic!("{query} was answered: {answer:#}"));
        Refusal::of(error, "/extensions/code")
    }

    /// Gives a command.
    ///
    /// # Errors
    ///
    /// The first user error, or the error that ended the request; the outer one if no answer came.
    pub async fn attempt(&self, mutation: &str, input: &Value) -> reqwest::Result<Result<Value, Refusal>> {
        let answer = self.send(&document(mutation), &json!({ "input": input })).await?;
        Ok(Refusal::in_answer(answer, mutation))
    }

    /// Gives a command that succeeds, and returns the payload.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn does(&self, mutation: &str, input: Value) -> Value {
        let outcome = self.attempt(mutation, &input).await.expect("the server can be reached");
        outcome.unwrap_or_else(|refusal| panic!("{} may not {mutation} {input}: {refusal:?}", self.name))
    }

    /// Gives a command that is refused, and returns why.
    ///
    /// # Panics
    ///
    /// If it succeeds.
    pub async fn is_refused(&self, mutation: &str, input: Value) -> Refusal {
        match self.attempt(mutation, &input).await.expect("the server can be reached") {
            Err(refusal) => refusal,
            Ok(payload) => panic!("{} could {mutation} {input}: {payload:#}", self.name),
        }
    }

    /// Sends a file to a workspace.
    pub async fn post_upload(&self, workspace: &str, kind: &str, bytes: Vec<u8>) -> Answer {
        let path = format!("/uploads?workspace={workspace}&kind={kind}");
        Answer::to(self.request(Method::POST, &path).body(bytes)).await
    }

    /// Sends a file that is accepted, and returns the upload id.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn upload(&self, workspace: &str, kind: &str, bytes: Vec<u8>) -> String {
        let answer = self.post_upload(workspace, kind, bytes).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        text(&answer.json(), "/uploadId").to_owned()
    }
}

impl Refusal {
    /// The payload of a mutation, or why it was refused.
    ///
    /// # Errors
    ///
    /// The first user error, or the error that ended the request.
    pub fn in_answer(mut answer: Value, mutation: &str) -> Result<Value, Self> {
        if let Some(error) = answer.pointer("/errors/0") {
            return Err(Self::of(error, "/extensions/code"));
        }
        let payload = answer["data"][mutation].take();
        match payload.pointer("/userErrors/0") {
            Some(error) => Err(Self::of(error, "/code")),
            None => Ok(payload),
        }
    }

    fn of(error: &Value, code: &str) -> Self {
        let path = error.get("path").and_then(Value::as_array).into_iter().flatten();
        Self {
            code: text(error, code).to_owned(),
            message: text(error, "/message").to_owned(),
            path: path
                .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                .collect(),
        }
    }

    /// # Panics
    ///
    /// If it has another code, or its message lacks one of these words.
    pub fn says(&self, code: &str, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.message.contains(word), "{word:?} is not in {self:?}");
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at {})", self.code, self.message, self.path.join("."))
    }
}

impl Answer {
    /// # Panics
    ///
    /// If the server cannot be reached.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server can be reached");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("the answer is complete").to_vec();
        Self { status, headers, body }
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// # Panics
    ///
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{} is not JSON: {error}", self.text()))
    }

    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The refusal of a plain HTTP door.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal::of(&self.json()["error"], "/code")
    }
}

/// An input with a command id of its own, so that it can be given again.
///
/// # Panics
///
/// If the input is not an object.
#[must_use]
pub fn repeatable(mut input: Value) -> Value {
    let fields: &mut Map<_, _> = input.as_object_mut().expect("an input is an object");
    fields.insert("commandId".to_owned(), fresh_id().to_string().into());
    input
}

/// An id that nobody has used.
#[expect(clippy::disallowed_methods, reason = "the harness is a client: it draws its own ids")]
#[must_use]
pub fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

/// What a global id holds: the kind of what it names, and its own id.
///
/// # Panics
///
/// If `id` is not a global id.
fn parts_of(id: &str) -> Vec<String> {
    let known = URL_SAFE_NO_PAD
        .decode(id)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let known = known.expect("global ids are base64 of text");
    known.split(':').map(str::to_owned).collect()
}

/// The stream of what a global id names.
///
/// # Panics
///
/// If `id` is not a global id.
#[must_use]
pub fn stream_of(id: &str) -> String {
    let parts = parts_of(id);
    format!("{}-{}", parts[0].to_lowercase(), parts[1])
}

/// An id of the same kind that is well formed and names nothing.
///
/// # Panics
///
/// If `id` is not a global id.
#[must_use]
pub fn like(id: &str) -> String {
    let mut parts = parts_of(id);
    parts[1] = fresh_id().to_string();
    URL_SAFE_NO_PAD.encode(parts.join(":"))
}

/// The id within a global id.
///
/// # Panics
///
/// If `id` is not a global id.
#[must_use]
pub fn uuid_of(id: &str) -> String {
    parts_of(id).swap_remove(1)
}

const VERSION: &str = "version { id number stage revision packageDigest \
    submission { id packageDigest listing { digest } } reviewer { name } decision { decision reason submission } \
    suspension { authority reason } }";
const APP: &str = "app { id chartName status category { id name } latestVersion { number } \
    listing { digest content { displayName summary } } draftListing { digest content { displayName summary iconPath } } \
    listingReview { submission listing { digest } reviewer { name } } versions { nodes { id number stage } } \
    suspension { authority reason } }";
const RELEASE: &str = "release { id name status operation revision wanted { versionNumber values } }";
const ACCOUNT: &str = "account { id name grants { role workspace { id } project { id } permissions } }";
const ROLE: &str = "role { name level isBuiltIn isRetired permissions }";
const WORKSPACE: &str = "workspace { id name }";
const PROJECT: &str = "project { id name namespace status failure }";
const CLUSTER: &str = "cluster { id name kind version reachable trouble }";
const CATEGORY: &str = "category { id name icon apps }";

/// The document of a mutation, asking for whatever its payload has.
#[must_use]
pub fn document(mutation: &str) -> String {
    let input = match mutation {
        "submitVersion" | "withdrawVersion" | "deleteVersion" | "startReview" | "releaseReview" | "publishVersion"
        | "resumeVersion" => "Version",
        "deleteApp"
        | "submitListing"
        | "withdrawListing"
        | "startListingReview"
        | "releaseListingReview"
        | "resumeApp" => "App",
        "retryOperation" | "cancelOperation" => "Release",
        "allowClusterScope" | "forbidClusterScope" => "ClusterScope",
        "grantRole" | "revokeRole" => "Grant",
        "inviteMember" | "withdrawInvitation" => "Invitation",
        "declineInvitation" => "OwnInvitation",
        "blockAccount" | "unblockAccount" => "Block",
        other => return format_document(other, &capitalised(other)),
    };
    format_document(mutation, input)
}

fn format_document(mutation: &str, input: &str) -> String {
    let object = match mutation {
        "deleteCategory" => "deletedCategory",
        "closeWorkspace" => "closedWorkspace",
        "createAccount" | "grantRole" | "revokeRole" | "signOut" | "closeSession" | "revokeToken" | "setPassword"
        | "resetPassword" | "blockAccount" | "unblockAccount" => ACCOUNT,
        "createToken" => "token { id name permissions expiresAt lastUsedAt } secret",
        "signIn" => "account { id name } session { id method expiresAt }",
        "defineRole" | "retireRole" => ROLE,
        "createWorkspace" | "inviteMember" | "withdrawInvitation" | "acceptInvitation" | "declineInvitation" => {
            WORKSPACE
        }
        "createProject" | "prepareProject" => PROJECT,
        "registerCluster" | "replaceKubeconfig" | "checkCluster" | "allowClusterScope" | "forbidClusterScope" => {
            CLUSTER
        }
        "setReviewPolicy" => "reviewPolicy { stages { name permission role approvals } authorIsNotReviewer setAt }",
        "eraseAccount" => "account { id name erased }",
        "removeContent" => "removal { digest reason by { name } }",
        category if category.ends_with("teCategory") || category == "editCategory" => CATEGORY,
        release if release.ends_with("Release") || release.ends_with("Operation") => RELEASE,
        "deleteVersion" | "assignCategory" | "uploadApp" => APP,
        version
            if version.ends_with("Version")
                || matches!(version, "startReview" | "releaseReview" | "replacePackage") =>
        {
            VERSION
        }
        _ => APP,
    };
    format!(
        "mutation($input: {input}Input!) {{ {mutation}(input: $input) {{ {object} position userErrors {{ code message path }} }} }}"
    )
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
