//! What is measured.

use super::*;
use crate::wire::Usage;

#[tokio::test(start_paused = true)]
async fn each_back_end_and_each_model_has_its_figures() {
    let mut all = pair();
    all.models[0].input_price = Some(2.0);
    all.backends[1].drain = true;
    let backends = Backends::new(&settings(all)).unwrap();
    let asking = backends.begin(&mut asks(ONE)).unwrap();
    sleep(Duration::from_secs(2)).await;
    asking.shown();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(backends.figures().backends[0].running, 1);
    asking.answered(Answered {
        usage: Usage {
            input: Some(500_000),
            output: Some(101),
        },
        incomplete: None,
    });
    fail(&backends, ONE, &FAULT);
    let _verdict = backends.verdict(&model("m@gpu"), ONE, &FAULT, false, &mut Tries::new());
    fail(&backends, ONE, &busy(Some(Duration::from_secs(8))));
    let Figures { backends: all, models } = backends.figures();
    let one = &all[0];
    let spread = |value| Some(Spread { p50: value, p95: value });
    assert_eq!(
        (
            one.name.as_str(),
            one.place.as_str(),
            one.running,
            one.answers,
            one.retries
        ),
        ("one", "gpu", 0, 1, 1)
    );
    assert_eq!((one.first_part, one.speed), (spread(2.0), spread(10.0)));
    assert_eq!(one.faults, [("rate_limited", 1), ("server_fault", 1)]);
    assert!(
        matches!(one.health, Health::Cooling(left) if left >= Duration::from_secs(8)),
        "{:?}",
        one.health
    );
    assert_eq!(one.trouble, Some(Reason::ModelRateLimited));
    assert_eq!((all[1].health, all[1].index), (Health::Draining, TWO));
    assert_eq!(models.len(), 1);
    let Consumption {
        answers,
        input,
        output,
        cost,
        ..
    } = models[0].consumption;
    assert_eq!((answers, input, output, cost), (1, 500_000, 101, Some(1.0)));

    // What a model has taken is not forgotten with it.
    let other = catalog(vec![backend("one", NOWHERE)], &["other@gpu"]);
    backends.retune(&settings(other)).unwrap();
    let names: Vec<_> = backends
        .figures()
        .models
        .into_iter()
        .map(|figures| figures.name)
        .collect();
    assert_eq!(names, [model("m@gpu"), model("other@gpu")]);
}

#[test]
fn nothing_that_can_be_printed_holds_a_key_or_an_address() {
    let mut secret = backend("one", "http://me:secret-password@127.0.0.1:1/v1?token=secret-token");
    secret.key = Some(crate::settings::Secret("sk-secret-key".to_owned()));
    let backends = Backends::new(&settings(catalog(vec![secret], &["m@gpu"]))).unwrap();
    let directory = backends.directory();
    let server = directory.backend(ONE).unwrap().server.clone();
    let printed = format!("{backends:?} {server:?} {:?}", backends.figures());
    assert!(!printed.contains("secret"), "{printed}");
}
