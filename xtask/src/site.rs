//! The folder that the server serves: `pkg/` with the app under names that tell the content, and `app/public` as it is.
//!
//! Only files whose content changed are written, and those that are no longer part of the site are removed: a release
//! embeds all that lies there, and is linked again when the list beside it changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::assets::{self, Asset, digest};
use crate::css;
use crate::project::{Mode, Project};
use crate::step::step;
use crate::wasm::{self, Bindings};

/// A file that the browser loads, in bytes. The compressed sizes are there in a release build.
#[derive(Debug)]
pub(crate) struct Size {
    /// Path below the site's folder.
    pub(crate) path: String,
    /// As it is.
    pub(crate) plain: u64,
    /// In Brotli.
    pub(crate) brotli: Option<u64>,
    /// In gzip.
    pub(crate) gzip: Option<u64>,
}

/// Builds the browser's half and the site. Returns what is in it.
pub(crate) fn build(project: &Project, mode: Mode) -> anyhow::Result<Vec<Size>> {
    wasm::compile(project, mode)?;
    let bindings = wasm::bindings(project, mode)?;
    let mut assets = app(&bindings)?;
    for (sheet, path) in css::SHEETS.into_iter().zip(["pkg/anteroom.css", "pkg/tabs.css"]) {
        let css = css::build(project, mode, sheet)?;
        assets.push(Asset::hashed(path, css.into_bytes()));
    }
    assets.extend(tree(&project.root.join("app/public"), "")?);
    write(&project.site(mode), &assets, mode)
}

/// The script and the WebAssembly, each under its hash. The page names both to the browser.
fn app(bindings: &Bindings) -> anyhow::Result<Vec<Asset>> {
    let read = |name: &str| fs::read(bindings.folder.join(name)).with_context(|| format!("the bindings lack {name}"));
    let mut assets = vec![
        Asset::hashed("pkg/anteroom.js", read(Bindings::JS)?),
        Asset::hashed("pkg/anteroom.wasm", read(Bindings::WASM)?),
    ];
    // Found by the script under their own names, in folders that are named by a hash.
    assets.extend(tree(&bindings.folder.join(Bindings::SNIPPETS), "pkg/snippets/")?);
    Ok(assets)
}

/// Every file below a folder; none where there is no such folder.
fn tree(folder: &Path, prefix: &str) -> anyhow::Result<Vec<Asset>> {
    let mut assets = Vec::new();
    for file in files(folder)? {
        let path = file.strip_prefix(folder).context("a file lies outside its folder")?;
        let path = path
            .to_str()
            .with_context(|| format!("{} is not UTF-8", file.display()))?
            .replace('\\', "/");
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        assets.push(Asset {
            path: format!("{prefix}{path}"),
            bytes,
        });
    }
    Ok(assets)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn write(site: &Path, assets: &[Asset], mode: Mode) -> anyhow::Result<Vec<Size>> {
    let mut keep = BTreeSet::new();
    let mut sizes = Vec::new();
    for asset in assets {
        let changed = put(&site.join(&asset.path), &asset.bytes)?;
        keep.insert(site.join(&asset.path));
        let mut size = Size {
            path: asset.path.clone(),
            plain: length(&asset.bytes),
            brotli: None,
            gzip: None,
        };
        if mode == Mode::Release && asset.compressible() {
            let [brotli, gzip] = ["br", "gz"].map(|ending| site.join(format!("{}.{ending}", asset.path)));
            if changed || !brotli.is_file() || !gzip.is_file() {
                step(&format!("compress {}", asset.path), || {
                    assets::compress(&site.join(&asset.path))
                })?;
            }
            size.brotli = Some(fs::metadata(&brotli)?.len());
            size.gzip = Some(fs::metadata(&gzip)?.len());
            keep.extend([brotli, gzip]);
        }
        sizes.push(size);
    }
    for file in files(site)?.iter().filter(|file| !keep.contains(*file)) {
        fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    let list: String = assets
        .iter()
        .map(|asset| format!("{} {}\n", digest(&asset.bytes), asset.path))
        .collect();
    put(&site.with_extension("list"), list.as_bytes())?;
    Ok(sizes)
}

/// Writes a file unless it is there already; `true` if it was written.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(site: &Path) -> anyhow::Result<Vec<String>> {
        Ok(tree(site, "")?.into_iter().map(|asset| asset.path).collect())
    }

    fn asset(path: &str, text: &str) -> Asset {
        Asset {
            path: path.to_owned(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_app_goes_under_hashes_and_its_snippets_under_the_names_the_script_knows() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(Bindings::WASM), "wasm")?;
        fs::write(
            folder.path().join(Bindings::JS),
            "import './snippets/some-crate/inline0.js'",
        )?;
        fs::create_dir_all(folder.path().join("snippets/some-crate"))?;
        fs::write(folder.path().join("snippets/some-crate/inline0.js"), "export {}")?;
        let assets = app(&Bindings {
            folder: folder.path().to_path_buf(),
        })?;
        let paths: Vec<&str> = assets.iter().map(|asset| asset.path.as_str()).collect();
        let [script, wasm, snippet] = paths.as_slice() else {
            panic!("three files, not {paths:?}")
        };
        assert!(script.starts_with("pkg/anteroom.") && script.ends_with(".js") && *script != "pkg/anteroom.js");
        assert!(wasm.starts_with("pkg/anteroom.") && wasm.ends_with(".wasm") && *wasm != "pkg/anteroom.wasm");
        assert_eq!(*snippet, "pkg/snippets/some-crate/inline0.js");
        Ok(())
    }

    #[test]
    fn what_is_no_longer_part_of_the_site_goes() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let site = folder.path().join("site");
        write(
            &site,
            &[asset("pkg/old.js", &"x".repeat(600)), asset("icon.svg", "i")],
            Mode::Release,
        )?;
        assert_eq!(
            names(&site)?,
            ["icon.svg", "pkg/old.js", "pkg/old.js.br", "pkg/old.js.gz"]
        );
        let sizes = write(
            &site,
            &[asset("pkg/new.js", "x"), asset("icon.svg", "i")],
            Mode::Release,
        )?;
        assert_eq!(names(&site)?, ["icon.svg", "pkg/new.js"]);
        assert!(
            sizes.iter().all(|size| size.brotli.is_none() && size.plain == 1),
            "{sizes:?}"
        );
        Ok(())
    }

    #[test]
    fn a_file_that_changed_under_its_name_is_compressed_anew() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let site = folder.path().join("site");
        let compressed = || fs::read(site.join("icon.svg.br"));
        write(&site, &[asset("icon.svg", &"x".repeat(600))], Mode::Release)?;
        let before = compressed()?;
        write(&site, &[asset("icon.svg", &"y".repeat(600))], Mode::Release)?;
        assert_ne!(compressed()?, before);
        Ok(())
    }

    #[test]
    fn a_development_build_compresses_nothing() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let site = folder.path().join("site");
        write(&site, &[asset("pkg/a.js", &"x".repeat(600))], Mode::Dev)?;
        assert_eq!(names(&site)?, ["pkg/a.js"]);
        Ok(())
    }
}
