//! A network that fails when it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the connections through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Works,
    /// The next COMMIT never arrives.
    LosesTheCommit,
    /// The next COMMIT arrives, its answer does not.
    LosesTheAnswer,
    /// The same, and from then on nothing goes through.
    LosesTheAnswerAndBreaks,
    Broken,
    /// That many messages of writers arrive yet; the one after them does not, or its answer.
    Counts {
        messages: u32,
        answer: bool,
    },
}

pub(crate) struct Proxy {
    port: u16,
    network: Arc<Mutex<Network>>,
}

impl Proxy {
    /// A proxy before the server at `port` of this machine.
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(Mutex::new(Network::Works));
        let proxy = Self {
            port,
            network: Arc::clone(&network),
        };
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *network.lock().unwrap() != Network::Broken {
                    connect(client, server, &network).await;
                }
            }
        });
        proxy
    }

    /// The URL of a database, by way of the proxy.
    pub(crate) fn url(&self, url: &str, server: u16) -> String {
        url.replace(&format!(":{server}/"), &format!(":{}/", self.port))
    }

    pub(crate) fn set(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }

    pub(crate) fn get(&self) -> Network {
        *self.network.lock().unwrap()
    }
}

async fn connect(client: TcpStream, server: u16, network: &Arc<Mutex<Network>>) {
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let swallow = Arc::new(AtomicBool::new(false));
    let requests = requests(from_client, to_server, Arc::clone(network), Arc::clone(&swallow));
    let answers = answers(from_server, to_client, swallow);
    // Whichever ends first takes the other with it: then both sockets close.
    tokio::spawn(async move {
        tokio::select! {
            () = requests => {}
            () = answers => {}
        }
    });
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    network: Arc<Mutex<Network>>,
    swallow: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let Ok(bytes @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let message = &buffer[..bytes];
        let arrives = {
            let mut network = network.lock().unwrap();
            let (next, arrives, answered) = fate(*network, message);
            *network = next;
            swallow.fetch_or(!answered, Ordering::SeqCst);
            arrives
        };
        if !arrives || to.write_all(message).await.is_err() {
            return;
        }
    }
}

/// The network afterwards, whether the message arrives, and whether its answer does.
fn fate(network: Network, message: &[u8]) -> (Network, bool, bool) {
    let commit = holds(message, b"COMMIT\0");
    match network {
        Network::LosesTheCommit if commit => (Network::Works, false, false),
        Network::LosesTheAnswer if commit => (Network::Works, true, false),
        Network::LosesTheAnswerAndBreaks if commit => (Network::Broken, true, false),
        Network::Broken => (Network::Broken, false, false),
        Network::Counts { messages: 0, answer } => (Network::Works, answer, false),
        Network::Counts { messages, answer } => (
            Network::Counts {
                messages: messages - 1,
                answer,
            },
            true,
            true,
        ),
        network => (network, true, true),
    }
}

fn holds(message: &[u8], part: &[u8]) -> bool {
    message.windows(part.len()).any(|window| window == part)
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallow: Arc<AtomicBool>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let Ok(bytes @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        if swallow.load(Ordering::SeqCst) || to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}
