//! The Lambda `bootstrap` of this function.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use mimalloc::MiMalloc;
use serde_json::Value;

/// With the C library's own, memory was a sixth of an event's instructions.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &shared::lambda::app().await?;
    run(service_fn(async |_: LambdaEvent<Value>| maintenance::handle(app).await.map_err(Error::from))).await
}
