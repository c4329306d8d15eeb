//! `tidegate apply`.

use anyhow::Context as _;

use super::run::block_on;
use crate::apply::{Manifest, apply as make};
use crate::cli::Apply;
use crate::client::Client;
use crate::data_dir::AdminFile;
use crate::tell::tell;

/// Applies a folder over the API, and tells what was done.
pub(crate) fn apply(apply: &Apply) -> anyhow::Result<()> {
    let folder = apply.dir.clone();
    let manifest = Manifest::read(|name| {
        let file = folder.join(name);
        std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))
    })?;
    let admin = AdminFile::read(&apply.admin_file)?;
    block_on(async {
        let client = Client::sign_in(apply.url.clone(), &admin).await?;
        for line in make(&client, &manifest).await? {
            tell!("{line}")?;
        }
        Ok(())
    })
}
