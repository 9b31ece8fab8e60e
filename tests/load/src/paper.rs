//! `docs/benchmarks.md` and the pictures beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::bench::{BARE, Findings};
use crate::plot;
use crate::report::{self, Row};
use crate::settings::Settings;
use crate::soak::Soak;

const PICTURES: &str = "benchmarks";

/// Writes the report of everything.
pub fn write(settings: &Settings, findings: &Findings) -> Result<()> {
    let folder = settings.out.join(PICTURES);
    fs::create_dir_all(&folder)?;
    let compared = report::compared(&findings.pairs);
    let outbox = report::outbox(&findings.outbox);
    let soak = findings.soak.as_ref().map(report::soak).unwrap_or_default();
    let counted = counted_in(settings.counts.as_ref())?;
    let functions = counted_in(settings.functions.as_ref())?;

    let mut text = introduction(settings)?;
    section(&mut text, COMPARED, &compared);
    text += ABSOLUTE;
    text += &report::absolute(&findings.pairs);
    let _ = write!(
        text,
        "\nA relay that keeps nothing, with {BARE} visitors: {:.1} µs per message steady, {:.1} mixed, {:.1} saturated.\n",
        findings.bare.steady, findings.bare.mixed, findings.bare.saturated
    );
    section(&mut text, OUTBOX, &outbox);
    section(&mut text, SOAK, &soak);
    section(&mut text, COUNTED, &counted);
    section(&mut text, FUNCTIONS, &functions);

    let all: Vec<Row> = [compared, outbox, soak, counted, functions].into_iter().flatten().collect();
    fs::write(folder.join("limits.svg"), plot::shares(&all)?)?;
    fs::write(folder.join("latency.svg"), plot::latency(&findings.pairs)?)?;
    if let Some(soak) = &findings.soak {
        fs::write(folder.join("soak.svg"), plot::soak(soak)?)?;
    }
    Ok(fs::write(settings.out.join("benchmarks.md"), text)?)
}

/// Says what has become of those who kept reconnecting; an error when anything was lost or came twice.
pub fn say_soak(soak: &Soak) -> Result<()> {
    say(&report::soak(soak));
    if soak.lost + soak.doubled + soak.holes > 0 { Err("messages were lost or doubled".into()) } else { Ok(()) }
}

/// Prints a table.
#[expect(clippy::print_stdout, reason = "the table is what was asked for")]
pub fn say(rows: &[Row]) {
    print!("{}", report::table(rows));
}

const INTRODUCTION: &str = "# What Parley costs\n
Written by `make bench`; nothing here is typed by hand. A figure that is a ratio compares Parley with the least that could do
the same on this machine: a relay of its own (`tests/load/src/relay.rs`) that confirms a visitor's message and passes it
to two admins in frames of the same size, and that keeps it as durably (SQLite: write-ahead log, `synchronous=FULL`;
PostgreSQL: its own settings, `synchronous_commit` on, pipelined; one row a message, and all that waits goes in one commit). Both run in turns, relay, Parley,
relay, Parley, and each run begins with an empty database. CPU is that of the server and, for PostgreSQL, of the database's
processes on both sides, until a second after the last message. Two admins are online in every scenario, a message is about
100 bytes, and visitors, admins and server share the machine.\n";
const COMPARED: &str = "## Beside the relay: `make bench`\n
Steady: each visitor writes every 5 seconds. Mixed: they type before they write, every tenth time they leave and come back
instead, an admin reads everything and answers every second message; an answer counts as a message. Saturated: 64
messages are on their way at all times.\n\n![Figures and their limits](benchmarks/limits.svg)\n
![How long messages are on their way](benchmarks/latency.svg)\n\n";
const ABSOLUTE: &str = "\nMedians, in units that hold for this machine and this run only:\n\n";
const OUTBOX: &str = "## Telegram: `make bench`\n
Four visitors write 1,000 messages in 20 seconds to a gateway on SQLite, without Telegram and with it, until everything has
arrived at the tests' Bot API server, which sets no limits. The gateway keeps Telegram's pace (20 messages a minute in a
group), so that what a visitor writes while waiting goes in one post. The figure is the difference of the two.\n\n";
const SOAK: &str = "## Soak: `make bench SOAK=600` or `make soak`\n
Each visitor stays for three messages, leaves (with a close frame, without, or before its last message is confirmed), comes
back, and sends again what was not confirmed. At the end every conversation is read from its first message. Memory is
compared between the end of the first third and the end.\n
![Memory while visitors come and go](benchmarks/soak.svg)\n\n";
const COUNTED: &str = "## Counts: `tests/counts.sh`, and as limits in `make test`\n\n";
const FUNCTIONS: &str = "## Functions: `make bench-lambda`\n
What each bootstrap costs, optimised as it is deployed, on a DynamoDB-compatible server. It does what people ask of it every
day, once and ten times more (`tests/aws/scene.py`): a visitor's socket comes (`connect`), says something while an admin is
there (`message`), goes (`disconnect`); a visitor writes over HTTP (`visitor`); the panel asks for its list (`admin`); an operator
answers in Telegram (`telegram`); a message is brought there (`notifier`); nothing is due (`maintenance`). `hello` is the least
that a function can be. Callgrind counts instructions; it has no processor's own SHA-256, which AWS's machines have, and there is
no TLS.\n\n";

fn counted_in(file: Option<&PathBuf>) -> Result<Vec<Row>> {
    report::counted(&file.map(fs::read_to_string).transpose()?.unwrap_or_default())
}

fn section(text: &mut String, head: &str, rows: &[Row]) {
    if !rows.is_empty() {
        let _ = write!(text, "\n{head}{}", report::table(rows));
    }
}

fn introduction(settings: &Settings) -> Result<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    let (kernel, commit) = (kernel.trim(), &settings.commit);
    let extent = if settings.quick { " A quick run (`QUICK=1`): one round, fewer crowds." } else { "" };
    Ok(format!("{INTRODUCTION}\nMachine: {cores} cores ({model}), Linux {kernel}. Commit {commit}.{extent}\n"))
}
