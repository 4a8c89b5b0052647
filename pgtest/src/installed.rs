//! Where PostgreSQL's programs are, and as whom they run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Debian keeps each version's programs in a folder of its own, off the search path.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder of the newest PostgreSQL that is installed.
#[must_use]
pub fn programs() -> Option<PathBuf> {
    newest(Path::new(DEBIAN)).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| is_complete(folder))
    })
}

fn newest(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root).ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let complete = versions.filter(|(_, folder)| is_complete(folder));
    complete.max().map(|(_, folder)| folder)
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// The user that the server runs as: it refuses to be root.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RunAs {
    /// Whoever runs the tests.
    Oneself,
    /// The package's user.
    Postgres { user: u32, group: u32 },
}

impl RunAs {
    pub(crate) fn find() -> Self {
        let root = Command::new("id").arg("-u").output();
        if root.is_ok_and(|output| output.stdout == b"0\n") {
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            let (user, group) = of_user(&users, "postgres").expect("the package makes this user");
            Self::Postgres { user, group }
        } else {
            Self::Oneself
        }
    }

    /// A program, run as that user.
    pub(crate) fn command(self, program: &Path) -> Command {
        match self {
            Self::Oneself => Command::new(program),
            Self::Postgres { user, group } => {
                // It becomes the program, so the number of the process is the program's.
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
                command.arg("--clear-groups").arg(program);
                command
            }
        }
    }

    /// Gives a folder to that user.
    pub(crate) fn own(self, folder: &Path) {
        if let Self::Postgres { user, group } = self {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may do that");
        }
    }
}

/// The numbers of a user and of their group.
fn of_user(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next()? == name).then_some(fields))?;
    let user = fields.nth(1)?.parse().ok()?;
    Some((user, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgres:x:105:111:PostgreSQL,,,:/var/lib:/bin/sh\n";
        assert_eq!(of_user(passwd, "postgres"), Some((105, 111)));
        assert_eq!(of_user(passwd, "nobody"), None);
    }
}
