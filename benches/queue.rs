//! What the queue's operations cost with 10, 1,000 and 100,000 waiting: `cargo bench --bench queue`.
//! (`cargo xtask bench engine` counts their instructions, too.)

#[path = "../bench/src/engine/crowd.rs"]
mod crowd;

use std::time::{Duration, Instant};

use anteroom::queue::Order;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use crowd::{Crowd, Operation};

const WAITING: [usize; 3] = [10, 1_000, 100_000];
/// Operations between two looks at the clock: few, so that the line stays about as long as it is.
const AT_ONCE: u64 = 10;

fn queue(criterion: &mut Criterion) {
    for (order, name) in [(Order::Fair, "fair"), (Order::Fifo, "fifo")] {
        for operation in Operation::ALL {
            let mut group = criterion.benchmark_group(format!("{name}: {}", operation.name()));
            for waiting in WAITING {
                let mut crowd = Crowd::gather(operation, order, waiting);
                group.bench_function(BenchmarkId::from_parameter(waiting), |bencher| {
                    bencher.iter_custom(|times| time(&mut crowd, operation, times));
                });
            }
        }
    }
}

fn time(crowd: &mut Crowd, operation: Operation, times: u64) -> Duration {
    let mut taken = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let some = left.min(AT_ONCE);
        taken += crowd.play(operation, some as usize, |work| {
            let began = Instant::now();
            work();
            began.elapsed()
        });
        left -= some;
    }
    taken
}

criterion_group!(benches, queue);
criterion_main!(benches);
