//! Puts every file of `packs/` and `data-sets/` into the library as text.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let packs = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("packs");
    println!("cargo:rerun-if-changed={}", packs.display());
    let mut code = "/// Folder, and its files with their text.\ntype Shipped = (&'static str, &'static [(&'static str, &'static str)]);\n\nconst SHIPPED: &[Shipped] = &[\n".to_owned();
    for (folder, path) in entries(&packs)? {
        println!("cargo:rerun-if-changed={}", path.display());
        code.push_str(&format!("    ({folder:?}, &[\n"));
        for (file, path) in entries(&path)? {
            println!("cargo:rerun-if-changed={}", path.display());
            code.push_str(&format!("        ({file:?}, include_str!({path:?})),\n"));
        }
        code.push_str("    ]),\n");
    }
    code.push_str("];\n");
    data_sets()?;
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("shipped_packs.rs"), code)
}

/// Every file of `data-sets/`.
fn data_sets() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("data-sets");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut code = "const SHIPPED_DATA_SETS: &[(&str, &str)] = &[\n".to_owned();
    for (file, path) in entries(&folder)? {
        println!("cargo:rerun-if-changed={}", path.display());
        code.push_str(&format!("    ({file:?}, include_str!({path:?})),\n"));
    }
    code.push_str("];\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("shipped_data_sets.rs"), code)
}

/// Names and paths of a folder, by name, so that the build is the same everywhere.
fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    entries.sort();
    Ok(entries)
}
