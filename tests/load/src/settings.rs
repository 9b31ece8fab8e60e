//! What the script that starts a measurement says of it: `key=value`, one an argument.

use std::path::PathBuf;

use crate::Result;
use crate::stores::{Postgres, Room};

/// All of it.
pub struct Settings {
    /// The gateway's program: `gateway=`.
    pub gateway: String,
    /// Where the report goes: `out=`.
    pub out: PathBuf,
    /// Room for databases: `folder=`, `postgres=` (a URL), `postmaster=` (a process id).
    pub room: Room,
    /// What the program was built from: `commit=`.
    pub commit: String,
    /// Fewer and shorter runs: `quick=1`.
    pub quick: bool,
    /// Lines `name<TAB>figure<TAB>limit<TAB>goal` of what was counted elsewhere: `counts=`.
    pub counts: Option<PathBuf>,
    /// The same of each Lambda bootstrap: `functions=`.
    pub functions: Option<PathBuf>,
    /// Seconds of the soak, 0 for none: `seconds=`.
    pub seconds: u64,
    /// Visitors of the soak: `visitors=`.
    pub visitors: usize,
}

impl Settings {
    /// Reads arguments.
    pub fn read(words: &[&str]) -> Result<Self> {
        let find = |key: &str| {
            let pairs = words.iter().filter_map(|word| word.split_once('='));
            pairs.filter(|(name, value)| *name == key && !value.is_empty()).map(|(_, value)| value).next()
        };
        let need = |key: &str| find(key).map(ToOwned::to_owned).ok_or_else(|| format!("{key}= is missing"));
        let postgres = Postgres { url: need("postgres")?, postmaster: need("postmaster")?.parse()? };
        Ok(Self {
            gateway: need("gateway")?,
            out: need("out")?.into(),
            room: Room { folder: need("folder")?.into(), postgres },
            commit: need("commit")?,
            quick: find("quick").is_some(),
            counts: find("counts").map(PathBuf::from),
            functions: find("functions").map(PathBuf::from),
            seconds: find("seconds").map_or(Ok(0), str::parse)?,
            visitors: find("visitors").map_or(Ok(1_000), str::parse)?,
        })
    }
}
