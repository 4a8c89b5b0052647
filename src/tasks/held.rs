//! An owner's tasks that are not in the line, in the order in which they go into it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use uuid::Uuid;

use crate::store::OpenTask;

/// Those that ran come first, then the more urgent, then what was stored first.
type Rank = (Reverse<bool>, Reverse<i32>, i64, Uuid);

/// Tasks that stand behind the line.
#[derive(Debug, Default)]
pub(super) struct Held {
    tasks: HashMap<Uuid, OpenTask>,
    /// Those that wait for no other, by model: while one has nothing in service, others go on.
    ready: BTreeMap<String, BTreeSet<Rank>>,
}

fn rank(task: &OpenTask) -> Rank {
    (Reverse(task.ran), Reverse(task.priority), task.key, task.id)
}

impl Held {
    pub(super) fn put(&mut self, task: OpenTask) {
        self.remove(task.id);
        if task.blocked == 0 {
            self.ready.entry(task.model.clone()).or_default().insert(rank(&task));
        }
        self.tasks.insert(task.id, task);
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Option<OpenTask> {
        let task = self.tasks.remove(&id)?;
        if let Some(ready) = self.ready.get_mut(&task.model) {
            ready.remove(&rank(&task));
            if ready.is_empty() {
                self.ready.remove(&task.model);
            }
        }
        Some(task)
    }

    /// It waits for no other task any more.
    pub(super) fn free(&mut self, id: Uuid) {
        if let Some(task) = self.remove(id) {
            self.put(OpenTask { blocked: 0, ..task });
        }
    }

    /// Takes those out that go into the line next: for each model as many as `room` has for it, and `most` in all.
    pub(super) fn take(&mut self, most: usize, room: impl Fn(&str) -> usize) -> Vec<OpenTask> {
        let mut first = BTreeSet::new();
        for (model, ready) in &self.ready {
            first.extend(ready.iter().take(room(model)).copied());
        }
        let next = first.into_iter().take(most);
        next.filter_map(|(.., id)| self.remove(id)).collect()
    }

    /// How many go into the line before this one, as it looks now; `None`: it is not here, or waits for others.
    pub(super) fn before(&self, id: Uuid) -> Option<usize> {
        let task = self.tasks.get(&id).filter(|task| task.blocked == 0)?;
        let own = rank(task);
        Some(self.ready.values().map(|ready| ready.range(..own).count()).sum())
    }

    /// How many wait for no other task, and how many there are.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.ready.values().map(BTreeSet::len).sum(), self.tasks.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Owner;

    fn task(key: i64, priority: i32, model: &str) -> OpenTask {
        OpenTask {
            id: Uuid::from_u128(u128::try_from(key).expect("positive")),
            owner: Owner(1),
            batch: Uuid::nil(),
            name: None,
            key,
            priority,
            model: model.into(),
            ran: false,
            blocked: 0,
            attempts: 0,
            stopped: 0,
        }
    }

    fn keys(tasks: &[OpenTask]) -> Vec<i64> {
        tasks.iter().map(|task| task.key).collect()
    }

    #[test]
    fn what_ran_and_what_is_urgent_comes_first() {
        let mut held = Held::default();
        for key in 1..=3 {
            held.put(task(key, 0, "a"));
        }
        held.put(task(4, 5, "a"));
        held.put(OpenTask {
            ran: true,
            ..task(5, -1, "a")
        });
        let id = |key: u128| Uuid::from_u128(key);
        assert_eq!([5, 4, 1, 3].map(|key| held.before(id(key))), [0, 1, 2, 4].map(Some));
        assert_eq!(keys(&held.take(3, |_| 10)), [5, 4, 1]);
        assert_eq!(held.before(id(5)), None);
        assert_eq!(held.before(id(3)), Some(1));
        assert_eq!(keys(&held.take(9, |_| 1)), [2]);
    }

    #[test]
    fn a_model_without_room_holds_up_no_other() {
        let mut held = Held::default();
        held.put(task(1, 9, "out of service"));
        held.put(task(2, 0, "well"));
        assert_eq!(keys(&held.take(5, |model| usize::from(model == "well"))), [2]);
        assert_eq!(held.before(Uuid::from_u128(1)), Some(0));
    }

    #[test]
    fn what_waits_for_others_is_not_taken_until_it_is_free() {
        let mut held = Held::default();
        held.put(OpenTask {
            blocked: 2,
            ..task(1, 0, "a")
        });
        let id = Uuid::from_u128(1);
        assert_eq!(
            (held.take(5, |_| 5).len(), held.before(id), held.is_empty()),
            (0, None, false)
        );
        held.free(id);
        held.free(Uuid::from_u128(7));
        assert_eq!(keys(&held.take(5, |_| 5)), [1]);
        assert!(held.is_empty());
    }
}
