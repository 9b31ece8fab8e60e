//! The report: what was measured, held against its limit and its goal.

use std::fmt::Write as _;

use crate::bench::Pair;
use crate::outbox::Outbox;
use crate::soak::Soak;
use crate::stores::Store;
use crate::visit::Sample;
use crate::{Result, as_f64};

/// One line of a table.
pub struct Row {
    /// What was measured.
    pub scenario: String,
    /// What it must keep, such as `≤ 4`.
    pub limit: String,
    /// What it is meant to reach.
    pub goal: String,
    /// What it is.
    pub figure: String,
    /// Run by run.
    pub runs: String,
}

impl Row {
    /// The figure as a part of the limit; above 1 it is missed.
    pub fn share(&self) -> Option<f64> {
        share(&self.figure, &self.limit)
    }

    /// What is kept of the two.
    fn verdict(&self) -> &'static str {
        match (self.share(), share(&self.figure, &self.goal)) {
            (_, Some(goal)) if goal <= 1.0 => "goal",
            (Some(limit), None) if limit <= 1.0 => "limit",
            (Some(limit), Some(_)) if limit <= 1.0 => "limit, not yet the goal",
            (None, _) => "",
            _ => "**missed**",
        }
    }
}

fn share(figure: &str, bound: &str) -> Option<f64> {
    let (figure, value) = (number(figure)?, number(bound)?);
    match (bound.starts_with('≥'), value > 0.0) {
        (true, _) => Some(value / figure),
        (false, true) => Some(figure / value),
        (false, false) => Some(if figure > value { f64::INFINITY } else { 0.0 }),
    }
}

/// The first number in a text, with its thousands: `≤ 250k`, `1,234 instructions`.
fn number(text: &str) -> Option<f64> {
    let begin = text.find(|letter: char| letter.is_ascii_digit())?;
    let sign = if text[..begin].ends_with(['-', '−']) { -1.0 } else { 1.0 };
    let text = &text[begin..];
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ',').unwrap_or(text.len());
    let factor = match text[end..].chars().next() {
        Some('k') => 1e3,
        Some('M') => 1e6,
        _ => 1.0,
    };
    text[..end].replace(',', "").parse::<f64>().ok().map(|value| sign * value * factor)
}

/// The rows of what was compared with the relay.
pub fn compared(pairs: &[Pair]) -> Vec<Row> {
    let mut rows = Vec::new();
    for pair in pairs {
        let (limit, goal) = if pair.store == Store::Sqlite { ("≤ 4", "2") } else { ("≤ 2.5", "1.3") };
        let mut cost = |name: &str, of: fn(&Sample) -> f64| {
            rows.push(ratio(pair, &format!("CPU per message, {name}"), limit, goal, "µs", of));
        };
        cost("steady", |sample| sample.steady);
        cost("mixed", |sample| sample.mixed);
        cost("saturated", |sample| sample.saturated);
    }
    for pair in pairs {
        rows.push(ratio(pair, "Saturation, messages/s", "≥ 0.5", "≥ 0.8", "/s", |sample| sample.per_second));
        if pair.visitors == 1_000 {
            rows.push(ratio(pair, "Visitor → admin, p50", "≤ 2", "1.5", "µs", |sample| quantile(sample, 0.5)));
            rows.push(ratio(pair, "Visitor → admin, p99", "≤ 2", "1.5", "µs", |sample| quantile(sample, 0.99)));
            rows.push(ratio(pair, "CPU of connect and join", "≤ 4", "", "µs", |sample| sample.join));
        }
        if pair.visitors >= 1_000 {
            rows.extend(memory(pair));
        }
    }
    rows
}

/// What Parley took, divided by what the relay took, run by run.
fn ratio(pair: &Pair, name: &str, limit: &str, goal: &str, unit: &str, of: fn(&Sample) -> f64) -> Row {
    let parley: Vec<_> = pair.parley.iter().map(of).collect();
    let relay: Vec<_> = pair.relay.iter().map(of).collect();
    let ratios: Vec<_> = parley.iter().zip(&relay).map(|(parley, relay)| parley / relay.max(f64::EPSILON)).collect();
    let runs: Vec<_> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    Row {
        scenario: format!("{name}: {}, {} visitors", pair.store, pair.visitors),
        limit: limit.into(),
        goal: goal.into(),
        figure: format!("{:.2}", median(&ratios)),
        runs: format!("{} ({:.0} to {:.0} {unit})", runs.join(", "), median(&parley), median(&relay)),
    }
}

fn memory(pair: &Pair) -> Vec<Row> {
    let each = |side: &[Sample]| -> Vec<f64> {
        let idle = |sample: &Sample| {
            let grown = sample.memory.1.saturating_sub(sample.memory.0);
            as_f64(usize::try_from(grown).unwrap_or_default()) / as_f64(pair.visitors)
        };
        side.iter().map(idle).collect()
    };
    let start: Vec<_> =
        pair.parley.iter().map(|one| as_f64(usize::try_from(one.memory.0).unwrap_or_default()) / 1024.0).collect();
    let row = |name: &str, limit: &str, goal: &str, values: &[f64], more: String| Row {
        scenario: format!("{name}: {}, {} visitors", pair.store, pair.visitors),
        limit: limit.into(),
        goal: goal.into(),
        figure: format!("{:.1}", median(values)),
        runs: values.iter().map(|value| format!("{value:.1}")).collect::<Vec<_>>().join(", ") + &more,
    };
    let idle = each(&pair.parley);
    let relay = format!(" (relay {:.1})", median(&each(&pair.relay)));
    let mut rows = vec![row("PSS per idle connection, KiB", "≤ 16", "8", &idle, relay)];
    if pair.visitors == 1_000 {
        rows.push(row("PSS of the process at start, MiB", "≤ 20", "8", &start, String::new()));
    }
    rows
}

/// The rows of the outbox.
pub fn outbox(runs: &[Outbox]) -> Vec<Row> {
    if runs.is_empty() {
        return Vec::new();
    }
    let row = |name: &str, limit: &str, goal: &str, of: fn(&Outbox) -> f64| {
        let values: Vec<_> = runs.iter().map(of).collect();
        Row {
            scenario: name.into(),
            limit: limit.into(),
            goal: goal.into(),
            figure: format!("{:.0}", median(&values)),
            runs: values.iter().map(|value| format!("{value:.1}")).collect::<Vec<_>>().join(", "),
        }
    };
    vec![
        row("Telegram: CPU per message that a visitor writes, µs", "≤ 500", "150", |run| run.per_message),
        row("Telegram: CPU per call of the Bot API, µs", "", "", |run| run.per_call),
        row("Telegram: connections per 1,000 messages", "≤ 2", "", |run| run.connections),
        row("Telegram: calls per 1,000 messages", "", "", |run| run.calls),
    ]
}

/// The rows of the soak.
pub fn soak(soak: &Soak) -> Vec<Row> {
    let (lost, doubled) = (soak.lost + soak.holes, soak.doubled);
    let row = |scenario: String, limit: &str, figure: String, runs: String| Row {
        scenario,
        limit: limit.into(),
        goal: String::new(),
        figure,
        runs,
    };
    let what = format!("{} visitors who keep reconnecting for {} s", soak.visitors, soak.length.as_secs());
    let many = format!("of {} messages, {} reconnects", soak.written, soak.returns);
    vec![
        row(format!("{what}: lost"), "≤ 0", lost.to_string(), many.clone()),
        row(format!("{what}: doubled"), "≤ 0", doubled.to_string(), many),
        row(format!("{what}: PSS growth, %"), "≤ 3", format!("{:.1}", soak.growth()), String::new()),
    ]
}

/// The rows of what was counted elsewhere, a line each: `name<TAB>figure<TAB>limit<TAB>goal`.
pub fn counted(lines: &str) -> Result<Vec<Row>> {
    let row = |line: &str| {
        let fields: Vec<_> = line.split('\t').map(str::trim).collect();
        let [scenario, figure, limit, goal] = fields[..] else { return Err(format!("not a count: {line}").into()) };
        Ok(Row {
            scenario: scenario.into(),
            limit: limit.into(),
            goal: goal.into(),
            figure: figure.into(),
            runs: String::new(),
        })
    };
    lines.lines().filter(|line| !line.is_empty()).map(row).collect()
}

/// A table of rows.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| scenario | limit | goal | figure | keeps | run by run |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let Row { scenario, limit, goal, figure, runs } = row;
        let _ = writeln!(text, "| {scenario} | {limit} | {goal} | {figure} | {} | {runs} |", row.verdict());
    }
    text
}

/// What each side took, in its own unit.
pub fn absolute(pairs: &[Pair]) -> String {
    let mut text = String::from(
        "| store | visitors | side | steady µs | mixed µs | saturated µs | messages/s | p50 / p99 ms | confirmed p50 / p99 ms \
         | join µs | KiB per connection |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for pair in pairs {
        for (name, side) in [("relay", &pair.relay), ("Parley", &pair.parley)] {
            let of = |value: fn(&Sample) -> f64| median(&side.iter().map(value).collect::<Vec<_>>());
            let _ = writeln!(
                text,
                "| {} | {} | {name} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} / {:.2} | {:.2} / {:.2} | {:.0} | {:.1} |",
                pair.store,
                pair.visitors,
                of(|sample| sample.steady),
                of(|sample| sample.mixed),
                of(|sample| sample.saturated),
                of(|sample| sample.per_second),
                of(|sample| quantile(sample, 0.5)) / 1e3,
                of(|sample| quantile(sample, 0.99)) / 1e3,
                of(|sample| confirmed(sample, 0.5)) / 1e3,
                of(|sample| confirmed(sample, 0.99)) / 1e3,
                of(|sample| sample.join),
                of(idle) / as_f64(pair.visitors),
            );
        }
    }
    text
}

fn idle(sample: &Sample) -> f64 {
    as_f64(usize::try_from(sample.memory.1.saturating_sub(sample.memory.0)).unwrap_or_default())
}

/// From a visitor's sending to an admin's socket, in microseconds.
pub fn quantile(sample: &Sample, quantile: f64) -> f64 {
    as_f64(usize::try_from(sample.arrival.value_at_quantile(quantile)).unwrap_or_default())
}

fn confirmed(sample: &Sample, quantile: f64) -> f64 {
    as_f64(usize::try_from(sample.confirmation.value_at_quantile(quantile)).unwrap_or_default())
}

/// The middle one, or the mean of the two in the middle; nothing of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}
