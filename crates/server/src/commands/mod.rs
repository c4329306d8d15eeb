//! What each command does.

mod admins;
mod apply;
mod config;
mod demo;
mod keys;
mod run;
mod services;

pub(crate) use admins::admins;
pub(crate) use apply::apply;
pub(crate) use config::config;
pub(crate) use demo::demo;
pub(crate) use keys::keys;
pub(crate) use run::{dev, migrate, serve};
pub(crate) use services::services;
