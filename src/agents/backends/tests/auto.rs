//! A limit that is found out: what the queue is told of it.

use super::*;

fn on_its_own() -> Settings {
    let mut auto = backend("one", NOWHERE);
    auto.limit = BackendLimit::Auto;
    settings(catalog(vec![auto], &["m@gpu"]))
}

#[test]
fn a_back_end_gets_no_tickets_before_the_queue_knows_how_many() {
    let backends = Backends::new(&on_its_own()).unwrap();
    let pool = |backends: &Backends| backends.fill(no_policy()).pools[0].backends.clone();
    assert!(pool(&backends).is_empty());
    let caps = governed(&backends);
    assert_eq!((cap(&caps, ONE), pool(&backends)), (Some(1), vec![ONE]));

    let mut both = on_its_own();
    let mut catalog = (*both.catalog).clone();
    catalog.backends.push(BackendSettings {
        limit: BackendLimit::Auto,
        ..backend("two", NOWHERE)
    });
    both.catalog = Arc::new(catalog);
    backends.retune(&both).unwrap();
    assert_eq!(pool(&backends), [ONE]);
    assert!(backends.settle(), "the policy is to be filled anew");
    assert_eq!((cap(&caps, TWO), pool(&backends)), (Some(1), vec![ONE, TWO]));
    assert!(!backends.settle());
    // An edit that gives it a number takes the cap away.
    backends.retune(&settings(pair())).unwrap();
    backends.settle();
    assert_eq!(cap(&caps, ONE), None);
}

/// A server with a capacity, and clients that keep within the cap.
#[tokio::test(start_paused = true)]
async fn the_cap_follows_what_the_server_takes() {
    let backends = Backends::new(&on_its_own()).unwrap();
    let caps = governed(&backends);
    let (mut running, mut refused): (Vec<(Instant, Asking<'_>)>, u32) = (Vec::new(), 0);
    let mut capacity = 5;
    for second in 0..240 {
        if second == 120 {
            capacity = 9;
        }
        running.retain_mut(|(ends, _)| *ends > Instant::now());
        while Some(running.len()) < cap(&caps, ONE) {
            let asking = backends.begin(&mut asks(ONE)).unwrap();
            if running.len() >= capacity {
                refused += 1;
                asking.failed(&busy(None), "it has enough to do");
                break;
            }
            sleep(Duration::from_millis(100)).await;
            asking.shown();
            running.push((Instant::now() + Duration::from_secs(7), asking));
        }
        if (60..120).contains(&second) || second >= 180 {
            let limit = cap(&caps, ONE).unwrap();
            assert!(limit.abs_diff(capacity) <= 1, "{limit} of {capacity} after {second} s");
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert!(refused > 2 && refused < 24, "{refused}");
    assert_eq!(
        backends.figures().backends[0].health,
        Health::Ready,
        "with one fewer it has what it can do"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_asks_for_time_gets_it_whatever_it_has() {
    let backends = Backends::new(&on_its_own()).unwrap();
    let caps = governed(&backends);
    let _other = backends.begin(&mut asks(ONE)).unwrap();
    fail(&backends, ONE, &busy(Some(Duration::from_secs(3))));
    assert_eq!(cap(&caps, ONE), Some(0));
}
