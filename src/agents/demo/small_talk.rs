//! What the demo model says when it has nothing better to say.

use super::{
    texts::{one_of, variants},
    voice::Voice,
};

/// For a message that was not understood.
pub(super) fn fallback(voice: Voice, message: &str, seed: usize) -> String {
    let (fallbacks, suggestions) = (voice.texts.fallbacks, voice.texts.suggestions);
    let quoted = quote(message);
    let first = one_of(fallbacks, seed);
    let then = one_of(suggestions, seed / variants(fallbacks));
    format!("{quoted}{first}\n\n{then}")
}

/// The beginning of the message as a quotation, so that it is clear what is being answered.
fn quote(message: &str) -> String {
    const SHOWN: usize = 160;
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let cut: String = line.chars().take(SHOWN).collect();
    let more = if cut.len() < line.len() { " …" } else { "" };
    // It is the person's text, not Markdown of ours.
    let mut escaped = String::with_capacity(cut.len());
    for c in cut.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("> {escaped}{more}\n\n")
}
