use crate::cli::{Apply, Asked, Local};
use crate::config::Role;
pub(crate) fn dev(_: &Asked, _: &Local) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
pub(crate) fn demo(_: &Asked, _: &Local) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
pub(crate) fn serve(_: &Asked, _: &[Role]) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
pub(crate) fn migrate(_: &Asked) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
pub(crate) fn apply(_: &Apply) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
