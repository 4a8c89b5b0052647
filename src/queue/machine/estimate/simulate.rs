//! The starts of the tickets at the head, simulated.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{NEAR, Situation, Window, random::Random, service::Service};

/// Draws that one simulation may make; few slots get many rounds, many slots fewer.
const DRAWS: usize = 12_288;
const FEWEST_ROUNDS: usize = 48;
const MOST_ROUNDS: usize = 160;

/// The services of a line's kinds of work.
pub(super) struct Services {
    /// By kind; `None` where too little has been seen of it.
    of: Vec<Option<Service>>,
    /// All together, for those and for the work of other lines.
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

    pub(super) fn get(&self, kind: Option<usize>) -> &Service {
        kind.and_then(|kind| self.of[kind].as_ref()).unwrap_or(&self.pooled)
    }
}

/// A slot that comes free, in microseconds from now, and the back end that it belongs to.
type Free = Reverse<(u64, usize)>;

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
        let scale_of = |kind: Option<usize>| kind.map_or(1.0, |kind| scales[kind]);
        let mut free = free_times(situation, services, scale_of, &mut random);
        let mut rivals = situation.rivals.tickets;
        for (place, starts) in starts.iter_mut().enumerate() {
            let mut next = free.pop();
            while rivals > 0
                && let Some(Reverse((start, server))) = next
                && random.unit() <= situation.rivals.share
            {
                rivals -= 1;
                let held = services.pooled.draw(&mut random);
                free.push(Reverse((start.saturating_add(micros(held)), server)));
                next = free.pop();
            }
            let Some(Reverse((start, server))) = next else { break };
            starts.push(start as f64 / MICROS);
            let kind = situation.kind_of(place, server);
            let held = services.get(kind).draw(&mut random) * scale_of(kind);
            free.push(Reverse((start.saturating_add(micros(held)), server)));
        }
    }
    starts
}

impl Situation {
    /// The kind of work of the ticket at a place, once it has a slot of this back end.
    fn kind_of(&self, place: usize, server: usize) -> Option<usize> {
        if !self.servers.is_empty() {
            return Some(server);
        }
        let only = (self.windows.len() == 1).then_some(0);
        self.ahead.get(place).copied().or(only)
    }
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
) -> BinaryHeap<Free> {
    let rests = situation.running.iter().map(|running| {
        let scale = scale_of(running.service);
        let age = running.age.as_secs_f64() / scale;
        let rest = services.get(running.service).draw_rest(age, random) * scale;
        Reverse((micros(rest), running.server))
    });
    let mut free: BinaryHeap<_> = rests.collect();
    let idle = situation.slots.saturating_sub(free.len()).min(NEAR);
    free.extend(situation.idle().take(idle).map(|server| Reverse((0, server))));
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

impl Situation {
    /// The back ends of the slots that nobody uses, one after the other.
    fn idle(&self) -> impl Iterator<Item = usize> + '_ {
        let used = |server: usize| self.running.iter().filter(|running| running.server == server).count();
        let of_servers =
            self.servers.iter().enumerate().flat_map(move |(server, slots)| {
                std::iter::repeat_n(server, slots.saturating_sub(used(server)).min(NEAR))
            });
        of_servers.chain(std::iter::repeat_n(0, if self.servers.is_empty() { NEAR } else { 0 }))
    }
}

const MICROS: f64 = 1e6;

/// Whole microseconds, because a heap needs numbers that can be ordered.
fn micros(seconds: f64) -> u64 {
    (seconds * MICROS) as u64
}
