//! What the gateway's process holds.

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::gateway::Gateway;
use crate::people::Visitor;
use crate::report::Report;

/// So many visitors are idle, one step after the other.
const STEPS: [u32; 2] = [1_000, 5_000];
/// So many come in at once.
const GROUP: u32 = 32;

/// Figures at start and of idle connections, in KiB of memory with shared pages counted in part (PSS).
pub async fn measure(report: &mut Report, program: &str, folder: &Path) -> Result<()> {
    let database = format!("sqlite://{}", folder.join("memory.db").display());
    let gateway = Gateway::start(Command::new(program), &database).await?;
    let start = gateway.memory()?;
    report.add("memory: MiB at start", start / 1_024.0, 20.0, 8.0)?;
    let mut visitors = Vec::new();
    let mut next = 0;
    for step in STEPS {
        while next < step {
            let group = (next..step.min(next + GROUP)).map(|number| Visitor::join(gateway.address(), number));
            visitors.extend(futures::future::try_join_all(group).await?);
            next = step.min(next + GROUP);
        }
        gateway.rest().await?;
        let each = (gateway.memory()? - start) / f64::from(step);
        report.add(&format!("memory: KiB per connection at {step}"), each, 16.0, 8.0)?;
    }
    gateway.stop().await
}
