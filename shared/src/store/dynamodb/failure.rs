//! What goes wrong between us and the table, and how long we put up with it.

use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep, timeout_at};

use crate::store::{StoreError, StoreResult};

/// Failures that pass by themselves: nothing was written, or writing the same again is safe.
const PASSING: [&str; 8] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
];
/// A change with all its tries, in milliseconds.
pub(super) const CHANGE: u64 = 2_500;
/// The longest pause between two tries.
const LONGEST: u64 = 60;

/// A failure without anything that the request held.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB: {code} {message}")]
struct Failure {
    code: String,
    message: String,
}

pub(super) fn unavailable(code: &str) -> StoreError {
    StoreError::Unavailable(Box::new(Failure { code: code.to_owned(), message: String::new() }))
}

/// Something in the table, or said by it, that must not be.
pub(super) fn broken(code: &str) -> StoreError {
    StoreError::Broken(Box::new(Failure { code: code.to_owned(), message: String::new() }))
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Broken(Box::new(error))
    }
}

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for StoreError {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let SdkError::ServiceError(failed) = &error else {
            return match error {
                SdkError::ConstructionFailure(_) => broken("the request could not be built"),
                SdkError::DispatchFailure(failed) if failed.is_timeout() => unavailable("no answer in time"),
                SdkError::DispatchFailure(_) => unavailable("no connection"),
                _ => unavailable("an answer that is none"),
            };
        };
        let (code, message) = (failed.err().code().unwrap_or("unknown"), failed.err().message().unwrap_or_default());
        let failure = Box::new(Failure { code: code.to_owned(), message: message.to_owned() });
        let passes = passes(&error) || failed.raw().status().is_server_error();
        if passes { Self::Unavailable(failure) } else { Self::Broken(failure) }
    }
}

/// Whether trying again soon may help.
fn passes<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| PASSING.contains(&code))
}

/// Tries with growing, random pauses until a deadline.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    pause: u64,
}

impl Patience {
    /// Lasts for so many milliseconds from now.
    pub(super) fn of(millis: u64) -> Self {
        Self { until: Instant::now() + Duration::from_millis(millis), pause: 2 }
    }

    /// Waits before the next try; fails when there is no time for one.
    pub(super) async fn again(&mut self) -> StoreResult<()> {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).map_err(|_| unavailable("no random numbers"))?;
        let pause = Duration::from_millis(u64::from_le_bytes(bytes) % (self.pause + 1));
        if Instant::now() + pause >= self.until {
            return Err(unavailable("too busy"));
        }
        sleep(pause).await;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }

    /// Waits for `work`, but not past the deadline.
    pub(super) async fn bound<T>(&self, work: impl Future<Output = T>) -> StoreResult<T> {
        timeout_at(self.until, work).await.map_err(|_| unavailable("no answer in time"))
    }

    /// Calls until the answer is no passing failure. What is called must be safe to call again.
    pub(super) async fn call<T, E, F>(
        &mut self,
        call: impl Fn() -> F,
    ) -> StoreResult<Result<T, SdkError<E, HttpResponse>>>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        loop {
            // A call's state is some 20 KB, which every future above it would hold in itself.
            match self.bound(Box::pin(call())).await? {
                Err(error) if passes(&error) => self.again().await?,
                answer => return Ok(answer),
            }
        }
    }
}
