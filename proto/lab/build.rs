//! Compiles the lab's services without needing protoc on the machine.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

/// One file for each service.
const SERVICES: [&str; 5] = ["watch", "control", "queue", "cosign", "station"];

fn main() -> Result<(), Box<dyn Error>> {
    let files = SERVICES.map(|name| format!("smets1/lab/v1/{name}.proto"));
    for file in &files {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(&files, ["."])?;
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(folder.join("lab.bin"), descriptors.encode_to_vec())?;
    // What a hundred watchers are sent is the same octets, not a hundred copies.
    let shared =
        ["RecordsResponse.lines", "CheckpointsResponse.notes"].map(|field| format!(".smets1.lab.v1.{field}"));
    let mut builder = tonic_prost_build::configure();
    for field in &shared {
        builder = builder.bytes(field);
    }
    builder.compile_fds(descriptors)?;
    Ok(())
}
