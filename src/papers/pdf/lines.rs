//! Words and lines, told by where the pieces of a page stand.

/// A gap of this part of the letters' height is a space.
const SPACE: f64 = 0.17;
/// One of this many heights separates columns of a table.
const COLUMN: f64 = 2.5;
/// What stands this much of a height higher or lower is another line; less is raised or lowered.
const LINE: f64 = 0.55;
/// And this much is another paragraph.
const PARAGRAPH: f64 = 1.9;

/// Where a piece begins or ends, in the page's own measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A piece of text and where it stands.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) from: Point,
    pub(super) to: Point,
    /// The way in which it is written, of length 1.
    pub(super) way: Point,
    /// How high its letters are.
    pub(super) size: f64,
}

/// The last piece.
struct Last {
    from: Point,
    to: Point,
    way: Point,
    size: f64,
    text: String,
}

/// Puts pieces together, in the order in which they come.
pub(super) struct Lines<'o> {
    out: &'o mut String,
    last: Option<Last>,
}

impl<'o> Lines<'o> {
    pub(super) const fn new(out: &'o mut String) -> Self {
        Self { out, last: None }
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        if piece.text.is_empty() {
            return;
        }
        if let Some(last) = &self.last {
            // Drawn twice, a little beside: that is how some make letters bold.
            let beside = (piece.from.x - last.from.x).hypot(piece.from.y - last.from.y);
            if beside < 0.1 * piece.size && last.text == piece.text && !piece.text.trim().is_empty() {
                return;
            }
            let apart = gap(last, piece);
            match apart {
                Gap::None => {}
                _ if piece.text.starts_with(' ') && apart == Gap::Space => {}
                Gap::Space | Gap::Column => {
                    if !self.out.ends_with([' ', '\n', '\t']) {
                        self.out.push(if apart == Gap::Column { '\t' } else { ' ' });
                    }
                }
                Gap::Line => self.end_line(1),
                Gap::Paragraph => self.end_line(2),
            }
        }
        self.out.push_str(piece.text);
        self.last = Some(Last {
            from: piece.from,
            to: piece.to,
            way: piece.way,
            size: piece.size,
            text: piece.text.to_owned(),
        });
    }

    fn end_line(&mut self, ends: usize) {
        let kept = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(kept);
        let there = self.out.len() - self.out.trim_end_matches('\n').len();
        if !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', ends.saturating_sub(there)));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Gap {
    None,
    Space,
    Column,
    Line,
    Paragraph,
}

fn gap(last: &Last, piece: &Piece<'_>) -> Gap {
    // Turned the other way round, it is something else.
    if last.way.x * piece.way.x + last.way.y * piece.way.y < 0.9 {
        return Gap::Paragraph;
    }
    let (dx, dy) = (piece.from.x - last.to.x, piece.from.y - last.to.y);
    let along = dx * piece.way.x + dy * piece.way.y;
    let across = (dy * piece.way.x - dx * piece.way.y).abs();
    let size = last.size.max(piece.size).max(0.1);
    if across > PARAGRAPH * size {
        Gap::Paragraph
    } else if across > LINE * size || along < -1.5 * size {
        Gap::Line
    } else if along > COLUMN * size {
        Gap::Column
    } else if along > SPACE * last.size.min(piece.size) {
        Gap::Space
    } else {
        Gap::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(pieces: &[(&str, f64, f64)]) -> String {
        let mut out = String::new();
        let mut lines = Lines::new(&mut out);
        for (text, x, y) in pieces {
            lines.add(&Piece {
                text,
                from: Point { x: *x, y: *y },
                to: Point {
                    x: x + 5.0 * text.chars().count() as f64,
                    y: *y,
                },
                way: Point { x: 1.0, y: 0.0 },
                size: 10.0,
            });
        }
        out
    }

    #[test]
    fn gaps_are_spaces_and_heights_are_lines() {
        assert_eq!(put(&[("ab", 0.0, 0.0), ("cd", 10.5, 0.0)]), "abcd", "letters apart");
        assert_eq!(put(&[("ab", 0.0, 0.0), ("cd", 13.0, 0.0)]), "ab cd");
        assert_eq!(
            put(&[("ab ", 0.0, 0.0), ("cd", 18.0, 0.0)]),
            "ab cd",
            "one space, not two"
        );
        assert_eq!(put(&[("x", 0.0, 0.0), ("2", 5.5, 4.0)]), "x2", "raised");
        assert_eq!(put(&[("ab", 0.0, 0.0), ("cd", 0.0, -12.0)]), "ab\ncd");
        assert_eq!(put(&[("ab", 0.0, 0.0), ("cd", 0.0, -30.0)]), "ab\n\ncd");
        assert_eq!(
            put(&[("ab", 0.0, 0.0), ("9", 200.0, 0.0)]),
            "ab\t9",
            "columns of a table"
        );
        assert_eq!(
            put(&[("ab", 0.0, 0.0), ("ab", 0.3, 0.0)]),
            "ab",
            "bold by drawing twice"
        );
    }
}
