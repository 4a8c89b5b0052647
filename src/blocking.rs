//! Work that may hold up the async threads: done by another thread, unless it is done sooner than that thread is awake.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::task::spawn_blocking;

use crate::panics;

/// Does `work`, here where it is quick. Not cancel-safe: what another thread has begun goes on.
///
/// # Errors
/// The words of its panic, for the log.
pub(crate) async fn run<T: Send + 'static>(
    is_quick: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let words = |panic: Box<dyn std::any::Any + Send>| panics::words(&*panic).to_owned();
    if is_quick {
        return catch_unwind(AssertUnwindSafe(work)).map_err(words);
    }
    spawn_blocking(work)
        .await
        .map_err(|fault| match fault.try_into_panic() {
            Ok(panic) => words(panic),
            Err(fault) => fault.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn quick_work_is_done_here_and_a_panic_is_told_wherever_it_was() {
        let here = thread::current().id();
        let where_done = || thread::current().id();
        assert_eq!(run(true, where_done).await, Ok(here));
        assert!(run(false, where_done).await.is_ok_and(|there| there != here));
        for is_quick in [true, false] {
            let told = run(is_quick, || -> u8 { panic!("clumsy") }).await;
            assert_eq!(told, Err("clumsy".to_owned()), "{is_quick}");
        }
    }
}
