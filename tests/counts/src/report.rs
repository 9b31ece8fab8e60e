//! Figures on their way to whoever judges them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::Result;

/// A file of figures.
pub struct Report(File);

impl Report {
    /// Appends to a file.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Adds a line: what was counted, what it may be at most, what it should be.
    pub fn add(&mut self, name: &str, figure: f64, limit: f64, goal: f64) -> Result<()> {
        Ok(writeln!(self.0, "{name}\t{figure:.2}\t{limit}\t{goal}")?)
    }
}

/// What one more of a work costs, from two runs of different length.
pub fn slope(short: (u32, u64), long: (u32, u64)) -> f64 {
    let more = long.1.saturating_sub(short.1);
    #[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]
    let more = more as f64;
    more / f64::from(long.0 - short.0)
}
