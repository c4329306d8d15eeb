//! Generates messages, clients and servers from `proto/`, without protoc.

use std::path::PathBuf;
use std::{env, fs};

const ROOT: &str = "../../proto";
const FILES: [&str; 5] = [
    "tidegate/v1/integration.proto",
    "tidegate/v1/object.proto",
    "tidegate/v1/objects_service.proto",
    "tidegate/v1/registry_service.proto",
    "tidegate/v1/token_authority_service.proto",
];

#[expect(clippy::disallowed_methods, reason = "Cargo tells a build script where to write in the environment")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={ROOT}");
    let descriptors = protox::compile(FILES, [ROOT])?;
    let descriptor_file = PathBuf::from(env::var("OUT_DIR")?).join("tidegate.bin");
    fs::write(descriptor_file, protox::prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().build_transport(false).compile_fds(descriptors)?;
    Ok(())
}
