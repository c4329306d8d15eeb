//! What each command does.

mod config;

pub(crate) use config::config;
mod stub;
pub(crate) use stub::*;
