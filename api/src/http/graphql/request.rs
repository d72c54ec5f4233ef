//! The parameters of a GraphQL request, and what can be wrong with them before anything is executed.

use async_graphql::{
    Request, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationType},
};
use axum::{
    http::{Method, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};

use super::media::Media;
use crate::graphql::{Documents, parse_problem};

/// A request that is not executed.
#[derive(Debug)]
pub struct BadRequest {
    status: StatusCode,
    code: &'static str,
    message: String,
}

#[derive(Debug, Default)]
pub struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Variables,
}

impl BadRequest {
    pub fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
        }
    }

    pub fn message(self) -> String {
        self.message
    }

    fn parameters(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub fn into_response(self, media: Media) -> Response {
        let body = json!({ "errors": [{ "message": self.message, "extensions": { "code": self.code } }] });
        let mut response = media.with_status(self.status, &body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response
                .headers_mut()
                .insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        }
        response
    }
}

impl Parameters {
    pub fn from_body(body: &[u8]) -> Result<Self, BadRequest> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(parameters)) => Self::from_map(parameters),
            Ok(Value::Array(_)) => Err(BadRequest::parameters(
                "send one request at a time, not an array of them",
            )),
            Ok(_) => Err(BadRequest::parameters("the body must be a JSON object")),
            Err(error) => Err(BadRequest::parameters(&format!("the body is not JSON: {error}"))),
        }
    }

    /// Reads a query string; `variables` and `extensions` are JSON in it.
    pub fn from_query(query: &str) -> Result<Self, BadRequest> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| BadRequest::parameters(&format!("the query string is malformed: {error}")))?;
        let mut parameters = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "variables" | "extensions" => serde_json::from_str(&text)
                    .map_err(|error| BadRequest::parameters(&format!("{name} is not JSON: {error}")))?,
                _ => Value::String(text),
            };
            parameters.insert(name, value);
        }
        Self::from_map(parameters)
    }

    pub fn from_map(mut parameters: Map<String, Value>) -> Result<Self, BadRequest> {
        let query = match parameters.remove("query") {
            Some(Value::String(query)) => query,
            Some(_) => return Err(BadRequest::parameters("query must be a string")),
            None => return Err(BadRequest::parameters("query is missing")),
        };
        let operation_name = match parameters.remove("operationName") {
            Some(Value::String(name)) if !name.is_empty() => Some(name),
            Some(Value::String(_) | Value::Null) | None => None,
            Some(_) => return Err(BadRequest::parameters("operationName must be a string")),
        };
        let variables = match parameters.remove("variables") {
            Some(variables @ Value::Object(_)) => Variables::from_json(variables),
            Some(Value::Null) | None => Variables::default(),
            Some(_) => return Err(BadRequest::parameters("variables must be an object")),
        };
        match parameters.remove("extensions") {
            Some(Value::Object(_) | Value::Null) | None => Ok(Self {
                query,
                operation_name,
                variables,
            }),
            Some(_) => Err(BadRequest::parameters("extensions must be an object")),
        }
    }

    pub fn within(self, document_max_bytes: usize) -> Result<Self, BadRequest> {
        let found = self.query.len();
        if found <= document_max_bytes {
            return Ok(self);
        }
        let message = format!("the document has {found} bytes, and {document_max_bytes} are allowed");
        Err(BadRequest::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "DOCUMENT_TOO_LARGE",
            &message,
        ))
    }

    /// The request, whatever is in its document.
    pub fn into_unchecked(self) -> Request {
        let mut request = Request::new(self.query).variables(self.variables);
        request.operation_name = self.operation_name;
        request
    }

    /// The request, if its operation may be executed by this method.
    pub fn into_request(self, method: &Method, media: Media, documents: &Documents) -> Result<Request, BadRequest> {
        let refused = |code, message: &str| BadRequest::new(media.status_of_request_error(), code, message);
        let document = documents.parse(&self.query).map_err(|error| {
            refused(
                "GRAPHQL_PARSE_FAILED",
                &parse_problem(&error.to_string(), error.positions().next()),
            )
        })?;
        let operation = operation(&document, self.operation_name.as_deref()).ok_or_else(|| {
            refused(
                "OPERATION_UNKNOWN",
                "name one of the document's operations in operationName",
            )
        })?;
        match operation {
            OperationType::Mutation if method == Method::GET => {
                let message = "a mutation needs POST: GET changes nothing";
                return Err(BadRequest::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "METHOD_NOT_ALLOWED",
                    message,
                ));
            }
            OperationType::Subscription => {
                return Err(refused("SUBSCRIPTION_NEEDS_WEB_SOCKET", "subscribe at /graphql/ws"));
            }
            OperationType::Query | OperationType::Mutation => {}
        }
        let mut request = self.into_unchecked();
        request.set_parsed_query(document);
        Ok(request)
    }
}

fn operation(document: &ExecutableDocument, name: Option<&str>) -> Option<OperationType> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation.node.ty),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|found| found.node.ty),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().map(|only| only.node.ty)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str, method: &Method) -> Option<&'static str> {
        let parameters = Parameters {
            query: query.to_owned(),
            ..Parameters::default()
        };
        let parsed = parameters.into_request(method, Media::Json, &Documents::default());
        parsed.err().map(|bad| bad.code)
    }

    #[test]
    fn get_changes_nothing() {
        assert_eq!(code("{ viewer { id } }", &Method::GET), None);
        assert_eq!(code("mutation { a }", &Method::GET), Some("METHOD_NOT_ALLOWED"));
        assert_eq!(code("mutation { a }", &Method::POST), None);
    }

    #[test]
    fn the_operation_must_be_clear() {
        assert_eq!(
            code("query A { a } query B { b }", &Method::POST),
            Some("OPERATION_UNKNOWN")
        );
        assert_eq!(
            code("subscription { events { id } }", &Method::POST),
            Some("SUBSCRIPTION_NEEDS_WEB_SOCKET")
        );
        assert_eq!(code("{", &Method::POST), Some("GRAPHQL_PARSE_FAILED"));
    }

    #[test]
    fn parameters_of_the_wrong_type_are_refused() {
        for body in [
            r#"[]"#,
            r#"{}"#,
            r#"{"query":1}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":1}"#,
        ] {
            assert!(Parameters::from_body(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Parameters::from_body(br#"{"query":"{a}","variables":null,"extensions":null}"#).is_ok());
        assert!(Parameters::from_query("query=%7Ba%7D&variables=%7B%22x%22%3A1%7D").is_ok());
        assert!(Parameters::from_query("query=%7Ba%7D&variables=x").is_err());
    }
}
