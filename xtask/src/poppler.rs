//! The pdftotext that documents are measured beside: the one that is installed, else Debian's package.

use crate::debian;
use crate::setup::find_program;

const BY_HAND: &str =
    "documents are measured without pdftotext beside them; on Debian, as root: `apt-get install poppler-utils`";

/// Finds a pdftotext or installs one. Where there is none, which has been said, the bench goes on without.
pub(crate) fn find() {
    if !installed() {
        debian::install("poppler-utils", BY_HAND, || Ok(()));
    }
}

fn installed() -> bool {
    find_program(&["pdftotext"]).is_some()
}
