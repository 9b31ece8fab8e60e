//! `@connections` of API Gateway's WebSocket API.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{Builder, Region, StalledStreamProtectionConfig};
use aws_sdk_apigatewaymanagement::error::DisplayErrorContext;
use aws_sdk_apigatewaymanagement::primitives::Blob;

use crate::aws::{Aws, NothingElse};
use crate::config::Config;
use crate::connections::{Connections, Frame, Sent};

/// A post that hangs must not hold up the others; what is lost is found again by `seq`.
const TIMEOUT: Duration = Duration::from_secs(1);
/// At `http://` there is a server that emulates API Gateway, which is as slow as its machine is busy.
const EMULATED: Duration = Duration::from_secs(5);
/// A full buffer, or too many posts in this account: worth two more tries.
const PAUSES_MS: [u64; 2] = [60, 180];

/// The platform's sockets, reached through `WEBSOCKET_ENDPOINT`. Never derived from an event: behind a custom domain or
/// CloudFront the address there is not the one that answers.
pub struct ApiGateway {
    client: Client,
    timeout: Duration,
}

impl ApiGateway {
    /// A client; no call is made yet. Credentials and region come from what Lambda sets, without any probing.
    pub fn new(config: &Config) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let endpoint = config.websocket_endpoint.as_deref().ok_or("WEBSOCKET_ENDPOINT is not set")?;
        let emulated = endpoint.starts_with("http://");
        let timeout = if emulated { EMULATED } else { TIMEOUT };
        let aws = Aws::from_env(emulated, "execute-api", timeout)?;
        let sdk = Builder::new()
            .behavior_version_latest()
            .endpoint_url(endpoint)
            .region(Region::new(aws.region))
            .allow_no_auth()
            .interceptor(NothingElse)
            .http_client(aws.http)
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::disabled())
            .build();
        Ok(Self { client: Client::from_conf(sdk), timeout })
    }
}

impl ApiGateway {
    async fn post(&self, connection_id: &str, frame: &Frame) -> Result<(), Refused> {
        let data = Blob::new(frame.as_str().as_bytes());
        let posted = self.client.post_to_connection().connection_id(connection_id).data(data).send().await;
        posted.map(drop).map_err(|error| {
            let status = error.raw_response().map(|response| response.status().as_u16());
            Refused { status, cause: DisplayErrorContext(&error).to_string() }
        })
    }

    async fn try_to_send(&self, connection_id: &str, frame: &Frame) -> Result<(), Refused> {
        for pause in PAUSES_MS {
            match self.post(connection_id, frame).await {
                Err(Refused { status: Some(429), .. }) => tokio::time::sleep(jitter(pause)).await,
                answer => return answer,
            }
        }
        self.post(connection_id, frame).await
    }
}

/// Why a post brought nothing.
struct Refused {
    status: Option<u16>,
    cause: String,
}

fn jitter(most_ms: u64) -> Duration {
    let random = u64::from(getrandom::u32().unwrap_or(u32::MAX));
    Duration::from_millis(most_ms / 2 + most_ms * random / u64::from(u32::MAX) / 2)
}

#[async_trait]
impl Connections for ApiGateway {
    async fn send(&self, connection_id: &str, frame: &Frame) -> Sent {
        let tried = tokio::time::timeout(self.timeout, self.try_to_send(connection_id, frame)).await;
        let Refused { status, cause } = match tried {
            Ok(Ok(())) => return Sent::Handed,
            Ok(Err(refused)) => refused,
            Err(_) => Refused { status: None, cause: "no answer in time".into() },
        };
        match status {
            // The connection is over, or never was one.
            Some(400 | 410) => return Sent::Gone,
            // A mistake of ours: wrong endpoint, stage or policy, or a frame that no client may get.
            Some(403 | 413) => tracing::error!(connection_id, status, cause, "frame refused"),
            _ => tracing::warn!(connection_id, status, cause, "frame not sent"),
        }
        Sent::Failed
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
