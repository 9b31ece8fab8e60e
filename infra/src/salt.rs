//! `OTP_HASH_SALT` for those who set none: made once, kept beside the data, readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use shared::config::{Config, DatabaseUrl};
use shared::id::Secret;

const FILE: &str = "otp_hash_salt";
/// What the contract asks of the variable, in characters.
const MIN_LENGTH: usize = 32;

/// Gives `config` a salt if it has none.
pub fn provide(config: &mut Config) -> std::io::Result<()> {
    if config.otp_hash_salt.is_none() {
        config.otp_hash_salt = Some(kept_in(&data_folder(&config.database_url))?);
    }
    Ok(())
}

/// The folder of the `SQLite` file, else `data`.
pub fn data_folder(url: &DatabaseUrl) -> PathBuf {
    let file = url.reveal().strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    let file = file.map(|file| file.split('?').next().unwrap_or_default()).filter(|file| !file.contains(":memory:"));
    let folder = file.and_then(|file| Path::new(file).parent());
    folder.map_or_else(|| PathBuf::from("data"), Path::to_path_buf)
}

fn kept_in(folder: &Path) -> std::io::Result<Secret> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= MIN_LENGTH => return Ok(Secret::presented(text.trim())),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder)?;
    }
    let salt = Secret::random().map_err(std::io::Error::other)?;
    // Under another name first: a crash in between leaves no half of it behind.
    let fresh = folder.join(format!("{FILE}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(salt.reveal().as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_salt_lies_beside_the_sqlite_file() {
        for (url, folder) in [
            ("sqlite://data/parley.db", "data"),
            ("sqlite:///var/lib/parley/chat.db?mode=rwc", "/var/lib/parley"),
            ("sqlite:chat.db", ""),
            ("sqlite::memory:", "data"),
            ("postgres://parley:secret@db/parley", "data"),
        ] {
            assert_eq!(data_folder(&DatabaseUrl::new(url)), PathBuf::from(folder), "{url}");
        }
    }

    #[test]
    fn the_salt_is_made_once_and_is_its_owners_alone() {
        let folder = std::env::temp_dir().join(format!("parley-salt-{}", uuid::Uuid::new_v4()));

        let first = kept_in(&folder).unwrap();
        let second = kept_in(&folder).unwrap();

        assert_eq!(first.reveal(), second.reveal());
        assert!(first.reveal().len() >= MIN_LENGTH);
        assert_eq!(fs::metadata(folder.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(folder.join(FILE), "short").unwrap();
        assert_ne!(kept_in(&folder).unwrap().reveal(), "short");
        fs::remove_dir_all(folder).unwrap();
    }
}
