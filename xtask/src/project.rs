//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::step;

/// How to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Quick to build; the server reads the site from disk.
    Dev,
    /// Small and fast; the site is embedded in the server.
    Release,
}

impl Mode {
    /// What cargo is told about this way to build.
    pub(crate) fn profile(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &[],
            Self::Release => &["--release"],
        }
    }

    /// The name of the folder where cargo puts what it builds.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// The workspace and its build directory.
pub(crate) struct Project {
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    target: PathBuf,
    /// Where cargo's build scripts work; `app/build.rs` looks for the site here. Mostly the same as `target`.
    build: PathBuf,
}

impl Project {
    /// Asks cargo.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let mut command = cargo();
        command
            .args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"])
            .arg(&manifest);
        let metadata: Value =
            serde_json::from_str(&step::output(&mut command)?).context("cargo metadata is not JSON")?;
        let path = |key: &str| metadata[key].as_str().map(PathBuf::from);
        let target = path("target_directory").context("cargo metadata names no target directory")?;
        Ok(Self {
            root: path("workspace_root").context("cargo metadata names no workspace root")?,
            build: path("build_directory").unwrap_or_else(|| target.clone()),
            target,
        })
    }

    /// A cargo command in the workspace's root.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = cargo();
        command.arg(subcommand).current_dir(&self.root);
        command
    }

    /// The folder of the site that the server serves. `app/build.rs` computes the same.
    pub(crate) fn site(&self, mode: Mode) -> PathBuf {
        self.build.join(match mode {
            Mode::Dev => "site",
            Mode::Release => "site-release",
        })
    }

    /// A folder of our own for what lies between two steps.
    pub(crate) fn scratch(&self, mode: Mode) -> PathBuf {
        self.target.join("xtask").join(match mode {
            Mode::Dev => "dev",
            Mode::Release => "release",
        })
    }

    /// A folder of our own for what belongs to no build.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(name)
    }

    /// Where the instrumented fuzz targets are built: apart, or the two builds would throw each other away.
    pub(crate) fn fuzz(&self) -> PathBuf {
        self.target.join("fuzz")
    }

    /// The browser's half as the compiler leaves it.
    pub(crate) fn compiled_wasm(&self, mode: Mode) -> PathBuf {
        self.target
            .join(crate::wasm::TARGET)
            .join(crate::wasm::profile(mode))
            .join("anteroom_browser.wasm")
    }

    /// A binary of the workspace.
    pub(crate) fn binary(&self, mode: Mode, name: &str) -> PathBuf {
        self.target
            .join(mode.folder())
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// The cargo that runs us, without what it told us about ourselves: build scripts that watch such variables would run
/// again, and their dependents with them.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if ours {
            command.env_remove(name);
        }
    }
    command
}
