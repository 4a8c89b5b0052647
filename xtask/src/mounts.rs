//! Whether file systems can be mounted here, for the tests of full disks and of names that nodes have to themselves.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::project::Project;

/// Set for the tests where it can be done: a test that mounts and fails at it is no test that has to be skipped then.
pub(crate) const REQUIRED: &str = "ANTEROOM_TEST_REQUIRE_MOUNTS";

/// Tries it. `false`: it cannot be done, which has been said.
pub(crate) fn find(project: &Project) -> bool {
    let folder = project.folder("mount");
    let can = fs::create_dir_all(&folder).is_ok()
        && mounted(
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]),
            &folder,
        );
    if can {
        mounted(&mut Command::new("umount"), &folder);
    } else {
        eprintln!("xtask: nothing can be mounted here, so the tests with small disks are skipped; they need root");
    }
    can
}

fn mounted(command: &mut Command, folder: &Path) -> bool {
    let done = command.arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}
