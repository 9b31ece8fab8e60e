//! How AWS is called: by the SDK's own operations, which write what is asked and read what is answered, with our own way in
//! between.
//!
//! The SDK's way between the two (its "orchestrator") builds each call together from plugins, interceptors and layers of
//! configuration, and tries again by rules of its own: some 70,000 instructions per call, of which a Lambda event makes four
//! to twenty. Here nothing is configured per call, and the callers, who know what is safe to repeat, have their own rules.
//!
//! Nothing is probed for: Lambda sets all of it, and a local server needs none of it.

mod http;
mod operations;
mod sign;

use std::marker::PhantomData;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::Input;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer};
use aws_smithy_types::error::operation::BuildError;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use self::http::{Address, Http};
pub(crate) use self::operations::Asks;
use self::sign::Signer;
use crate::config::AwsEnvironment;

/// What RFC 3986 leaves as it is, and nothing else, as signatures want it.
pub(crate) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What a local server is told, which believes anything.
const NOBODY: &str = "local";

/// How a call ended: with what it answers, or the SDK's error.
pub(crate) type Answer<A> = Result<<A as Asks>::Output, SdkError<<A as Asks>::Error, HttpResponse>>;

/// One service of AWS at one address, or a server that emulates it.
#[derive(Debug)]
pub(crate) struct Service {
    http: Http,
    address: Address,
}

/// What is sent of a call, as often as it is tried.
#[derive(Debug)]
pub(crate) struct Call<A> {
    request: ::http::Request<Bytes>,
    form: FrozenLayer,
    asked: PhantomData<fn(A)>,
}

impl Service {
    /// `name` is what its requests are signed for, `url` where it is, with what its paths begin with, and `attempt` what each
    /// try may take.
    pub(crate) fn new(
        name: &'static str,
        url: &str,
        (credentials, region): (Credentials, String),
        attempt: Duration,
    ) -> Result<Self, String> {
        let signer = Signer::new(credentials, region, name).map_err(|error| error.to_string())?;
        let http = Http::new(signer, attempt).map_err(|error| error.to_string())?;
        Ok(Self { http, address: Address::of(url).map_err(|error| error.to_string())? })
    }

    /// Writes down what is asked.
    pub(crate) fn ask<A: Asks>(&self, input: Result<A, BuildError>) -> Result<Call<A>, BoxError> {
        let form = A::Operation::default().config().ok_or("an operation without a form")?;
        let writer = form.load::<SharedRequestSerializer>().ok_or("an operation that cannot be written")?;
        let request = writer.serialize_input(Input::erase(input?), &mut ConfigBag::base())?;
        Ok(Call { request: self.address.on(request)?, form, asked: PhantomData })
    }

    /// Sends it once.
    pub(crate) async fn send<A: Asks>(&self, call: &Call<A>) -> Answer<A> {
        let answer = self.http.send(call.request.clone()).await.map_err(SdkError::dispatch_failure)?;
        let Some(reader) = call.form.load::<SharedResponseDeserializer>() else {
            return Err(SdkError::response_error("an operation that cannot be read", answer));
        };
        let failed = match reader.deserialize_nonstreaming_with_config(&answer, &ConfigBag::base()) {
            Ok(output) => match output.downcast() {
                Ok(output) => return Ok(output),
                Err(_) => None,
            },
            Err(error) => {
                let mut failed = None;
                error.map_operation_error(|error| failed = Some(error));
                failed.and_then(|error| error.downcast().ok())
            }
        };
        Err(match failed {
            Some(error) => SdkError::service_error(error, answer),
            None => SdkError::response_error("nothing that can be read", answer),
        })
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
