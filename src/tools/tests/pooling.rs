//! When servers are connected to, and until when.

use futures_util::future::join_all;

use super::*;

fn state(tools: &Tools) -> ServerState {
    tools.view()[0].state.clone()
}

fn out_of_service(tools: &Tools) -> Option<(Trouble, Duration)> {
    match state(tools) {
        ServerState::OutOfService { trouble, again_in, .. } => Some((trouble, again_in)),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_connected_to_before_its_first_use_and_then_once() {
    let fake = Fake::with(&["echo", "gate", "hang"]);
    let tools = start(&fake);
    assert!(!tools.is_empty() && Tools::none().is_empty());
    assert_eq!((fake.dials(), state(&tools)), (0, ServerState::Idle));
    *fake.slow.lock().expect("whole") = Some(Duration::from_secs(5));
    let first = (0..100).map(|_| {
        let tools = tools.clone();
        tokio::spawn(async move { tools.offer(&Person::nobody(), |_| ()).await })
    });
    let offers = join_all(first).await;
    for offer in offers {
        let offer = offer.expect("it ran");
        let names: Vec<_> = offer.tools.iter().map(|tool| tool.tool.as_str()).collect();
        assert_eq!(
            (names.as_slice(), offer.missing.len()),
            (&["echo", "gate", "hang"][..], 0)
        );
    }
    assert_eq!((fake.dials(), fake.open()), (1, 1));
    assert_eq!(tools.view()[0].tools, Some(3));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_first_may_leave() {
    let fake = Fake::with(&["echo"]);
    *fake.slow.lock().expect("whole") = Some(Duration::from_secs(5));
    let tools = start(&fake);
    let first = tokio::spawn({
        let tools = tools.clone();
        async move { tools.offer(&Person::nobody(), |_| ()).await }
    });
    while state(&tools) != ServerState::Connecting {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert_eq!(tools.offer(&Person::nobody(), |_| ()).await.tools.len(), 1);
    assert_eq!(fake.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_closes_and_its_tools_stay_known() {
    let fake = Fake::with(&["echo", "gate"]);
    let tools = start(&fake);
    let (echo, gate) = (offered(&tools, "echo").await, offered(&tools, "gate").await);
    let calling = tokio::spawn({
        let tools = tools.clone();
        let long = ToolServer {
            timeout: Duration::from_secs(3000),
            ..server("s")
        };
        tools.retune(&settings([long]));
        async move { call(&tools, &gate).await }
    });
    fake.until(|fake| tools.view()[0].running == 1 && fake.dials() == 2)
        .await;
    tokio::time::sleep(Duration::from_secs(2000)).await;
    assert_eq!(state(&tools), ServerState::Connected, "it is used");
    fake.gate.0.add_permits(1);
    assert_eq!(calling.await.expect("it ran"), text("let through"));
    tokio::time::sleep(Duration::from_secs(599)).await;
    assert_eq!(state(&tools), ServerState::Connected);
    fake.until(|fake| fake.open() == 0).await;
    assert_eq!(state(&tools), ServerState::Idle);
    assert_eq!(
        tools
            .offer(&Person::nobody(), |_| panic!("nobody is waited for"))
            .await
            .tools
            .len(),
        2
    );
    assert_eq!(fake.dials(), 2);
    assert_eq!(call(&tools, &echo).await, text("{\"a\":1}"));
    assert_eq!(fake.dials(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_left_out_and_tried_again_less_and_less_often() {
    let fake = Fake::with(&["echo"]);
    fake.broken.store(8, Ordering::SeqCst);
    let tools = start(&fake);
    for (nth, pause) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        let offer = tools.offer(&Person::nobody(), |_| ()).await;
        let missing = Missing {
            server: "s".to_owned(),
            reason: Trouble::NoAnswer,
            own: false,
        };
        assert_eq!((offer.tools.len(), offer.missing), (0, vec![missing]));
        let expected = (Trouble::NoAnswer, Duration::from_secs(pause));
        assert_eq!(out_of_service(&tools), Some(expected));
        tokio::time::sleep(Duration::from_secs(pause) - Duration::from_millis(1)).await;
        tools.offer(&Person::nobody(), |_| panic!("it is not waited for")).await;
        assert_eq!(fake.dials(), nth + 1);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let asked = Mutex::new(Vec::new());
    let offer = tools
        .offer(&Person::nobody(), |connecting| {
            asked.lock().expect("whole").push(connecting.servers.join(","));
        })
        .await;
    assert_eq!((offer.tools.len(), offer.missing.len()), (1, 0));
    assert_eq!(*asked.lock().expect("whole"), ["s"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_is_connected_to_again() {
    let fake = Fake::with(&["die", "echo", "gate"]);
    let tools = start(&fake);
    let (die, echo) = (offered(&tools, "die").await, offered(&tools, "echo").await);
    assert_eq!(call(&tools, &die).await, Err(ToolError::Died));
    let trouble = Trouble::Ended { code: Some(3) };
    let again = out_of_service(&tools).expect("it is");
    assert_eq!((&again.0, again.1 <= Duration::from_secs(1)), (&trouble, true));
    assert_eq!(call(&tools, &echo).await, Err(ToolError::Unreachable(trouble.clone())));
    assert_eq!(tools.offer(&Person::nobody(), |_| ()).await.missing[0].reason, trouble);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(call(&tools, &echo).await, text("{\"a\":1}"));
    // One that ends at each call is tried again less and less often; one that has answered begins anew.
    for pause in [1, 2, 4] {
        assert_eq!(call(&tools, &die).await, Err(ToolError::Died));
        assert!(out_of_service(&tools).expect("it is").1 > Duration::from_millis(pause * 1000 - 500));
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_too_long_is_left_out() {
    let fake = Fake::with(&["echo"]);
    *fake.slow.lock().expect("whole") = Some(Duration::from_secs(1000));
    let tools = start(&fake);
    let began = tokio::time::Instant::now();
    let offer = tools.offer(&Person::nobody(), |_| ()).await;
    assert_eq!(offer.missing[0].reason, Trouble::TooSlow { seconds: 30 });
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn edited_servers_are_others_and_calls_of_before_end_as_they_would_have() {
    let fake = Fake::with(&["gate", "echo"]);
    let tools = Tools::start_with(&settings([server("s"), server("t")]), Arc::new(Arc::clone(&fake)));
    let gate = offered(&tools, "gate").await;
    assert_eq!(fake.dials(), 2);
    let calling = tokio::spawn({
        let (tools, gate) = (tools.clone(), gate.clone());
        async move { call(&tools, &gate).await }
    });
    fake.until(|_| tools.view()[0].running == 1).await;
    let edited = ToolServer {
        idle: Duration::from_secs(1),
        ..server("s")
    };
    tools.retune(&settings([edited, server("t")]));
    // The other server goes on as it was.
    assert_eq!(tools.view()[1].state, ServerState::Connected);
    assert_eq!((state(&tools), tools.view()[0].running), (ServerState::Idle, 0));
    tools.retune(&settings([]));
    assert!(tools.is_empty());
    fake.until(|fake| fake.open() == 1).await;
    assert_eq!(tools.find(&Person::nobody(), "s__gate"), None);
    assert_eq!(call(&tools, &gate).await, Err(ToolError::NotThere));
    fake.gate.0.add_permits(1);
    assert_eq!(calling.await.expect("it ran"), text("let through"));
    fake.until(|fake| fake.open() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn all_connections_close_at_the_end() {
    let fake = Fake::with(&["hang"]);
    let tools = start(&fake);
    let hang = offered(&tools, "hang").await;
    let calling = tokio::spawn({
        let (tools, hang) = (tools.clone(), hang.clone());
        async move { call(&tools, &hang).await }
    });
    fake.until(|_| tools.view()[0].running == 1).await;
    tools.close().await;
    fake.until(|fake| fake.open() == 0).await;
    assert_eq!(calling.await.expect("it ran"), Err(ToolError::Died));
    tools.retune(&settings([ToolServer {
        limit: Some(3),
        ..server("s")
    }]));
    assert_eq!(
        tools.offer(&Person::nobody(), |_| ()).await.missing[0].reason,
        Trouble::Closing
    );
    // So they do where nobody has them any more.
    let dropped = Fake::with(&["echo"]);
    let tools = start(&dropped);
    tools.offer(&Person::nobody(), |_| ()).await;
    drop(tools);
    dropped.until(|fake| fake.open() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_with_nothing_to_what_it_does_not_know_is_one_of_before() {
    let fake = Arc::new(Fake {
        tools: Mutex::new(vec![fake::tool("echo")]),
        is_vague: true,
        ..Fake::default()
    });
    let tools = start(&fake);
    let echo = offered(&tools, "echo").await;
    assert_eq!(call(&tools, &echo).await, text("{\"a\":1}"));
    assert_eq!(fake.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn owners_take_turns_before_a_server_with_a_limit() {
    let fake = Fake::with(&["echo"]);
    let limited = ToolServer {
        limit: Some(1),
        ..server("s")
    };
    let tools = Tools::start_with(&settings([limited]), Arc::new(Arc::clone(&fake)));
    let first = tools.slot("s", Owner(1)).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    // One asks for many, then others for one each.
    for owner in [1, 1, 1, 1, 2, 3] {
        let (tools, order) = (tools.clone(), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            let _slot = tools.slot("s", Owner(owner)).await;
            order.lock().expect("whole").push(owner);
        }));
        // Each is in the line before the next one asks.
        tokio::task::yield_now().await;
    }
    let gone = waiting.remove(1);
    gone.abort();
    assert!(gone.await.is_err());
    assert_eq!(*order.lock().expect("whole"), [0; 0]);
    drop(first);
    for one in waiting {
        one.await.expect("it had its turn");
    }
    assert_eq!(*order.lock().expect("whole"), [1, 2, 3, 1, 1]);
    // Who needs no slot waits for nobody.
    drop((tools.slot("none", Owner(1)).await, tools.slot("none", Owner(1)).await));
}
