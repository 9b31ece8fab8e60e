//! `@connections` of API Gateway's WebSocket API.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::config::http::HttpResponse;
use aws_sdk_apigatewaymanagement::error::{BoxError, DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionInput;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionInput;
use aws_sdk_apigatewaymanagement::primitives::Blob;

use crate::aws::{Call, Service, identity};
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
    service: Service,
    timeout: Duration,
}

impl ApiGateway {
    /// A client; no call is made yet. Credentials and region come from what Lambda sets, without any probing.
    pub fn new(config: &Config) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let endpoint = config.websocket_endpoint.as_deref().ok_or("WEBSOCKET_ENDPOINT is not set")?;
        let emulated = endpoint.starts_with("http://");
        let timeout = if emulated { EMULATED } else { TIMEOUT };
        let service = Service::new("execute-api", endpoint, identity(emulated)?, timeout)?;
        Ok(Self { service, timeout })
    }
}

impl ApiGateway {
    async fn post(&self, call: &Call<PostToConnectionInput>) -> Result<(), Refused> {
        self.service.send(call).await.map(drop).map_err(Refused::from)
    }

    async fn try_to_send(&self, connection_id: &str, frame: &Frame) -> Result<(), Refused> {
        let data = Blob::new(frame.as_str().as_bytes());
        let asked = PostToConnectionInput::builder().connection_id(connection_id).data(data).build();
        let call = self.service.ask(asked)?;
        for pause in PAUSES_MS {
            match self.post(&call).await {
                Err(Refused { status: Some(429), .. }) => tokio::time::sleep(jitter(pause)).await,
                answer => return answer,
            }
        }
        self.post(&call).await
    }

    async fn try_to_close(&self, connection_id: &str) -> Result<(), Refused> {
        let asked = DeleteConnectionInput::builder().connection_id(connection_id).build();
        let call = self.service.ask(asked)?;
        self.service.send(&call).await.map(drop).map_err(Refused::from)
    }
}

/// Why a call brought nothing.
struct Refused {
    status: Option<u16>,
    cause: String,
}

impl From<BoxError> for Refused {
    fn from(error: BoxError) -> Self {
        Self { status: None, cause: error.to_string() }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<SdkError<E, HttpResponse>> for Refused {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        Self { status, cause: DisplayErrorContext(&error).to_string() }
    }
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
        match self.try_to_close(connection_id).await {
            Ok(()) | Err(Refused { status: Some(410), .. }) => {}
            Err(Refused { status, cause }) => tracing::warn!(connection_id, ?status, cause, "socket not closed"),
        }
    }
}
