//! What Linux says of a process and of those it has started.

use std::fs;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use crate::Result;

/// Linux counts the time of processes that have ended in these steps.
const TICK: Duration = Duration::from_millis(10);

/// CPU time so far of a process, of those that it has started, and of those among them that have ended.
pub fn cpu(pid: u32) -> Result<Duration> {
    let mut total = ended(pid)?;
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        // One that has ended since it was listed counts from the next look on.
        if let Ok(clock) = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid)?)).and_then(ClockId::now) {
            total += Duration::from(clock);
            open.extend(children(pid));
        }
    }
    Ok(total)
}

/// Memory of one process in KiB, shared pages counted in part.
pub fn pss(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find(|line| line.starts_with("Pss:")).ok_or("smaps_rollup has no Pss")?;
    Ok(line.split_whitespace().nth(1).ok_or("Pss has no number")?.parse()?)
}

/// The time of children that have ended and were waited for.
fn ended(pid: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The program's name stands in brackets and may hold anything, so fields are counted after it.
    let (_, fields) = text.rsplit_once(')').ok_or("stat has no name")?;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(13).take(2) {
        ticks += field.parse::<u32>()?;
    }
    Ok(TICK * ticks)
}

fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()).collect()
}
