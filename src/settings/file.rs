//! Reading a file that the operator keeps: `.env`, the key of the cookies.

use std::{
    fs::{self, File, FileType},
    io::{self, Read as _},
    path::Path,
};

/// Reads a whole file of at most `most` bytes, through symbolic links.
///
/// What is no regular file is not opened: a pipe would be waited for without end, and some devices never end. Blocks as
/// long as the disk takes.
///
/// # Errors
/// What the system says; else a sentence that says what is there, or that it is too large.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let what = name(kind);
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{what} is there, where a regular file has to be"),
        ));
    }
    let mut content = Vec::new();
    // Counted as it is read: it may grow meanwhile, and the size that the system knows is not always right.
    File::open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {most} bytes, the most that is read of it"),
        ));
    }
    Ok(content)
}

fn name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_far_as_it_may_be_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "12345").expect("written");
        assert_eq!(read(&path, 5).expect("read"), b"12345");
        let error = read(&path, 4).expect_err("too large");
        assert!(error.to_string().contains("more than 4 bytes"), "{error}");
        // Sparse: it takes no room, and is not read to its end.
        let huge = File::create(&path).expect("made");
        huge.set_len(1 << 40).expect("set");
        assert_eq!(
            read(&path, 10).expect_err("too large").kind(),
            io::ErrorKind::FileTooLarge
        );
        let missing = read(&folder.path().join("missing"), 4).expect_err("not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_regular_file_is_named_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = read(folder.path(), 10).expect_err("a folder");
        assert!(error.to_string().starts_with("a folder is there"), "{error}");
        #[cfg(unix)]
        {
            let pipe = folder.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.expect("mkfifo ran").success());
            let error = read(&pipe, 10).expect_err("nobody writes into it");
            assert!(error.to_string().starts_with("a pipe is there"), "{error}");
            let error = read(Path::new("/dev/zero"), 10).expect_err("it never ends");
            assert!(error.to_string().starts_with("a device is there"), "{error}");
        }
    }
}
