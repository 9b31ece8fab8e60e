//! The Lambda `bootstrap` of this function.

use aws_lambda_events::dynamodb;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use mimalloc::MiMalloc;
use serde_json::Value;

/// With the C library's own, memory was a sixth of an event's instructions.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &shared::lambda::app_with_attachments().await?;
    run(service_fn(async |event: LambdaEvent<Value>| {
        // A stream's batch has records; whoever invokes the function by hand wants the lanes drained.
        match serde_json::from_value::<dynamodb::Event>(event.payload) {
            Ok(batch) => Ok::<_, Error>(serde_json::to_value(notifier::stream(app, batch).await)?),
            Err(_) => Ok(serde_json::to_value(notifier::handle(app).await?)?),
        }
    }))
    .await
}
