//! What goes wrong.

use super::world::{Event, NODES, SECOND, TROUBLE, World};
use crate::nodes::{Input, TTL};

impl World<'_> {
    pub(super) fn plan_trouble(&mut self) {
        if self.luck.trouble > 0 && self.now.0 < TROUBLE {
            let next = 1 + self.dice.below(self.luck.trouble * 2) as i64;
            self.after(next * 1_000_000, Event::Trouble);
        }
    }

    pub(super) fn trouble(&mut self) {
        let place = self.dice.below(NODES as u64) as usize;
        let length = SECOND / 10 + self.dice.millis(40_000);
        match self.dice.below(if self.luck.failover { 9 } else { 8 }) {
            0 => self.kill(place),
            7 => {
                if let Some(process) = &self.places[place] {
                    self.seen.note("asked to leave");
                    let generation = process.generation;
                    self.hears(place, generation, Input::Leave);
                    self.after(length / 4, Event::Hears(place, generation, Input::LeaveNow));
                }
            }
            1 | 2 => {
                if let Some(process) = &mut self.places[place]
                    && !process.stopped
                {
                    process.stopped = true;
                    self.seen.note("stopped");
                    self.tell(|| format!("{place}: stopped"));
                    self.after(length, Event::Goes(place));
                }
            }
            3 | 4 => {
                if let Some(process) = &mut self.places[place] {
                    process.cut = true;
                    self.seen.note("cut");
                    self.tell(|| format!("{place}: cut"));
                    self.after(length, Event::Connected(place));
                }
            }
            5 => {
                self.database.away = true;
                self.seen.note("database away");
                self.tell(|| "database away".to_owned());
                self.after(length / 2, Event::DatabaseBack);
            }
            6 => {
                let jump = self.dice.below(7_200) as i64 - 3_600;
                self.database.jumped = jump * SECOND;
                self.seen.note("clock jumped");
                self.tell(|| format!("the database's clock shows {jump} s"));
            }
            _ => {
                let lost = 1 + self.dice.below(5) as usize;
                let forgotten = self.database.fail_over(lost);
                self.seen.note("failed over");
                self.tell(|| format!("failed over, {lost} lost, with {forgotten:?}"));
                self.lost.extend(forgotten);
                self.firsts.clear();
                let until = self.now.saturating_add(TTL * 3);
                self.unsure = self.unsure.max(until);
            }
        }
        self.plan_trouble();
    }

    pub(super) fn kill(&mut self, place: usize) {
        let Some(process) = self.places[place].take() else {
            return;
        };
        self.seen.note("killed");
        let dead = process.node.incarnation();
        self.tell(|| format!("{place}: killed {dead:?}"));
        let back = SECOND / 5 + self.dice.millis(30_000);
        self.after(back, Event::Start(place));
        // Most often its address refuses, and the others find out.
        for other in (0..NODES).filter(|other| *other != place) {
            let Some(generation) = self.places[other].as_ref().map(|process| process.generation) else {
                continue;
            };
            if !self.dice.once_in(3) {
                let way = self.dice.millis(1_000);
                self.after(way, Event::Hears(other, generation, Input::Dead(dead)));
            }
        }
    }

    /// A process that was stopped goes on: time has passed, and what has come meanwhile is heard.
    pub(super) fn goes(&mut self, place: usize) {
        let Some(process) = &mut self.places[place] else { return };
        process.stopped = false;
        let generation = process.generation;
        let heard = std::mem::take(&mut process.heard);
        self.hears(place, generation, Input::Woke);
        for event in heard {
            self.happen(event);
        }
    }
}
