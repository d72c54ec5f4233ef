//! An API server that answers what a test says, and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::super::Client;
use crate::kubeconfig::Kubeconfig;

/// What was asked, such as `GET /version`.
#[derive(Debug, Clone)]
pub struct Asked {
    pub what: String,
    /// By their names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Value,
}

pub struct Scripted {
    pub client: Client,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answers = Arc<Mutex<HashMap<String, VecDeque<(u16, Value)>>>>;

impl Scripted {
    /// A server with these answers, each for what is asked; the last one of several is given for ever. What it has no
    /// answer for is not found.
    pub async fn answering(answers: &[(&str, u16, Value)]) -> Self {
        let script = Answers::default();
        for (what, status, body) in answers {
            let mut script = script.lock().unwrap();
            script
                .entry((*what).to_owned())
                .or_default()
                .push_back((*status, body.clone()));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        let client = client_of(&server);
        Self { client, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What was asked that could change something.
    pub fn changes(&self) -> Vec<String> {
        let asked = self.asked().into_iter().map(|asked| asked.what);
        asked.filter(|what| !what.starts_with("GET ")).collect()
    }
}

/// A client of whatever is at `server`, with the token `secret`.
pub fn client_of(server: &str) -> Client {
    let authority = include_str!("../../../kubeconfig/tests/authority.crt");
    let kubeconfig = json!({
        "current-context": "it",
        "contexts": [{ "name": "it", "context": { "cluster": "it", "user": "it" } }],
        "clusters": [{ "name": "it", "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(authority),
        } }],
        "users": [{ "name": "it", "user": { "token": "secret" } }],
    });
    let kubeconfig = Kubeconfig::parse(&kubeconfig.to_string()).unwrap();
    Client::new(&kubeconfig, Duration::from_secs(20)).unwrap()
}

async fn converse(stream: TcpStream, script: Answers, seen: Arc<Mutex<Vec<Asked>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream).await? {
        let (status, body) = {
            let mut script = script.lock().unwrap();
            match script.get_mut(&asked.what) {
                Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
                Some(answers) => answers.front().cloned().unwrap(),
                None => (404, json!({ "kind": "Status", "message": "not found" })),
            }
        };
        seen.lock().unwrap().push(asked);
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} It\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await?;
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let what = line.rsplit_once(' ').unwrap().0.to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(Asked { what, headers, body }))
}
