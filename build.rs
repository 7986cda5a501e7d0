//! Embeds what `make web tracker` built: the dashboard and the tracker, with their compressed twins.
//! A checkout without them still builds; the server then says what is missing.
//! And takes the user-agent patterns out of the `ua-parser` package, which ships uap-core's list
//! (Apache-2.0) but does not hand it out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out_dir = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=Cargo.lock");
    fs::write(out_dir.join("agents.tsv"), agents(&root)?)?;
    fs::write(out_dir.join("assets.rs"), assets(&root)?)
}

/// Lines of `ua|os TAB pattern TAB name TAB major version`, in the list's order. The name and the
/// major version are all we keep, so the other columns and the devices are left out.
fn agents(root: &Path) -> io::Result<String> {
    let list = fs::read_to_string(package(root, "ua-parser")?.join("uap-core/regexes.yaml"))?;
    let list: serde_json::Value = serde_yaml_ng::from_str(&list).map_err(io::Error::other)?;
    let kinds = [
        ("ua", "user_agent_parsers", "family_replacement", "v1_replacement"),
        ("os", "os_parsers", "os_replacement", "os_v1_replacement"),
    ];
    let mut out = String::new();
    for (kind, parsers, name, version) in kinds {
        for parser in list[parsers].as_array().into_iter().flatten() {
            let text = |key: &str| parser[key].as_str().unwrap_or("");
            let line = format!("{kind}\t{}\t{}\t{}", text("regex"), text(name), text(version));
            out.push_str(line.trim_end_matches('\t'));
            out.push('\n');
        }
    }
    assert!(out.lines().count() > 300, "ua-parser's list has another form than expected");
    Ok(out)
}

/// Where cargo unpacked a dependency.
fn package(root: &Path, name: &str) -> io::Result<PathBuf> {
    let cargo = env::var("CARGO").expect("cargo sets it");
    let target = env::var("TARGET").expect("cargo sets it");
    // Other platforms' packages were never downloaded, and must not be.
    let asked = ["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform"];
    let told = Command::new(cargo).args(asked).arg(target).current_dir(root).output()?;
    if !told.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&told.stderr)));
    }
    let told: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let packages = told["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == name)
        .find_map(|package| package["manifest_path"].as_str())
        .ok_or_else(|| io::Error::other(format!("cargo does not know the package {name}")))?;
    Ok(Path::new(manifest).parent().expect("a manifest is in a folder").to_owned())
}

fn assets(root: &Path) -> io::Result<String> {
    let mut out = String::from("static FILES: &[File] = &[\n");
    for (folder, prefix) in [("web/dist", ""), ("tracker/dist", "/tracker")] {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        walk(&folder, &mut files)?;
        files.sort();
        for file in files.iter().filter(|f| !is_twin(f)) {
            let name = file.strip_prefix(&folder).expect("it was found there");
            let url = format!("{prefix}/{}", name.display());
            let etag = fnv1a(&fs::read(file)?);
            writeln!(
                out,
                "File {{ path: {url:?}, etag: \"\\\"{etag:016x}\\\"\", plain: include_bytes!({file:?}), \
                 gzip: {}, brotli: {} }},",
                twin(file, "gz"),
                twin(file, "br")
            )
            .expect("writing to a string");
        }
    }
    out.push_str("];\n");
    Ok(out)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { walk(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn is_twin(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == "gz" || e == "br")
}

fn twin(file: &Path, extension: &str) -> String {
    let path = PathBuf::from(format!("{}.{extension}", file.display()));
    if !path.is_file() {
        return "None".into();
    }
    println!("cargo::rerun-if-changed={}", path.display());
    format!("Some(include_bytes!({path:?}))")
}

/// FNV-1a: names a version of a file; nothing depends on its being hard to forge.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
