//! From the text of a kubeconfig to what is kept of it. Every field is looked at; none is passed over in silence.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_yaml::{Mapping, Value};

use super::{Credentials, InvalidKubeconfig, KUBECONFIG_MAX_BYTES, Kubeconfig};
use crate::chart_archive::yaml;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    #[serde(default)]
    current_context: String,
    #[serde(default)]
    contexts: Vec<NamedContext>,
    #[serde(default)]
    clusters: Vec<NamedCluster>,
    #[serde(default)]
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Mapping,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: Mapping,
}

pub(super) fn read(text: &str) -> Result<Kubeconfig, InvalidKubeconfig> {
    if text.len() > KUBECONFIG_MAX_BYTES {
        return Err(InvalidKubeconfig::TooLarge { bytes: text.len() });
    }
    let malformed = |problem| InvalidKubeconfig::Malformed { problem };
    let documents = yaml::shapes(text).map_err(malformed)?.len();
    if documents != 1 {
        return Err(malformed(format!("it holds {documents} documents")));
    }
    let document: Document = yaml::first_document(text).map_err(malformed)?;
    let Document {
        current_context,
        contexts,
        clusters,
        users,
    } = document;
    let context = the_one("context", &current_context, contexts, |it| &it.name)?.context;
    let cluster = the_one("cluster", &context.cluster, clusters, |it| &it.name)?.cluster;
    let user = the_one("user", &context.user, users, |it| &it.name)?.user;
    let Cluster { server, authority } = Cluster::read(&cluster)?;
    Ok(Kubeconfig {
        server,
        authority,
        credentials: credentials(&user)?,
    })
}

fn the_one<T>(
    what: &'static str,
    name: &str,
    all: Vec<T>,
    name_of: impl Fn(&T) -> &str,
) -> Result<T, InvalidKubeconfig> {
    let shown: String = name.chars().take(100).collect();
    let mut found = all.into_iter().filter(|it| name_of(it) == name);
    match (found.next(), found.next()) {
        (Some(it), None) => Ok(it),
        (None, _) => Err(InvalidKubeconfig::Context {
            problem: format!("there is no {what} {shown:?}"),
        }),
        (Some(_), Some(_)) => Err(InvalidKubeconfig::Context {
            problem: format!("there are several of the {what} {shown:?}"),
        }),
    }
}

struct Cluster {
    server: String,
    authority: Option<String>,
}

impl Cluster {
    fn read(fields: &Mapping) -> Result<Self, InvalidKubeconfig> {
        let (mut server, mut authority) = (None, None);
        for (field, value) in present(fields) {
            match field {
                "server" => server = Some(text(field, value)?.trim_end_matches('/').to_owned()),
                "certificate-authority-data" => authority = Some(pem("certificate-authority-data", value)?),
                "certificate-authority" => {
                    return Err(InvalidKubeconfig::File {
                        field: "certificate-authority",
                    });
                }
                "insecure-skip-tls-verify" if *value == Value::Bool(false) => {}
                "insecure-skip-tls-verify" => return Err(InvalidKubeconfig::Insecure),
                "proxy-url" => return Err(InvalidKubeconfig::Proxy),
                // Notes of other programs, such as minikube's.
                "extensions" => {}
                other => return Err(unsupported("cluster", other)),
            }
        }
        let server = server.ok_or(InvalidKubeconfig::Server {
            server: String::new(),
            problem: "there is none",
        })?;
        Ok(Self { server, authority })
    }
}

fn credentials(fields: &Mapping) -> Result<Credentials, InvalidKubeconfig> {
    let (mut token, mut certificate, mut key) = (None, None, None);
    for (field, value) in present(fields) {
        match field {
            "token" => token = Some(text(field, value)?.to_owned()),
            "client-certificate-data" => certificate = Some(pem("client-certificate-data", value)?),
            "client-key-data" => key = Some(pem("client-key-data", value)?),
            "client-certificate" => {
                return Err(InvalidKubeconfig::File {
                    field: "client-certificate",
                });
            }
            "client-key" => return Err(InvalidKubeconfig::File { field: "client-key" }),
            "tokenFile" => return Err(InvalidKubeconfig::File { field: "tokenFile" }),
            "exec" => return Err(InvalidKubeconfig::Exec),
            "auth-provider" => return Err(InvalidKubeconfig::AuthProvider),
            "extensions" => {}
            other => return Err(unsupported("user", other)),
        }
    }
    match (token, certificate, key) {
        // A header holds it.
        (Some(token), None, None) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Credentials::Token(token))
        }
        (None, Some(certificate), Some(key)) => Ok(Credentials::Certificate { certificate, key }),
        _ => Err(InvalidKubeconfig::Credentials),
    }
}

/// The fields that say something, by name. What is no text is no field of a kubeconfig.
fn present(fields: &Mapping) -> impl Iterator<Item = (&str, &Value)> {
    let said = fields.iter().filter(|(_, value)| !value.is_null());
    said.map(|(field, value)| (field.as_str().unwrap_or("a key that is no text"), value))
}

fn text<'a>(field: &str, value: &'a Value) -> Result<&'a str, InvalidKubeconfig> {
    value.as_str().ok_or_else(|| InvalidKubeconfig::Malformed {
        problem: format!("{field} is no text"),
    })
}

fn pem(field: &'static str, value: &Value) -> Result<String, InvalidKubeconfig> {
    let refused = |problem: &str| InvalidKubeconfig::Certificate {
        field,
        problem: problem.to_owned(),
    };
    let encoded: String = text(field, value)?.split_whitespace().collect();
    let decoded = STANDARD.decode(encoded).map_err(|_| refused("it is not base64"))?;
    String::from_utf8(decoded).map_err(|_| refused("it is not PEM"))
}

fn unsupported(what: &str, field: &str) -> InvalidKubeconfig {
    let field: String = field.chars().take(100).collect();
    InvalidKubeconfig::Unsupported {
        field: format!("{field} of a {what}"),
    }
}
