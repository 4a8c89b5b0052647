//! Several servers in one process.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use anteroom_loopback::{Ending, Fleet, FleetRecord};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ask, ask_for, get, post, try_ask};

#[tokio::test]
async fn each_server_has_knobs_and_a_record_of_its_own() {
    let fleet = Fleet::start(["fast limit=2 models=small", "slow limit=1 models=small,large tokens=3"])
        .await
        .unwrap();
    let asked = [
        ("fast", "small"),
        ("slow", "large"),
        ("slow", "small"),
        ("fast", "large"),
    ];
    for (server, model) in asked {
        let answer = ask_for(&fleet[server].base_url(), model, &format!("{model} of {server}")).await;
        answer.unwrap().text().await.unwrap();
    }
    let record = fleet.record();
    let seen: Vec<_> = record
        .requests()
        .into_iter()
        .map(|(server, request)| (server, request.model.as_str(), request.ending))
        .collect();
    let (complete, refused) = (Some(Ending::Complete), Some(Ending::Refused));
    assert_eq!(
        seen,
        [
            ("fast", "small", complete),
            ("slow", "large", complete),
            ("slow", "small", complete),
            ("fast", "large", refused)
        ]
    );
    assert_eq!(record["slow"].requests[0].pieces, 3);
    assert_eq!(record["fast"].requests[0].limit, Some(2));
    assert_eq!((record.now(), record.beyond_limits()), (0, 0));
}

#[tokio::test]
async fn what_happens_at_several_servers_can_be_waited_for() {
    let fleet = Fleet::start(["a hold=true", "b hold=true"]).await.unwrap();
    let asked = join_all([ask(&fleet["a"], "1"), ask(&fleet["b"], "2"), ask(&fleet["b"], "3")]);
    let (held, ()) = tokio::join!(asked, fleet.until(|record| record.now() == 3));
    assert_eq!(fleet.record()["b"].most_at_once(0.0), 2);
    fleet["b"].hold(false);
    fleet.until(|record| record["b"].now == 0 && record["a"].now == 1).await;
    drop(held);
    fleet.until(|record| record.now() == 0).await;
    fleet.stop().await;
}

#[tokio::test]
async fn the_control_answers_also_for_a_server_that_is_down() {
    let fleet = Fleet::start(["a limit=4", "b"]).await.unwrap();
    let control = |path: &str| format!("http://{}{path}", fleet.control);
    let a = |body: Value| post(control("/servers/a/control"), body);
    let knobs: Value = a(json!({ "door": "closed" })).await.json().await.unwrap();
    assert_eq!((&knobs["door"], &knobs["limit"]), (&json!("closed"), &json!(4)));
    // It was down before the control answered.
    assert!(try_ask(&fleet["a"], "refused").await.unwrap_err().is_connect());
    assert_eq!(ask(&fleet["b"], "another").await.status(), StatusCode::OK);
    a(json!({ "limit": 1 })).await;
    a(json!({ "door": "open" })).await;
    ask(&fleet["a"], "back").await.text().await.unwrap();

    let record: FleetRecord = get(control("/control/record")).await.json().await.unwrap();
    assert_eq!(record, fleet.record());
    assert_eq!(record["a"].requests[0].limit, Some(1));
    let of_a: Value = get(control("/servers/a/control/record")).await.json().await.unwrap();
    assert_eq!(of_a["requests"][0]["question"], "back");

    a(json!({ "door": "closed" })).await;
    let reset = post(control("/control/reset"), json!(null)).await;
    assert_eq!(reset.status(), StatusCode::NO_CONTENT);
    ask(&fleet["a"], "and again").await.text().await.unwrap();
    assert_eq!(fleet.record()["a"].requests[0].limit, Some(4), "as at the start");
    assert_eq!(
        get(control("/servers/c/control/record")).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn its_tables_for_an_operators_file_say_where_it_is() {
    let fleet = Fleet::start(["gpu1"]).await.unwrap();
    assert_eq!(
        fleet["gpu1"].backend_toml("pool = \"gpu\"\nlimit = 2"),
        format!(
            "[[backend]]\nname = \"gpu1\"\nprovider = \"openai\"\nurl = \"http://{}/v1\"\npool = \"gpu\"\nlimit = 2\n\n",
            fleet["gpu1"].addr
        )
    );
}

/// Ends with the test, however that ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn command(servers: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom-loopback"));
    command.env("LOOPBACK_SERVERS", servers);
    command
}

#[tokio::test]
async fn the_command_serves_what_the_environment_names() {
    let mut command = command("fast tokens=2; slow fault=status:503;");
    let mut program = Program(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    for (at, name, status) in [(0, "fast", 200), (1, "slow", 503)] {
        let server = &said["servers"][at];
        assert_eq!(server["name"], name);
        let answer = ask_for(server["base_url"].as_str().unwrap(), "m", "q").await.unwrap();
        assert_eq!(answer.status(), status);
    }
    let control = said["control"].as_str().unwrap();
    let record: FleetRecord = get(format!("http://{control}/control/record"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(record.requests().len(), 2);
}

#[test]
fn the_command_says_what_is_wrong_with_the_environment() {
    let wrong = command("fast limits=4").output().unwrap();
    let complaint = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        !wrong.status.success() && complaint.contains("there is no such knob"),
        "{complaint}"
    );
}
