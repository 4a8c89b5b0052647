//! What is to be drawn of a line: pure figures, no pixels but the threshold.

use anteroom::{
    language::Words,
    say,
    wire::{LineView, TurnId},
};

use super::slots::{Slot, Slots};

/// One thing in the row of those who wait.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// One ticket. Its serial stays while its position falls.
    Mark {
        serial: u64,
        place: f64,
        mine: bool,
        /// Yours too, but not the one that the drawing is about.
        other: bool,
        gone: bool,
    },
    /// So many that are not drawn.
    Gap {
        which: Which,
        count: u64,
        text: String,
        place: f64,
    },
}

/// One of the gaps that a row can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Between the head and yours.
    First,
    /// Between two of yours.
    Second,
    /// Behind the last mark.
    Tail,
}

impl Item {
    /// Tells one item from another while they move.
    pub(super) const fn key(&self) -> u64 {
        match self {
            Self::Mark { serial, .. } => serial.saturating_add(3),
            Self::Gap { which, .. } => *which as u64,
        }
    }

    /// How far from the doors, in pitches of a mark.
    pub(super) const fn place(&self) -> f64 {
        match self {
            Self::Mark { place, .. } | Self::Gap { place, .. } => *place,
        }
    }

    pub(super) const fn class(&self) -> &'static str {
        match self {
            Self::Mark {
                gone: true, mine: true, ..
            } => "mark mine gone",
            Self::Mark { gone: true, .. } => "mark gone",
            Self::Mark { other: true, .. } => "mark mine other",
            Self::Mark { mine: true, .. } => "mark mine",
            _ => "mark",
        }
    }

    /// The words of a gap.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Mark { .. } => String::new(),
            Self::Gap { text, .. } => text.clone(),
        }
    }
}

/// The line, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) slots: Vec<Slot>,
    pub(super) items: Vec<Item>,
    /// Length of the row, in pitches of a mark.
    pub(super) length: f64,
    /// Where the row begins, in pixels; set where the lengths are known.
    pub(super) threshold: f64,
    /// How many have left the head of the line since the page opened, as far as this browser can tell.
    moved: u64,
    first_mine: Option<u64>,
    waiting: u64,
    /// Whose line it is.
    model: Option<String>,
}

/// How the row is drawn.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Most doors and most marks that are drawn one by one.
    pub(super) most: (usize, usize),
    /// In whose words a gap says how many it stands for; `None`: words beside the row have to.
    pub(super) counted: Option<&'static Words>,
    /// Width of a character of a gap's words, in pitches of a mark.
    pub(super) character: f64,
}

impl Style {
    fn gap(self, which: Which, count: u64, place: f64) -> (Item, f64) {
        let text = match which {
            _ if self.counted.is_none() => "…".to_owned(),
            Which::Tail => self
                .counted
                .map(|words| say!(words, "line-more", count = count))
                .unwrap_or_default(),
            Which::First | Which::Second => format!("… {count} …"),
        };
        #[expect(clippy::cast_precision_loss, reason = "a few characters")]
        let width = text.chars().count() as f64 * self.character;
        (
            Item::Gap {
                which,
                count,
                text,
                place: place - 0.4,
            },
            width + 0.7,
        )
    }
}

/// What a session has in the line.
#[derive(Clone, Copy, Default)]
pub(super) struct Mine<'a> {
    /// The positions of all its tickets, ascending.
    pub(super) positions: &'a [u64],
    /// The turn that the drawing is about, if it is about one.
    pub(super) turn: Option<TurnId>,
    /// That one's position.
    pub(super) position: Option<u64>,
}

impl Scene {
    /// `told`: when the line was so, in milliseconds since the Unix epoch, and the doors as they were drawn last.
    pub(super) fn of(
        line: Option<&LineView>,
        own: Mine<'_>,
        (told, doors): (f64, &[Slot]),
        style: Style,
        before: Option<&Self>,
    ) -> Self {
        let mine = own.positions;
        let waiting = line.map_or(0, |line| line.waiting);
        let model = line.and_then(|line| line.model.clone());
        // Nobody has moved from one line to another.
        let before = before.filter(|before| before.model == model);
        let waiting = waiting.max(mine.last().copied().unwrap_or(0));
        let first_mine = mine.first().copied();
        let moved = before.map_or(0, |before| before.moved + before.advance(first_mine, waiting));
        let (items, length) = row(waiting, own, style, moved);
        let slots = line.map(|line| Slots {
            line,
            told,
            own: own.turn,
            most: style.most.0,
            before: doors,
        });
        Self {
            slots: slots.map(|slots| slots.arrange()).unwrap_or_default(),
            items,
            length,
            threshold: 0.0,
            moved,
            first_mine,
            waiting,
            model,
        }
    }

    /// How many have left the head since: told by the own place where there is one, else by the line's length.
    fn advance(&self, first_mine: Option<u64>, waiting: u64) -> u64 {
        match (self.first_mine, first_mine) {
            (Some(was), Some(is)) => was.saturating_sub(is),
            (Some(1), None) => 1,
            _ => self.waiting.saturating_sub(waiting),
        }
    }
}

/// The row: every mark where there is space, else the head, yours with a neighbour, and honest gaps.
fn row(waiting: u64, own: Mine<'_>, style: Style, moved: u64) -> (Vec<Item>, f64) {
    let mine = own.positions;
    let most = style.most.1;
    let shown = |position: u64| {
        if waiting <= most as u64 {
            return true;
        }
        let head = if mine.is_empty() { most as u64 - 2 } else { 3 };
        position <= head || mine.iter().take(2).any(|mine| position.abs_diff(*mine) <= 1)
    };
    // Only the head and what is near to the own places is looked at, whatever the length of the line.
    let mut candidates: Vec<u64> = (1..=waiting.min(most as u64)).collect();
    // Put in their place one by one: the standard library's sorting is 4 KB of WebAssembly.
    for position in mine
        .iter()
        .take(2)
        .flat_map(|mine| mine.saturating_sub(1).max(1)..=(mine + 1).min(waiting))
    {
        if let Err(place) = candidates.binary_search(&position) {
            candidates.insert(place, position);
        }
    }

    let mut items = Vec::with_capacity(candidates.len() + 3);
    if moved > 0 {
        items.push(Item::Mark {
            serial: moved,
            place: 0.0,
            mine: false,
            other: false,
            gone: true,
        });
    }
    let (mut place, mut last, mut which) = (1.0, 0, Which::First);
    for position in candidates.into_iter().filter(|position| shown(*position)) {
        match position - last - 1 {
            0 => {}
            // A gap of one is drawn as the mark it stands for.
            1 => {
                items.push(Item::Mark {
                    serial: position - 1 + moved,
                    place,
                    mine: false,
                    other: false,
                    gone: false,
                });
                place += 1.0;
            }
            count => {
                let (gap, width) = style.gap(which, count, place);
                items.push(gap);
                place += width;
                which = Which::Second;
            }
        }
        let mine = mine.contains(&position);
        items.push(Item::Mark {
            serial: position + moved,
            place,
            mine,
            other: mine && own.position.is_some_and(|own| own != position),
            gone: false,
        });
        place += 1.0;
        last = position;
    }
    if waiting > last {
        let (gap, width) = style.gap(Which::Tail, waiting - last, place);
        items.push(gap);
        place += width;
    }
    // Nobody waits: nothing to make room for.
    (items, if waiting == 0 { 0.0 } else { place })
}

#[cfg(test)]
mod tests {
    use anteroom::language::Language;

    use super::*;
    use anteroom::wire::Event;

    fn line(running: u64, limit: Option<u64>, waiting: u64) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running,
            mine: 0,
            limit,
            waiting,
            newcomer: if limit.is_none_or(|limit| running < limit) {
                0
            } else {
                waiting + 1
            },
            estimate: None,
            model: None,
            trouble: None,
            ..LineView::default()
        }
    }

    fn scene(line: &LineView, mine: &[u64], before: Option<&Scene>) -> Scene {
        let mine = Mine {
            positions: mine,
            ..Mine::default()
        };
        Scene::of(
            Some(line),
            mine,
            (0.0, &[]),
            Style {
                most: (6, 9),
                counted: Some(Words::of(Language::English)),
                character: 0.3,
            },
            before,
        )
    }

    /// As text: `o` a mark, `M` mine, a number a gap.
    fn text(scene: &Scene) -> String {
        let words: Vec<String> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Mark { gone: true, .. } => None,
                Item::Mark { mine: true, .. } => Some("M".to_owned()),
                Item::Mark { .. } => Some("o".to_owned()),
                Item::Gap { count, .. } => Some(count.to_string()),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn a_short_line_is_drawn_whole() {
        assert_eq!(text(&scene(&line(3, Some(3), 4), &[3], None)), "o o M o");
        assert_eq!(text(&scene(&line(1, Some(3), 0), &[], None)), "");
    }

    #[test]
    fn a_long_line_is_compressed_honestly() {
        assert_eq!(text(&scene(&line(3, Some(3), 50), &[20], None)), "o o o 15 o M o 29");
        assert_eq!(text(&scene(&line(3, Some(3), 50), &[], None)), "o o o o o o o 43");
        assert_eq!(text(&scene(&line(3, Some(3), 50), &[50], None)), "o o o 45 o M");
    }

    #[test]
    fn every_ticket_is_counted_once_wherever_mine_stand() {
        for waiting in 1..40 {
            for first in 1..=waiting {
                for second in first..=waiting {
                    let mine: Vec<u64> = if first == second {
                        vec![first]
                    } else {
                        vec![first, second]
                    };
                    let scene = scene(&line(1, Some(1), waiting), &mine, None);
                    let counted: u64 = scene
                        .items
                        .iter()
                        .map(|item| match item {
                            Item::Mark { gone, .. } => u64::from(!gone),
                            Item::Gap { count, .. } => *count,
                        })
                        .sum();
                    assert_eq!(counted, waiting, "{mine:?}: {}", text(&scene));
                }
            }
        }
    }

    #[test]
    fn a_mark_keeps_its_key_while_the_line_moves() {
        let before = scene(&line(3, Some(3), 5), &[4], None);
        let after = scene(&line(3, Some(3), 4), &[3], Some(&before));
        let mine = |scene: &Scene| {
            scene
                .items
                .iter()
                .find(|item| matches!(item, Item::Mark { mine: true, .. }))
                .map(Item::key)
        };
        assert_eq!(mine(&before), mine(&after));
    }

    #[test]
    fn of_two_of_ones_own_the_one_that_is_meant_differs() {
        let mine = Mine {
            positions: &[1, 3],
            position: Some(3),
            ..Mine::default()
        };
        let style = Style {
            most: (6, 9),
            counted: None,
            character: 0.3,
        };
        let scene = Scene::of(Some(&line(3, Some(3), 4)), mine, (0.0, &[]), style, None);
        let classes: Vec<_> = scene.items.iter().map(Item::class).collect();
        assert_eq!(classes, ["mark mine other", "mark", "mark mine", "mark"]);
    }

    #[test]
    fn a_huge_line_is_cheap() {
        let scene = scene(&line(3, Some(3), u64::MAX / 2), &[u64::MAX / 4], None);
        assert!(scene.items.len() < 20);
    }
}
