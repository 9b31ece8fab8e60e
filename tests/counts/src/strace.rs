//! System calls, as strace counts them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;

/// strace writes its table after the program has ended.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_millis(20);
/// The more cores a gateway has, the more threads, and the oftener a message wakes another one. Where these two are not
/// ours to choose, it has what there is.
const ON_TWO_CORES: &str = r#"taskset -cp 0,1 $$ >/dev/null 2>&1; exec "$@""#;

/// The command that runs a program under strace, and where it leaves its figures. The process that is started is the program's
/// own; strace watches from behind.
pub fn wrapped(program: &Path, folder: &Path) -> (Command, PathBuf) {
    let out = folder.join("strace.out");
    let mut command = Command::new("sh");
    command.args(["-c", ON_TWO_CORES, "sh", "strace", "-D", "-f", "-q", "-c", "-U", "calls,name", "-o"]);
    command.arg(&out).arg(program);
    (command, out)
}

/// All calls of a run that has ended.
pub async fn total(out: &Path) -> Result<u64> {
    let read = async {
        loop {
            let text = std::fs::read_to_string(out)?;
            if let Some(line) = text.lines().find(|line| line.trim_end().ends_with("total")) {
                let calls = line.split_whitespace().next().ok_or("strace tells no sum")?;
                return Ok(calls.parse()?);
            }
            tokio::time::sleep(BETWEEN).await;
        }
    };
    tokio::time::timeout(PATIENCE, read).await.map_err(|_| "strace has written no table")?
}
