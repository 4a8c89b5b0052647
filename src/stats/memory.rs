//! How much memory this process takes.

use std::fs;

/// Resident memory of this process, in bytes; `None` where the system has no `/proc`. Reads one small file.
#[must_use]
pub(crate) fn resident_memory() -> Option<u64> {
    // `statm` would be shorter, but counts pages, and their size is not the same everywhere.
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(
            resident("Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t    1234 kB\nThreads:\t1\n"),
            Some(1234 * 1024)
        );
        assert_eq!(resident("Name:\tkthreadd\n"), None);
        assert_eq!(resident("VmRSS: much kB"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_some() {
        assert!(resident_memory().is_some_and(|bytes| bytes > 100_000));
    }
}
