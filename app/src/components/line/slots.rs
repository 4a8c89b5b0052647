//! The slots of a line as doors: which of them is free, who is inside, and how far that has come. Pure figures, no pixels.

use anteroom::wire::{Inside, LineView, TurnId};

/// Most doors that are drawn by themselves for this session's own turns where the others are drawn together.
const MOST_OWN: usize = 2;

/// Who is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Free,
    /// Somebody else.
    Busy,
    /// You.
    Mine,
    /// You, with another turn than the one that the drawing is about.
    Other,
}

impl Door {
    const fn class(self) -> &'static str {
        match self {
            Self::Free => "door",
            Self::Busy => "door busy",
            Self::Mine => "door busy lit",
            Self::Other => "door busy lit other",
        }
    }
}

/// How a door's light grows: from nothing, as what is inside begins, until it has taken as long as that usually does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Light {
    /// Tells one that is inside from the next.
    pub(super) key: u16,
    /// In milliseconds since the Unix epoch.
    pub(super) began: f64,
    /// In seconds.
    pub(super) usual: f64,
}

/// One door, or several that are drawn as one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) door: Door,
    /// How many it stands for.
    pub(super) count: u64,
    pub(super) light: Option<Light>,
    inside: Option<(u16, Option<TurnId>)>,
}

impl Slot {
    const fn new(door: Door, count: u64) -> Self {
        Self {
            door,
            count,
            light: None,
            inside: None,
        }
    }

    pub(super) const fn class(&self) -> &'static str {
        match self.count {
            1 => self.door.class(),
            _ if matches!(self.door, Door::Free) => "door many",
            _ => "door busy many",
        }
    }

    /// Whether this turn is inside.
    pub(super) fn has(&self, turn: TurnId) -> bool {
        self.inside.is_some_and(|(_, inside)| inside == Some(turn))
    }

    fn is_free(&self) -> bool {
        self.door == Door::Free
    }
}

/// What the doors are made from.
pub(super) struct Slots<'a> {
    pub(super) line: &'a LineView,
    /// When that was told, in milliseconds since the Unix epoch.
    pub(super) told: f64,
    /// The turn that the drawing is about.
    pub(super) own: Option<TurnId>,
    /// Most doors that are drawn one by one.
    pub(super) most: usize,
    /// The doors as they were: who is inside stays where it is.
    pub(super) before: &'a [Slot],
}

impl Slots<'_> {
    pub(super) fn arrange(&self) -> Vec<Slot> {
        // Without a limit there is always one more door.
        let count = self.line.limit.unwrap_or(self.line.running + 1).max(self.line.running);
        match usize::try_from(count) {
            Ok(few) if few <= self.most => self.each(few),
            _ => self.groups(count),
        }
    }

    /// Doors one by one.
    fn each(&self, count: usize) -> Vec<Slot> {
        let mut slots = vec![Slot::new(Door::Free, 1); count];
        let known = self.line.inside.iter().take(self.running());
        let mut new = Vec::new();
        for inside in known {
            let place = self.place_of(inside).filter(|place| *place < count);
            match place {
                Some(place) => slots[place] = self.busy(inside),
                None => new.push(inside),
            }
        }
        let mut free = (0..count)
            .filter(|at| slots[*at].is_free())
            .collect::<Vec<_>>()
            .into_iter();
        for (inside, at) in new.iter().zip(free.by_ref()) {
            slots[at] = self.busy(inside);
        }
        // What is not told of one by one.
        let unknown = self.running().saturating_sub(self.line.inside.len());
        let mine = self.mine_unknown();
        for (nth, at) in free.take(unknown).enumerate() {
            slots[at].door = if nth + mine >= unknown { Door::Mine } else { Door::Busy };
        }
        slots
    }

    /// Your doors one by one, the other busy ones as one, and the free ones as one.
    fn groups(&self, count: u64) -> Vec<Slot> {
        let busy = self.line.running;
        let own = self.line.inside.iter().filter(|inside| inside.turn.is_some());
        let mut own: Vec<Slot> = own.take(MOST_OWN).map(|inside| self.busy(inside)).collect();
        let more = self.mine_unknown().min(MOST_OWN.saturating_sub(own.len()));
        own.extend(vec![Slot::new(Door::Mine, 1); more]);
        let others = busy.saturating_sub(own.len() as u64);
        let eldest = self.line.inside.iter().find(|inside| inside.turn.is_none());
        let others = (others > 0).then(|| Slot {
            light: eldest.and_then(|eldest| self.light(eldest)),
            ..Slot::new(Door::Busy, others)
        });
        let free = count.saturating_sub(busy);
        let free = (free > 0).then(|| Slot::new(Door::Free, free));
        others.into_iter().chain(own).chain(free).collect()
    }

    fn running(&self) -> usize {
        usize::try_from(self.line.running).unwrap_or(usize::MAX)
    }

    /// How many of your own are inside that nothing else is known of.
    fn mine_unknown(&self) -> usize {
        let known = self.line.inside.iter().filter(|inside| inside.turn.is_some()).count();
        usize::try_from(self.line.mine)
            .unwrap_or(usize::MAX)
            .saturating_sub(known)
    }

    fn place_of(&self, inside: &Inside) -> Option<usize> {
        let here = |slot: &Slot| slot.inside.is_some_and(|(key, _)| key == inside.key);
        self.before.iter().position(here)
    }

    fn busy(&self, inside: &Inside) -> Slot {
        let door = match (inside.turn, self.own) {
            (None, _) => Door::Busy,
            (Some(turn), Some(own)) if turn != own => Door::Other,
            (Some(_), _) => Door::Mine,
        };
        Slot {
            light: self.light(inside),
            inside: Some((inside.key, inside.turn)),
            ..Slot::new(door, 1)
        }
    }

    /// A light that grows already goes on as it does: it would only flicker with each figure that differs by little.
    fn light(&self, inside: &Inside) -> Option<Light> {
        let same = |slot: &Slot| slot.light.filter(|light| light.key == inside.key);
        let begun = self.before.iter().find_map(same);
        begun.or_else(|| {
            Some(Light {
                key: inside.key,
                began: self.told - inside.age.0 * 1000.0,
                usual: self.line.usual?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use anteroom::wire::Age;
    use uuid::Uuid;

    use super::*;

    fn line(running: u64, limit: Option<u64>, mine: u64) -> LineView {
        LineView {
            running,
            limit,
            mine,
            ..LineView::default()
        }
    }

    fn inside(key: u16, age: f64, turn: Option<u128>) -> Inside {
        Inside {
            key,
            age: Age(age),
            turn: turn.map(|turn| TurnId(Uuid::from_u128(turn))),
        }
    }

    fn arrange(line: &LineView, before: &[Slot]) -> Vec<Slot> {
        Slots {
            line,
            told: 100_000.0,
            own: Some(TurnId(Uuid::from_u128(1))),
            most: 6,
            before,
        }
        .arrange()
    }

    /// As text: `-` free, `b` busy, `M` this turn, `o` another one of yours; with a number for several.
    fn text(slots: &[Slot]) -> String {
        let one = |slot: &Slot| {
            let sign = match slot.door {
                Door::Free => "-",
                Door::Busy => "b",
                Door::Mine => "M",
                Door::Other => "o",
            };
            match slot.count {
                1 => sign.to_owned(),
                count => format!("{sign}{count}"),
            }
        };
        slots.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn doors_show_who_is_inside() {
        assert_eq!(text(&arrange(&line(2, Some(3), 1), &[])), "b M -");
        assert_eq!(text(&arrange(&line(1, None, 0), &[])), "b -");
        // Shrunk while more are inside.
        assert_eq!(text(&arrange(&line(3, Some(2), 0), &[])), "b b b");
        let known = LineView {
            inside: vec![inside(7, 9.0, None), inside(8, 4.0, Some(2)), inside(9, 1.0, Some(1))],
            ..line(3, Some(4), 2)
        };
        assert_eq!(text(&arrange(&known, &[])), "b o M -");
    }

    #[test]
    fn whoever_is_inside_stays_behind_the_same_door() {
        let first = LineView {
            inside: vec![inside(7, 9.0, None), inside(8, 4.0, Some(2)), inside(9, 1.0, None)],
            usual: Some(10.0),
            ..line(3, Some(3), 1)
        };
        let before = arrange(&first, &[]);
        assert_eq!(text(&before), "b o b");
        let next = LineView {
            inside: vec![inside(8, 6.0, Some(2)), inside(9, 3.0, None), inside(10, 0.0, Some(1))],
            usual: Some(11.0),
            ..line(3, Some(3), 2)
        };
        let after = arrange(&next, &before);
        assert_eq!(text(&after), "M o b");
        assert!(after[0].has(TurnId(Uuid::from_u128(1))));
        // What grows already goes on; what is new grows as things are now.
        assert_eq!(after[1].light, before[1].light);
        let light = Light {
            key: 10,
            began: 100_000.0,
            usual: 11.0,
        };
        assert_eq!(after[0].light, Some(light));
        assert_eq!(before[0].light.map(|light| light.began), Some(91_000.0));
    }

    #[test]
    fn nothing_grows_before_anything_has_come_to_an_end() {
        let first = LineView {
            inside: vec![inside(7, 9.0, None)],
            ..line(1, Some(1), 0)
        };
        assert_eq!(arrange(&first, &[])[0].light, None);
    }

    #[test]
    fn many_doors_are_drawn_together_and_yours_alone() {
        let many = LineView {
            inside: vec![inside(7, 9.0, None), inside(9, 1.0, Some(1))],
            usual: Some(10.0),
            ..line(9, Some(12), 1)
        };
        let slots = arrange(&many, &[]);
        assert_eq!(text(&slots), "b8 M -3");
        assert_eq!(slots[0].light.map(|light| light.key), Some(7));
        assert_eq!(text(&arrange(&line(12, Some(12), 0), &[])), "b12");
        assert_eq!(text(&arrange(&line(0, Some(12), 0), &[])), "-12");
        assert_eq!(text(&arrange(&line(70, None, 3), &[])), "b68 M M -");
    }
}
