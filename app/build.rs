//! Tells the server where the built site is: `cargo xtask` writes it below the target directory, wherever that is.
//!
//! Debug builds read the site from there when they start, release builds embed it. Both read one folder of their own,
//! so that `cargo check` and `cargo xtask run` agree without an environment variable that would make them rebuild
//! for each other.
//!
//! Only the binary includes what is written here, and a release's follows a list that `cargo xtask` writes beside the site. Were the site
//! followed from here, the library would be compiled again with every change of it, and could not be compiled before it is there.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The browser's half is an input of the site; following the site here would rebuild it for ever.
    if env::var_os("CARGO_FEATURE_SSR").is_none() {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let site = target_directory(&out).join(if release { "site-release" } else { "site" });
    fs::create_dir_all(&site).expect("the target directory can be written");
    let mut embed =
        format!("#[derive(rust_embed::RustEmbed)]\n#[folder = {site:?}]\n#[allow_missing = true]\nstruct Site;\n");
    if release {
        let list = site.with_extension("list");
        if !list.exists() {
            fs::write(&list, "").expect("the target directory can be written");
        }
        embed.push_str(&format!("const _: &[u8] = include_bytes!({list:?});\n"));
    }
    fs::write(out.join("site.rs"), embed).expect("OUT_DIR can be written");
}

/// The target directory, from `<target>[/<triple>]/<profile>/build/…/out`.
fn target_directory(out: &Path) -> PathBuf {
    let build = out
        .ancestors()
        .find(|dir| dir.ends_with("build"))
        .expect("OUT_DIR lies below `build`");
    let above = build
        .ancestors()
        .nth(2)
        .expect("a profile's directory lies in the target directory");
    let triple = env::var("TARGET").expect("cargo sets TARGET");
    match above.parent() {
        Some(target) if above.ends_with(&triple) => target.to_path_buf(),
        _ => above.to_path_buf(),
    }
}
