//! What goes wrong at a site.

use super::site::{Event, NODES, SECOND, Site};
use crate::nodes::Input;

impl Site<'_> {
    pub(super) fn plan_trouble(&mut self) {
        let next = self.dice.below(8 * SECOND.unsigned_abs()) as i64;
        self.after(next, Event::Trouble);
    }

    pub(super) fn trouble(&mut self) {
        if !self.troubled {
            return;
        }
        let place = self.dice.below(NODES as u64) as usize;
        match self.dice.below(4) {
            0 => self.kill(place),
            1 => self.cut(place),
            2 => {
                self.note("database away");
                self.database.away = true;
                let length = self.dice.millis(5_000);
                self.after(length, Event::DatabaseBack);
            }
            _ => self.leave(place),
        }
        self.plan_trouble();
    }

    /// Its requests to the server end with it. Most often its address refuses, and the others find out at once; else it is silent.
    fn kill(&mut self, place: usize) {
        let Some(process) = self.places[place].take() else {
            return;
        };
        self.note("killed");
        let dead = process.node.incarnation();
        if !self.dice.once_in(3) {
            for other in 0..NODES {
                let Some(generation) = self.places[other].as_ref().map(|process| process.generation) else {
                    continue;
                };
                let way = self.dice.millis(1_000);
                self.after(way, Event::Hears(other, generation, Input::Dead(dead)));
            }
        }
        let back = SECOND / 5 + self.dice.millis(20_000);
        self.after(back, Event::Start(place));
    }

    /// It reaches the database no more, for longer than its lease or not.
    fn cut(&mut self, place: usize) {
        let length = SECOND + self.dice.below(20) as i64 * SECOND;
        if let Some(process) = &mut self.places[place] {
            process.cut = true;
            self.note("cut");
            self.after(length, Event::Connected(place));
        }
    }

    fn leave(&mut self, place: usize) {
        let Some(generation) = self.places[place].as_ref().map(|process| process.generation) else {
            return;
        };
        self.note("left");
        self.hears(place, generation, Input::Leave);
        let later = self.dice.millis(5_000);
        self.after(later, Event::Hears(place, generation, Input::LeaveNow));
    }

    /// From now on nothing goes wrong, and all are there that may be.
    pub(super) fn mend(&mut self) {
        self.database.away = false;
        for process in self.places.iter_mut().flatten() {
            process.cut = false;
        }
    }
}
