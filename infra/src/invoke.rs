//! Functions that run outside this process, behind a Lambda Invoke API: `sam local start-lambda`, `cargo lambda watch`.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpRequest, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::dynamodb;
use aws_lambda_events::streams::DynamoDbEventResponse;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use lambda_http::{Body, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::{Error, outgoing};

use crate::functions::{Failure, Functions};
use crate::template::{BadTemplate, Template};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than any function is waited for.
const TIMEOUT: Duration = Duration::from_secs(40);
const FUNCTION_ERROR: &str = "x-amz-function-error";
/// So much of what a function's failure says goes into the log.
const MAX_CAUSE: usize = 300;

/// Calls functions by HTTP.
pub struct Invoke {
    http: reqwest::Client,
    url: String,
    logical_ids: BTreeMap<String, String>,
    /// Which names the other side knows; found out by the first call.
    by_logical_id: OnceLock<bool>,
}

/// What an HTTP API takes from a function, payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What came back of a call.
struct Called {
    status: StatusCode,
    failed: bool,
    body: Vec<u8>,
}

impl Invoke {
    /// Functions at `url`, such as `http://127.0.0.1:3001`. No call is made yet.
    pub fn new(url: &str) -> shared::Result<Self> {
        let http = outgoing::client(CONNECT_TIMEOUT, TIMEOUT)?.no_proxy().build().map_err(Error::internal)?;
        let template = Template::built_in().map_err(|error: BadTemplate| Error::internal(error))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { http, url, logical_ids: template.functions, by_logical_id: OnceLock::new() })
    }

    /// `cargo lambda watch` knows functions by their binaries, SAM by their logical ids.
    async fn call<T: DeserializeOwned>(&self, function: &str, event: &impl Serialize) -> Result<T, Failure> {
        let event = serde_json::to_vec(event).map_err(|error| Failure::Failed(Error::internal(error)))?;
        let logical_id = self.logical_ids.get(function).map_or(function, String::as_str);
        let called = match self.by_logical_id.get() {
            Some(true) => self.post(logical_id, event).await?,
            Some(false) => self.post(function, event).await?,
            None => {
                let called = self.post(function, event.clone()).await?;
                let unknown = called.status == StatusCode::NOT_FOUND;
                let called = if unknown { self.post(logical_id, event).await? } else { called };
                // Whoever was first knows the same.
                let _ = self.by_logical_id.set(unknown);
                called
            }
        };
        if called.failed || !called.status.is_success() {
            let text = String::from_utf8_lossy(&called.body);
            let cause: String = text.chars().take(MAX_CAUSE).collect();
            return Err(Failure::Failed(Error::internal(format!("{function} failed with {}: {cause}", called.status))));
        }
        let not_understood = |error| Failure::Failed(Error::internal(format!("{function} answers no answer: {error}")));
        serde_json::from_slice(&called.body).map_err(not_understood)
    }

    async fn post(&self, name: &str, event: Vec<u8>) -> Result<Called, Failure> {
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.url);
        let no_answer = |error: reqwest::Error| {
            if error.is_timeout() { Failure::TimedOut } else { Failure::Failed(Error::Unavailable(error.into())) }
        };
        let request = self.http.post(url).header(CONTENT_TYPE, "application/json").body(event);
        let response = request.send().await.map_err(no_answer)?;
        let (status, failed) = (response.status(), response.headers().contains_key(FUNCTION_ERROR));
        let body = response.bytes().await.map_err(no_answer)?.to_vec();
        Ok(Called { status, failed, body })
    }
}

#[async_trait]
impl Functions for Invoke {
    fn socket<'a>(
        &'a self,
        function: &'a str,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> BoxFuture<'a, Result<ApiGatewayProxyResponse, Failure>> {
        Box::pin(async move { self.call(function, &event).await })
    }

    async fn http(&self, function: &str, event: ApiGatewayV2httpRequest) -> Result<Response<Body>, Failure> {
        self.call::<Answer>(function, &event).await?.response()
    }

    async fn stream(&self, function: &str, batch: dynamodb::Event) -> Result<DynamoDbEventResponse, Failure> {
        self.call(function, &batch).await
    }

    async fn schedule(&self, function: &str) -> Result<(), Failure> {
        self.call::<serde_json::Value>(function, &serde_json::json!({})).await.map(drop)
    }
}

impl Answer {
    fn response(self) -> Result<Response<Body>, Failure> {
        let bad = |what: &str| Failure::Failed(Error::internal(format!("a function's answer: {what}")));
        let text = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded {
            Body::Binary(STANDARD.decode(text).map_err(|_| bad("its body is not base64"))?)
        } else {
            Body::Text(text)
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status_code).map_err(|_| bad("its status"))?;
        let headers = response.headers_mut();
        let one = self.headers.iter();
        let many = self.multi_value_headers.iter().filter(|(name, _)| !self.headers.contains_key(*name));
        let many = many.flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        for (name, value) in one.chain(many) {
            append(headers, name, value).ok_or_else(|| bad("a header"))?;
        }
        for cookie in &self.cookies {
            append(headers, SET_COOKIE.as_str(), cookie).ok_or_else(|| bad("a cookie"))?;
        }
        Ok(response)
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Option<()> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    headers.append(name, HeaderValue::from_str(value).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(answer: serde_json::Value) -> Result<Response<Body>, Failure> {
        serde_json::from_value::<Answer>(answer).expect("the shape of an answer").response()
    }

    #[test]
    fn an_answer_of_payload_2_becomes_a_response() {
        let response = answered(json!({
            "statusCode": 201,
            "headers": {"content-type": "application/json"},
            "multiValueHeaders": {"content-type": ["application/json"], "x-two": ["1", "2"]},
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": "{}",
            "isBase64Encoded": false,
        }))
        .unwrap();

        let all = |name: &str| -> Vec<_> {
            response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
        };
        assert_eq!(response.status(), 201);
        assert_eq!(all("content-type"), ["application/json"]);
        assert_eq!(all("x-two"), ["1", "2"]);
        assert_eq!(all("set-cookie"), ["a=1; HttpOnly", "b=2"]);
        assert_eq!(response.body().as_ref(), b"{}");
    }

    #[test]
    fn a_binary_body_comes_as_base64_and_nonsense_is_a_failure() {
        let binary = answered(json!({"statusCode": 200, "body": "AP8=", "isBase64Encoded": true})).unwrap();

        assert_eq!(binary.body().as_ref(), [0, 255]);
        for nonsense in [
            json!({"statusCode": 99}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": {"x": "a\nb"}}),
            json!({"statusCode": 200, "cookies": ["a\nb"]}),
        ] {
            assert!(matches!(answered(nonsense.clone()), Err(Failure::Failed(_))), "{nonsense}");
        }
    }
}
