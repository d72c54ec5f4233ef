//! A client for the handful of requests that Charthouse itself sends to an API server.

use std::{error::Error, io, time::Duration};

use axum::http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::AlertDescription;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::kubeconfig::{InvalidKubeconfig, Kubeconfig};

/// Largest answer that is read, in bytes: ten of Helm's records fit in.
const ANSWER_MAX_BYTES: usize = 16 << 20;

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

#[derive(Clone)]
pub struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    server: String,
    authorization: Option<HeaderValue>,
    /// The user that is impersonated.
    acting_as: Option<HeaderValue>,
    timeout: Duration,
}

/// Why a request has no answer. A missing object is none of these: it is `None`.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    #[error("the cluster does not answer")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    #[error("the cluster did not answer within {}", humantime::format_duration(*limit))]
    Timeout { limit: Duration },
    #[error("what answers cannot be trusted")]
    Untrusted(#[source] Box<dyn Error + Send + Sync>),
    #[error("the cluster does not accept the credentials: {message}")]
    CredentialsRefused { message: String },
    #[error("the credentials may not do this: {message}")]
    RightsMissing { message: String },
    #[error("it is there already: {message}")]
    Conflict { message: String },
    #[error("the cluster refused with status {status}: {message}")]
    Refused { status: u16, message: String },
    #[error("what answers is no Kubernetes: {problem}")]
    NotKubernetes { problem: String },
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[from] InvalidKubeconfig),
}

/// What a Kubernetes API server says when it refuses.
#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    message: String,
}

impl KubernetesError {
    /// Whether nobody answered that could be believed; trying again may help.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout { .. } | Self::Untrusted(_))
    }
}

impl Client {
    /// A client that acts as the kubeconfig's own user.
    ///
    /// # Errors
    ///
    /// [`KubernetesError::Kubeconfig`] if it holds what no longer parses.
    pub fn new(kubeconfig: &Kubeconfig, timeout: Duration) -> Result<Self, KubernetesError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(kubeconfig.tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let authorization = kubeconfig.token().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"));
            if let Ok(value) = &mut value {
                value.set_sensitive(true);
            }
            value
        });
        Ok(Self {
            http: Http::builder(TokioExecutor::new()).build(connector),
            server: kubeconfig.server().to_owned(),
            authorization: authorization.transpose().map_err(|_| InvalidKubeconfig::Credentials)?,
            acting_as: None,
            timeout,
        })
    }

    /// The same, acting as another user: nothing is allowed that is not allowed to that user.
    #[must_use]
    pub fn acting_as(&self, user: &str) -> Self {
        let refused = HeaderValue::from_static("nobody");
        Self {
            // Names of users are made of labels, which every header can hold.
            acting_as: Some(HeaderValue::from_str(user).unwrap_or(refused)),
            ..self.clone()
        }
    }

    /// What is at `path`; `None` if nothing is.
    ///
    /// # Errors
    ///
    /// [`KubernetesError`] if that could not be found out.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, KubernetesError> {
        match self.send(Method::GET, path, None, JSON).await {
            Err(KubernetesError::Refused { status: 404, .. }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// The names and labels of what is at `path`, without what it holds, where the server can leave that out.
    ///
    /// # Errors
    ///
    /// As [`Client::get`].
    pub async fn get_metadata<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, KubernetesError> {
        match self.send(Method::GET, path, None, METADATA).await {
            Err(KubernetesError::Refused { status: 404, .. }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Makes `object` in the collection at `path`.
    ///
    /// # Errors
    ///
    /// [`KubernetesError::Conflict`] if there is one of its name.
    pub async fn create(&self, path: &str, object: &Value) -> Result<(), KubernetesError> {
        let body = (JSON, object);
        self.send::<Value>(Method::POST, path, Some(body), JSON).await.map(drop)
    }

    /// Replaces what is at `path`.
    ///
    /// # Errors
    ///
    /// [`KubernetesError::Conflict`] if it changed since it was read.
    pub async fn replace(&self, path: &str, object: &Value) -> Result<(), KubernetesError> {
        let body = (JSON, object);
        self.send::<Value>(Method::PUT, path, Some(body), JSON).await.map(drop)
    }

    /// Merges `change` into what is at `path`.
    ///
    /// # Errors
    ///
    /// [`KubernetesError::Conflict`] if the change names a resource version that is not the current one.
    pub async fn merge(&self, path: &str, change: &Value) -> Result<(), KubernetesError> {
        let body = ("application/merge-patch+json", change);
        self.send::<Value>(Method::PATCH, path, Some(body), JSON)
            .await
            .map(drop)
    }

    /// What the object at `path` would be if `object` were applied to it; nothing is changed.
    ///
    /// # Errors
    ///
    /// [`KubernetesError`] if it could not be applied.
    pub async fn apply_dry(&self, path: &str, object: &Value) -> Result<Value, KubernetesError> {
        let path = format!("{path}?dryRun=All&force=true&fieldManager=charthouse");
        let body = ("application/apply-patch+yaml", object);
        self.send(Method::PATCH, &path, Some(body), JSON).await
    }

    /// Deletes what is at `path`, if it is there.
    ///
    /// # Errors
    ///
    /// [`KubernetesError`] if it may still be there.
    pub async fn delete(&self, path: &str) -> Result<(), KubernetesError> {
        match self.send::<Value>(Method::DELETE, path, None, JSON).await {
            Err(KubernetesError::Refused { status: 404, .. }) => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &Value)>,
        accept: &'static str,
    ) -> Result<T, KubernetesError> {
        let limit = self.timeout;
        let answer = tokio::time::timeout(limit, self.exchange(method, path, body, accept)).await;
        let (status, bytes) = answer.map_err(|_| KubernetesError::Timeout { limit })??;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| KubernetesError::NotKubernetes {
                problem: error.to_string(),
            });
        }
        let Refusal { message } = serde_json::from_slice(&bytes).unwrap_or_default();
        let message: String = message.chars().take(2_000).collect();
        Err(match status {
            StatusCode::UNAUTHORIZED => KubernetesError::CredentialsRefused { message },
            StatusCode::FORBIDDEN => KubernetesError::RightsMissing { message },
            StatusCode::CONFLICT => KubernetesError::Conflict { message },
            status => KubernetesError::Refused {
                status: status.as_u16(),
                message,
            },
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &Value)>,
        accept: &'static str,
    ) -> Result<(StatusCode, Bytes), KubernetesError> {
        let broken = |problem: &dyn Error| KubernetesError::NotKubernetes {
            problem: problem.to_string(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header(ACCEPT, accept)
            .header(USER_AGENT, concat!("charthouse/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(user) = &self.acting_as {
            request = request.header("Impersonate-User", user);
        }
        let mut bytes = Bytes::new();
        if let Some((content_type, body)) = body {
            request = request.header(CONTENT_TYPE, content_type);
            bytes = body.to_string().into();
        }
        let request = request.body(Full::new(bytes)).map_err(|error| broken(&error))?;
        let answer = self
            .http
            .request(request)
            .await
            .map_err(|error| unanswered(error.into()))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
        let bytes = body.map_err(unanswered)?.to_bytes();
        Ok((status, bytes))
    }
}

/// What an error of the transport means: TLS says whether either side does not trust the other.
fn unanswered(error: Box<dyn Error + Send + Sync>) -> KubernetesError {
    match tls_error(error.as_ref()) {
        Some(rustls::Error::AlertReceived(alert)) if is_about_us(*alert) => KubernetesError::CredentialsRefused {
            message: format!("it closed the connection: {alert:?}"),
        },
        Some(_) => KubernetesError::Untrusted(error),
        None => KubernetesError::Unreachable(error),
    }
}

fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    std::iter::successors(Some(error), |error| cause(*error)).find_map(|error| error.downcast_ref())
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        // Its source is what its inner error was caused by, not the inner error.
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn is_about_us(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}
