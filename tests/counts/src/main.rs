//! Counts what Parley costs: instructions (callgrind), system calls (strace), memory. Of each work there are two runs of
//! different length; a figure is their difference by the difference in length, so that starts and ends do not count. A
//! gateway whose system calls are counted has two cores, and is idle at the end of the shorter run until both took as
//! long.
//!
//! Usage: `counts GATEWAY FOLDER FILE` measures the gateway's program with databases in FOLDER and appends a line to FILE for
//! each figure: name, figure, limit, goal, with tabs between them.
//! `counts handler TIMES` and `counts reads WORK DATABASE TIMES` are the works that it watches itself do.

mod callgrind;
mod fill;
mod gateway;
mod house;
mod memory;
mod messages;
mod multiply;
mod people;
mod reads;
mod report;
mod strace;
mod words;

use std::error::Error;
use std::path::Path;

use mimalloc::MiMalloc;
use report::Report;

/// The gateway's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What goes wrong in a measurement ends it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["handler", times] => messages::handle(times.parse()?).await,
        ["reads", work, database, times] => reads::repeat(work, database, times.parse()?).await,
        [gateway, folder, file] => measure(gateway, Path::new(folder), Path::new(file)).await,
        _ => Err("usage: counts GATEWAY FOLDER FILE".into()),
    }
}

async fn measure(gateway: &str, folder: &Path, file: &Path) -> Result<()> {
    let mut report = Report::open(file)?;
    messages::measure(&mut report, gateway, folder).await?;
    memory::measure(&mut report, gateway, folder).await?;
    reads::measure(&mut report, folder).await
}
