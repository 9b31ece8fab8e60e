//! The Lambda `bootstrap` of this function.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use mimalloc::MiMalloc;

/// With the C library's own, memory was a sixth of an event's instructions.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &shared::lambda::app().await?;
    run(service_fn(async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
        Ok::<_, Error>(connect::handle(app, event.payload).await)
    }))
    .await
}
