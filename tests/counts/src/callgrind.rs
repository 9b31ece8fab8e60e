//! Instructions, as callgrind counts them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::report::slope;

/// The command that runs a program under callgrind, and where it leaves its figures.
pub fn wrapped(program: &Path, folder: &Path) -> (Command, PathBuf) {
    let out = folder.join("callgrind.out");
    let mut command = Command::new("valgrind");
    let figures = format!("--callgrind-out-file={}", out.display());
    command.args(["--quiet", "--tool=callgrind", "--error-exitcode=99", &figures]).arg(program);
    (command, out)
}

/// All instructions of a run that has ended.
pub fn total(out: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(out)?;
    let line = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    Ok(line.ok_or("callgrind tells no sum")?.trim().parse()?)
}

/// Instructions for one more of a work that this program does itself: `counts WORK… TIMES`.
pub fn of_one_more(work: &[&str], folder: &Path, (short, long): (u32, u32)) -> Result<f64> {
    let run = |times: u32| -> Result<(u32, u64)> {
        let (mut command, out) = wrapped(&std::env::current_exe()?, folder);
        let status = command.args(work).arg(times.to_string()).status()?;
        if !status.success() {
            return Err(format!("{work:?}: {status}").into());
        }
        Ok((times, total(&out)?))
    };
    Ok(slope(run(short)?, run(long)?))
}
