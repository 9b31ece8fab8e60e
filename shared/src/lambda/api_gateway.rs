//! `@connections` of API Gateway's WebSocket API.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::{Builder, Region};
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, operation::post_to_connection::PostToConnectionError};

use crate::aws::{Aws, timeouts};
use crate::config::Config;
use crate::connections::{Connections, Frame, Sent};

/// A post that hangs must not hold up the others; what is lost is found again by `seq`.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The platform's sockets, reached through `WEBSOCKET_ENDPOINT`. Never derived from an event: behind a custom domain or
/// CloudFront the address there is not the one that answers.
pub struct ApiGateway {
    client: Client,
}

impl ApiGateway {
    /// A client; no call is made yet. Credentials and region come from what Lambda sets, without any probing.
    pub fn new(config: &Config) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let endpoint = config.websocket_endpoint.as_deref().ok_or("WEBSOCKET_ENDPOINT is not set")?;
        let aws = Aws::from_env(endpoint.starts_with("http://"))?;
        let sdk = Builder::new()
            .behavior_version_latest()
            .endpoint_url(endpoint)
            .region(Region::new(aws.region))
            .credentials_provider(aws.credentials)
            .http_client(aws.http)
            .timeout_config(timeouts(TIMEOUT, 3 * TIMEOUT))
            // 429 is worth two more tries; the deadline of an attempt keeps the whole short.
            .retry_config(RetryConfig::standard().with_max_attempts(3).with_max_backoff(Duration::from_millis(200)))
            .build();
        Ok(Self { client: Client::from_conf(sdk) })
    }
}

#[async_trait]
impl Connections for ApiGateway {
    async fn send(&self, connection_id: &str, frame: &Frame) -> Sent {
        let data = Blob::new(frame.as_str().as_bytes());
        match self.client.post_to_connection().connection_id(connection_id).data(data).send().await {
            Ok(_) => Sent::Handed,
            Err(error) if is_gone(&error) => Sent::Gone,
            Err(error) => {
                tracing::warn!(connection_id, error = %aws_sdk_apigatewaymanagement::error::DisplayErrorContext(&error), "frame not sent");
                Sent::Failed
            }
        }
    }

    async fn close(&self, connection_id: &str) {
        if let Err(error) = self.client.delete_connection().connection_id(connection_id).send().await {
            let status = error.raw_response().map(|response| response.status().as_u16());
            if status != Some(410) {
                tracing::warn!(connection_id, ?status, "socket not closed");
            }
        }
    }
}

/// 410: the connection is over. 400: it never was one. 403 is a mistake of ours and says nothing about the connection.
fn is_gone(error: &SdkError<PostToConnectionError>) -> bool {
    matches!(error.raw_response().map(|response| response.status().as_u16()), Some(400 | 410))
}
