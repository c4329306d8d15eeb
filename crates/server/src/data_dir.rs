//! The folder in which one process remembers: `lock`, `tidegate.db`, `master.key`, `admin.json`.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tidegate_model::{ClientId, Randomness};

use crate::config::{Fault, MasterKeys};

/// The folder, held: no other process uses it while this lives.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// The first administrator, as it is written down and as clients read it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminFile {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) token_url: String,
}

impl DataDir {
    /// Makes the folder if need be and takes hold of it.
    pub(crate) fn hold(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        if path.exists() && !path.is_dir() {
            let place = "--data-dir, or the folder of database.url";
            return Err(Fault::new(place, format!("{shown} is no directory"), "the path of a directory").into());
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("the data directory {shown} cannot be made"))?;
        let options = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).clone();
        let mut lock = options.open(path.join("lock")).with_context(|| format!("{shown}/lock cannot be opened"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                bail!(
                    "the data directory {shown} is held by another process ({}); stop it, or name another directory",
                    holder.trim()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{shown}/lock cannot be locked"));
            }
        }
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Makes an empty file that only its owner reads, unless it is there: what SQLite then writes beside it is as private.
    pub(crate) fn keep_private(file: &Path) -> anyhow::Result<()> {
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
        made.map(drop).with_context(|| format!("{} cannot be made", file.display()))
    }

    /// The operator's keys: read, or drawn at the first start.
    pub(crate) fn master_keys(&self, randomness: &dyn Randomness) -> anyhow::Result<MasterKeys> {
        let file = self.path.join("master.key");
        match std::fs::read_to_string(&file) {
            Ok(text) => MasterKeys::read(&text).map_err(|wrong| {
                let instead = "the file back from where it was saved: 32 bytes in base64, or several such lines";
                Fault::new(file.display().to_string(), wrong, instead).into()
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let keys = MasterKeys::draw(randomness);
                write_private(&file, keys.write().as_bytes())?;
                Ok(keys)
            }
            Err(e) => Err(e).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    /// Draws another key and puts it in front of those that are there.
    pub(crate) fn add_master_key(&self, randomness: &dyn Randomness) -> anyhow::Result<MasterKeys> {
        let file = self.path.join("master.key");
        if !file.exists() {
            let instead = "the file back from where it was saved, or start Tidegate, which makes the first key";
            return Err(Fault::new(file.display().to_string(), "is not there", instead).into());
        }
        let keys = self.master_keys(randomness)?.behind(MasterKeys::draw(randomness).first);
        write_private(&file, keys.write().as_bytes())?;
        Ok(keys)
    }

    /// Writes the administrator down, whole or not at all; answers where.
    pub(crate) fn write_admin(&self, admin: &AdminFile) -> anyhow::Result<PathBuf> {
        let file = self.path.join("admin.json");
        let mut text = serde_json::to_string_pretty(admin)?;
        text.push('\n');
        write_private(&file, text.as_bytes())?;
        Ok(file)
    }

    /// Removes the administrator's file where it holds this client; answers where it was.
    pub(crate) fn forget_admin(&self, id: ClientId) -> anyhow::Result<Option<PathBuf>> {
        let file = self.path.join("admin.json");
        if !file.exists() || AdminFile::read(&file)?.client_id != id.to_string() {
            return Ok(None);
        }
        std::fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
        Ok(Some(file))
    }

    /// Has the administrator's file, if it is still there, name the place where tokens are issued now.
    pub(crate) fn correct_token_url(&self, token_url: &str) -> anyhow::Result<()> {
        let file = self.path.join("admin.json");
        if !file.exists() {
            return Ok(());
        }
        let admin = AdminFile::read(&file)?;
        if admin.token_url == token_url {
            return Ok(());
        }
        self.write_admin(&AdminFile { token_url: token_url.to_owned(), ..admin }).map(drop)
    }
}

impl AdminFile {
    /// Reads it back.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not what Tidegate wrote there", file.display()))
    }
}

/// Puts a file there that only its owner reads: written beside, made durable, then renamed into its place.
fn write_private(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        let beside = file.with_extension("new");
        let _ = std::fs::remove_file(&beside);
        let mut new = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&beside)?;
        new.write_all(content)?;
        new.sync_all()?;
        std::fs::rename(&beside, file)?;
        file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tidegate_model::SystemRandomness;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_its_owner_sees_what_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deep/data");
        let dir = DataDir::hold(&path).unwrap();
        let admin = AdminFile { client_id: "a".into(), client_secret: "b".into(), token_url: "c".into() };
        let file = dir.write_admin(&admin).unwrap();
        dir.master_keys(&SystemRandomness).unwrap();
        dir.add_master_key(&SystemRandomness).unwrap();
        assert_eq!([mode(&path), mode(&file), mode(&path.join("master.key"))], [0o700, 0o600, 0o600]);
        assert_eq!(AdminFile::read(&file).unwrap().client_secret, "b");
    }

    #[test]
    fn the_administrators_file_follows_the_address_and_nobody_makes_it_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = DataDir::hold(root.path()).unwrap();
        dir.correct_token_url("http://here").unwrap();
        assert!(!root.path().join("admin.json").exists());
        let admin = AdminFile { client_id: "a".into(), client_secret: "b".into(), token_url: "http://there".into() };
        let file = dir.write_admin(&admin).unwrap();
        dir.correct_token_url("http://here").unwrap();
        let read = AdminFile::read(&file).unwrap();
        assert_eq!([read.client_id, read.client_secret, read.token_url], ["a", "b", "http://here"]);
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn the_key_is_drawn_once_and_a_broken_one_is_never_replaced() {
        let root = tempfile::tempdir().unwrap();
        let dir = DataDir::hold(root.path()).unwrap();
        let drawn = dir.master_keys(&SystemRandomness).unwrap();
        assert_eq!(dir.master_keys(&SystemRandomness).unwrap(), drawn);
        let added = dir.add_master_key(&SystemRandomness).unwrap();
        assert_eq!(
            (dir.master_keys(&SystemRandomness).unwrap(), &added.former[..]),
            (added.clone(), &[drawn.first][..])
        );
        std::fs::write(root.path().join("master.key"), "short").unwrap();
        assert!(dir.master_keys(&SystemRandomness).unwrap_err().is::<Fault>());
    }

    #[test]
    fn a_held_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let held = DataDir::hold(root.path()).unwrap();
        let refused = DataDir::hold(root.path()).err().unwrap().to_string();
        assert!(
            refused.contains("held by another process") && refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(held);
        DataDir::hold(root.path()).unwrap();
    }
}
