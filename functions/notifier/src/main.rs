//! The Lambda `bootstrap` of this function.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &shared::lambda::app().await?;
    run(service_fn(async |_: LambdaEvent<Value>| notifier::handle(app).await.map_err(Error::from))).await
}
