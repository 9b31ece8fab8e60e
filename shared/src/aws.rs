//! What both AWS clients are built from: who we are, where, and how bytes travel. Nothing is probed for: Lambda sets all of
//! it, and a local server needs none of it.

mod http;
mod sign;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::service_clock_skew::ServiceClockSkewInterceptor;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, Error, Input, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor, dyn_dispatch_hint};
use aws_smithy_types::config_bag::ConfigBag;
use http::Http;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use sign::Signer;

use crate::config::AwsEnvironment;

/// What RFC 3986 leaves as it is, and nothing else, as signatures want it.
pub(crate) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What a local server is told, which believes anything.
const NOBODY: &str = "local";

/// The parts of a client.
pub(crate) struct Aws {
    /// How bytes travel, by whom they are signed and how long an attempt may take: whoever builds a client says
    /// `allow_no_auth`, and sets the SDK no limits.
    pub(crate) http: SharedHttpClient,
    /// Where.
    pub(crate) region: String,
}

impl Aws {
    /// Reads what Lambda sets; `local` fills in what is missing. `service` is the name that its requests are signed for, and
    /// `attempt` what each may take.
    pub(crate) fn from_env(local: bool, service: &'static str, attempt: Duration) -> Result<Self, String> {
        let (credentials, region) = identity(local)?;
        let signer = Signer::new(credentials, region.clone(), service).map_err(|error| error.to_string())?;
        let connector = SharedHttpConnector::new(Http::new(signer, attempt).map_err(|error| error.to_string())?);
        let http = http_client_fn(move |_, _| connector.clone());
        Ok(Self { http, region })
    }
}

/// Who we are and where: what Lambda sets; `local` fills in what is missing.
pub(crate) fn identity(local: bool) -> Result<(Credentials, String), String> {
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
    Ok((credentials, found.region))
}

/// Leaves out what the SDK tells a service about itself with each request, and what it learns of a service's clock: nobody
/// asks for it here, and a Lambda function's own clock is right.
#[derive(Debug)]
pub(crate) struct NothingElse;

#[dyn_dispatch_hint]
impl Intercept for NothingElse {
    fn name(&self) -> &'static str {
        "NothingElse"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_, Input, Output, Error>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        const CAUSE: &str = "nobody asks for it";
        config
            .interceptor_state()
            .store_put(disable_interceptor::<UserAgentInterceptor>(CAUSE))
            .store_put(disable_interceptor::<RequestInfoInterceptor>(CAUSE))
            .store_put(disable_interceptor::<InvocationIdInterceptor>(CAUSE))
            .store_put(disable_interceptor::<ServiceClockSkewInterceptor>(CAUSE));
        Ok(())
    }
}
