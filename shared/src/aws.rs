//! What both AWS clients are built from: who we are, where, and how bytes travel. Nothing is probed for: Lambda sets all of
//! it, and a local server needs none of it.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::timeout::TimeoutConfig;

use crate::config::AwsEnvironment;

/// What a local server is told, which believes anything.
const NOBODY: &str = "local";

/// The parts of a client.
pub(crate) struct Aws {
    /// The connector, with one TLS stack (rustls on ring).
    pub(crate) http: aws_sdk_dynamodb::config::SharedHttpClient,
    /// What requests are signed with.
    pub(crate) credentials: Credentials,
    /// Where.
    pub(crate) region: String,
}

impl Aws {
    /// Reads what Lambda sets; `local` fills in what is missing.
    pub(crate) fn from_env(local: bool) -> Result<Self, String> {
        let found = match AwsEnvironment::from_env() {
            Err(_) if local => AwsEnvironment {
                access_key_id: NOBODY.into(),
                secret_access_key: NOBODY.into(),
                session_token: None,
                region: "us-east-1".into(),
            },
            found => found?,
        };
        let credentials =
            Credentials::new(found.access_key_id, found.secret_access_key, found.session_token, None, "environment");
        let http =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        Ok(Self { http, credentials, region: found.region })
    }
}

/// A limit for one attempt, and one for all attempts together.
pub(crate) fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
