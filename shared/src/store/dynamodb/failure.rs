//! What goes wrong between us and the table, and how long we put up with it.

use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use tokio::time::{Instant, sleep, timeout_at};

use crate::aws::{Answer, Asks, Service};
use crate::store::{StoreError, StoreResult};

/// Others write the same item: over in a moment.
const CONFLICTS: [&str; 2] = ["TransactionConflictException", "TransactionInProgressException"];
/// DynamoDB cannot keep up, and says so.
const TOO_MUCH: [&str; 6] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
];
/// A change with all its tries, in milliseconds.
pub(super) const CHANGE: u64 = 2_500;
/// The longest pause before another try where others were faster, in milliseconds.
const BRIEF: u64 = 60;
/// The same where DynamoDB cannot keep up or does not answer: the SDK's own for it is between 0 and this, too.
const LONG: u64 = 500;
/// The first pause is at most the longest divided by this.
const SHORTEST: u64 = 30;

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
        if pause_after(&error).is_some() { Self::Unavailable(failure) } else { Self::Broken(failure) }
    }
}

/// The longest pause before another try, in milliseconds, if one may help: nothing was written, or writing the same again is
/// safe.
fn pause_after<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<u64> {
    match error {
        SdkError::ConstructionFailure(_) => None,
        SdkError::DispatchFailure(failed) => (!failed.is_user()).then_some(LONG),
        SdkError::ServiceError(failed) => match failed.err().code() {
            Some(code) if CONFLICTS.contains(&code) => Some(BRIEF),
            Some(code) if TOO_MUCH.contains(&code) => Some(LONG),
            _ => failed.raw().status().is_server_error().then_some(LONG),
        },
        _ => Some(LONG),
    }
}

/// Tries with growing, random pauses until a deadline.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    pauses: u32,
}

impl Patience {
    /// Lasts for so many milliseconds from now.
    pub(super) fn of(millis: u64) -> Self {
        Self { until: Instant::now() + Duration::from_millis(millis), pauses: 0 }
    }

    /// Waits before the next try, since others were faster; fails when there is no time for one.
    pub(super) async fn again(&mut self) -> StoreResult<()> {
        self.pause(BRIEF).await
    }

    async fn pause(&mut self, longest: u64) -> StoreResult<()> {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).map_err(|_| unavailable("no random numbers"))?;
        let most = longest.min(2_u64.saturating_pow(self.pauses).saturating_mul(longest / SHORTEST));
        let pause = Duration::from_millis(u64::from_le_bytes(bytes) % (most + 1));
        if Instant::now() + pause >= self.until {
            return Err(unavailable("too busy"));
        }
        sleep(pause).await;
        self.pauses = self.pauses.saturating_add(1);
        Ok(())
    }

    /// Waits for `work`, but not past the deadline.
    pub(super) async fn bound<T>(&self, work: impl Future<Output = T>) -> StoreResult<T> {
        timeout_at(self.until, work).await.map_err(|_| unavailable("no answer in time"))
    }

    /// Calls until the answer is no failure that passes. What is asked must be safe to ask again.
    pub(super) async fn call<A>(&mut self, service: &Service, asked: Result<A, BuildError>) -> StoreResult<Answer<A>>
    where
        A: Asks<Error: ProvideErrorMetadata>,
    {
        let call = service.ask(asked).map_err(|_| broken("the request could not be built"))?;
        loop {
            let answer = self.bound(service.send(&call)).await?;
            let longest = answer.as_ref().err().and_then(pause_after);
            // Where there is no time for another try, what the last one met says more than that.
            let Some(longest) = longest else { return Ok(answer) };
            if self.pause(longest).await.is_err() {
                return Ok(answer);
            }
        }
    }
}
