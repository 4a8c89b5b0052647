//! The cryptography behind HTTPS to model servers.

/// Chooses ring for the whole process, unless something has been chosen already. Every client of reqwest needs it before it is
/// made. (What reqwest would bring along by itself takes a minute to compile.)
pub fn install() {
    // Chosen already: by an earlier call, or by a program that this is a part of.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
