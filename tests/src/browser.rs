//! Somebody with a browser: it keeps cookies, and says which page a request comes from.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{Method, RequestBuilder, header, redirect};
use serde_json::{Value, json};

use crate::{
    person::{Answer, Refusal, document},
    server::Address,
};

#[derive(Clone)]
pub struct Browser {
    address: Address,
    http: reqwest::Client,
    /// By their names. All are of one host: the address and the port are no part of what a cookie belongs to.
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    /// A browser that was never here.
    ///
    /// # Panics
    ///
    /// If there can be no HTTP client.
    #[must_use]
    pub fn new(address: Address) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none());
        Self {
            address,
            http: http.build().expect("an HTTP client can be built"),
            cookies: Arc::default(),
        }
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies().insert(name.to_owned(), value.to_owned());
    }

    fn cookies(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request with the cookies, and without a word on where it comes from.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let cookies: Vec<_> = self
            .cookies()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self.http.request(method, url);
        match cookies.is_empty() {
            true => request,
            false => request.header(header::COOKIE, cookies.join("; ")),
        }
    }

    /// Sends a request and keeps the cookies of its answer.
    pub async fn answer(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::to(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap_or_default();
            let Some((name, rest)) = cookie.split_once('=') else {
                continue;
            };
            let value = rest.split(';').next().unwrap_or_default();
            let is_over = cookie.contains("Max-Age=0") || cookie.contains("01 Jan 1970");
            match is_over {
                true => self.cookies().remove(name),
                false => self.cookies().insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Goes to an address, and wherever it is sent from there; answers the last page.
    ///
    /// # Panics
    ///
    /// If there is no end to it.
    pub async fn goes_to(&self, url: &str) -> Answer {
        let mut url = reqwest::Url::parse(url).expect("an address");
        for _ in 0..20 {
            let answer = self.answer(self.request(Method::GET, url.as_str())).await;
            let location = answer.header("location");
            if location.is_empty() {
                return answer;
            }
            url = url.join(location).expect("a redirection names an address");
        }
        panic!("there is no end to the redirections")
    }

    /// What a page of the server sends.
    pub async fn post(&self, query: &str, variables: &Value) -> Answer {
        let own = self.address.url("");
        self.answer(self.graphql(query, variables).header(header::ORIGIN, own))
            .await
    }

    /// A GraphQL request that does not say yet where it comes from.
    pub fn graphql(&self, query: &str, variables: &Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables });
        self.request(Method::POST, &self.address.url("/graphql")).json(&body)
    }

    /// Gives a command.
    ///
    /// # Errors
    ///
    /// The first user error, or the error that ended the request.
    pub async fn attempt(&self, mutation: &str, input: Value) -> Result<Value, Refusal> {
        let answer = self.post(&document(mutation), &json!({ "input": input })).await;
        Refusal::in_answer(answer.json(), mutation)
    }

    /// Gives a command that succeeds, and returns the payload.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn does(&self, mutation: &str, input: Value) -> Value {
        let outcome = self.attempt(mutation, input).await;
        outcome.unwrap_or_else(|refusal| panic!("{mutation} was refused: {refusal:?}"))
    }

    pub async fn sign_in(&self, name: &str, password: &str) -> Result<Value, Refusal> {
        self.attempt("signIn", json!({ "name": name, "password": password }))
            .await
    }

    /// The name of whoever is signed in; nobody is if the server does not say so.
    pub async fn viewer(&self) -> Option<String> {
        let answer = self.post("{ viewer { account { name } } }", &json!({})).await;
        let name = answer.json().pointer("/data/viewer/account/name")?.as_str()?.to_owned();
        Some(name)
    }
}
