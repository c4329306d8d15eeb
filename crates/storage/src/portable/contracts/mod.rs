//! Binds each contract to the files of its nouns; the bound in time and the translation of errors are [`Database::run`](super::Database::run).

mod audit;
mod definitions;
mod flow;
mod secrets;
mod systems;

impl crate::contract::Store for super::Database {}
