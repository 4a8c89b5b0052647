//! The starts of the tickets at the head, simulated.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{NEAR, Situation, Window, random::Random, service::Service};

/// Draws that one simulation may make; few slots get many rounds, many slots fewer.
const DRAWS: usize = 12_288;
const FEWEST_ROUNDS: usize = 48;
const MOST_ROUNDS: usize = 160;

/// The services of a line's events.
pub(super) struct Services {
    /// By event; `None` where too little has been seen of it.
    of: Vec<Option<Service>>,
    /// All events together, for those and for the work of other lines.
    pub(super) pooled: Service,
}

impl Services {
    /// `None`: too little has been seen of all of them.
    pub(super) fn new(situation: &Situation) -> Option<Self> {
        let all: Vec<f64> = situation.windows.iter().flat_map(Window::seconds).collect();
        let of = situation
            .windows
            .iter()
            .map(|window| Service::new(window.seconds().collect()))
            .collect();
        Some(Self {
            of,
            pooled: Service::new(all)?,
        })
    }

    pub(super) fn get(&self, event: Option<usize>) -> &Service {
        event.and_then(|event| self.of[event].as_ref()).unwrap_or(&self.pooled)
    }
}

/// For each of the first [`NEAR`] places the simulated starts, in seconds from now, in no order.
pub(super) fn starts(situation: &Situation, services: &Services) -> Vec<Vec<f64>> {
    let rounds = (DRAWS / (situation.running.len() + NEAR)).clamp(FEWEST_ROUNDS, MOST_ROUNDS);
    let mut random = Random::new(0x0a17_e200);
    let mut starts: Vec<Vec<f64>> = (0..NEAR).map(|_| Vec::with_capacity(rounds)).collect();
    for _ in 0..rounds {
        let scales: Vec<f64> = services
            .of
            .iter()
            .map(|of| scale(of.as_ref(), services, &mut random))
            .collect();
        let scale_of = |event: Option<usize>| event.map_or(1.0, |event| scales[event]);
        let mut free = free_times(situation, services, scale_of, &mut random);
        for (place, starts) in starts.iter_mut().enumerate() {
            let Some(Reverse(start)) = free.pop() else { break };
            starts.push(start as f64 / MICROS);
            let event = situation
                .ahead
                .get(place)
                .copied()
                .or(Some(0).filter(|_| situation.windows.len() == 1));
            let held = services.get(event).draw(&mut random) * scale_of(event);
            free.push(Reverse(start.saturating_add(micros(held))));
        }
    }
    starts
}

fn scale(of: Option<&Service>, services: &Services, random: &mut Random) -> f64 {
    of.unwrap_or(&services.pooled).draw_scale(random)
}

/// When each slot comes free.
fn free_times(
    situation: &Situation,
    services: &Services,
    scale_of: impl Fn(Option<usize>) -> f64,
    random: &mut Random,
) -> BinaryHeap<Reverse<u64>> {
    let rests = situation.running.iter().map(|running| {
        let scale = scale_of(running.service);
        let age = running.age.as_secs_f64() / scale;
        Reverse(micros(services.get(running.service).draw_rest(age, random) * scale))
    });
    let mut free: BinaryHeap<_> = rests.collect();
    let idle = situation.slots.saturating_sub(free.len()).min(NEAR);
    free.extend(std::iter::repeat_n(Reverse(0), idle));
    // More run than there are slots now: the first of them to end make room for nobody.
    while free.len() > situation.slots.max(1) && situation.slots > 0 {
        free.pop();
    }
    if situation.slots == 0 {
        // The first to end makes room for this line's head.
        let first = free.pop();
        free.clear();
        free.extend(first);
    }
    free
}

const MICROS: f64 = 1e6;

/// Whole microseconds, because a heap needs numbers that can be ordered.
fn micros(seconds: f64) -> u64 {
    (seconds * MICROS) as u64
}
