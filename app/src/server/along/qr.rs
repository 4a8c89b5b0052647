//! A link as a picture that a camera reads.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

/// Modules of nothing around it, without which cameras do not find it.
const QUIET: usize = 4;

/// What an image of these modules is made of.
pub(super) struct Picture {
    /// Its width and height, what is quiet included.
    pub(super) size: usize,
    /// The dark modules, as a path of SVG.
    pub(super) path: String,
}

/// Draws a text; `None`: it is too long for one.
pub(super) fn draw(text: &str) -> Option<Picture> {
    let code = QrCode::new(text).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (row, line) in modules.chunks(width).enumerate() {
        let mut at = 0;
        for run in line.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{}v1h-{}z", at + QUIET, row + QUIET, run.len(), run.len());
            }
            at += run.len();
        }
    }
    Some(Picture {
        size: width + 2 * QUIET,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_and_nothing_else() {
        let text = "https://chat.example/t/0123456789abcdefghijklmnopqrstuv";
        let code = QrCode::new(text).expect("short enough");
        let picture = draw(text).expect("short enough");
        assert_eq!(picture.size, code.width() + 2 * QUIET);
        let mut drawn = vec![false; code.width() * code.width()];
        for run in picture.path.split('M').skip(1) {
            let (place, length) = run.split_once('h').expect("a run");
            let (x, y) = place.split_once(' ').expect("two numbers");
            let length: usize = length.split('v').next().expect("a length").parse().expect("a number");
            let (x, y): (usize, usize) = (x.parse().expect("a number"), y.parse().expect("a number"));
            for at in x..x + length {
                drawn[(y - QUIET) * code.width() + at - QUIET] = true;
            }
        }
        let dark: Vec<bool> = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        assert_eq!(drawn, dark);
        assert!(draw(&"x".repeat(5_000)).is_none());
    }
}
