//! The Lambda `bootstrap` of this function.

use lambda_http::{Error, Request, run, service_fn};
use mimalloc::MiMalloc;

/// With the C library's own, memory was a sixth of an event's instructions.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &shared::lambda::app().await?;
    run(service_fn(move |request: Request| async move { Ok::<_, Error>(telegram::handle(app, request).await) })).await
}
