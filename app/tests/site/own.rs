//! Keys of one's own for tools: given, replaced and removed on a page, kept encrypted, and used by nobody else.

use std::{future::pending, path::Path, time::Duration};

use anteroom::wire::{OwnKeyFault, StepState, ToolFault, TurnNotice, TurnView};
use axum::{
    Json, Router,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, StatusCode, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    operator::operator,
    program_keys,
    support::{Browser, Html, Log, Reply, Site, answer_of, edit, program::Program, soon},
};

const PAGE: &str = "/data/tools";
const SEALED_WITH: &str = "0123456789012345678901234567890123456789";

/// A server that says whose key it was called with, and takes none that is old.
async fn mcp(headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let key = headers.get("x-key").and_then(|key| key.to_str().ok());
    let Some(key) = key.filter(|key| !key.contains("old")) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let id = &message["id"];
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "t", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [{
            "name": "whose", "inputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        }] }),
        Some("tools/call") if key.contains("waits") => pending().await,
        Some("tools/call") if key.contains("revoked") => return StatusCode::UNAUTHORIZED.into_response(),
        // What a tool returns is its owner's to read, and may be logged by whoever carries it.
        Some("tools/call") if key.contains("silent") => {
            json!({ "content": [{ "type": "text", "text": "it is a secret" }] })
        }
        Some("tools/call") => json!({ "content": [{ "type": "text", "text": format!("it is {key}") }] }),
        Some(method) if method.starts_with("notifications/") => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

struct Asking {
    site: Site,
    folder: TempDir,
    address: String,
}

impl Asking {
    /// A site with a server `who` that wants a key of each person.
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(mcp))).await });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mcp.json");
        write(&path, "who", &address);
        let path = path.display().to_string();
        let own = [("MCP_FILE", &*path), ("SECRET_KEY", SEALED_WITH)];
        let site = Site::start(&[&own[..], settings].concat()).await;
        Self { site, folder, address }
    }
}

fn write(path: &Path, server: &str, address: &str) {
    let file = json!({
        "inputs": [{ "type": "promptString", "id": "key", "description": "A <b>key</b>", "password": true }],
        "mcpServers": { server: { "url": format!("{address}/mcp"), "headers": { "X-Key": "${input:key}" } } },
    });
    std::fs::write(path, file.to_string()).expect("written");
}

async fn page(browser: &Browser) -> String {
    let reply = browser.ask(browser.get(PAGE).header(header::ACCEPT, "text/html")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.text
}

/// How what they have given is, as their page says.
async fn state(browser: &Browser) -> String {
    let page = page(browser).await;
    let (_, rest) = page.split_once("data-state=\"").expect("a server");
    rest.split('"').next().expect("its end").to_owned()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn confirmation(browser: &Browser) -> String {
    let overview = browser.overview().await;
    overview["confirmation"].as_str().expect("text").to_owned()
}

async fn submit(browser: &Browser, action: &str, confirmation: &str, fields: &str) -> Reply {
    let device = Client::builder().no_proxy().redirect(redirect::Policy::none());
    let form = device
        .build()
        .expect("a client")
        .post(format!("http://{}/api/form/{action}", browser.addr))
        .header(header::COOKIE, &browser.cookie)
        .header(header::ACCEPT, "text/html")
        .header(header::ORIGIN, format!("http://{}", browser.addr))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = format!("confirmation={}&{fields}", encoded(confirmation));
    browser.ask(form.body(body)).await
}

async fn give(browser: &Browser, key: &str) {
    let fields = format!("server=who&value-key={}", encoded(key));
    let reply = submit(browser, "own-give", &confirmation(browser).await, &fields).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    assert!(!reply.text.contains(key), "{reply:?}");
}

async fn remove(browser: &Browser) {
    let reply = submit(browser, "own-remove", &confirmation(browser).await, "server=who").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
}

/// Asks whose key the tool has.
async fn asked(browser: &Browser) -> TurnView {
    let sent = browser.send("use tool who__whose").await;
    let turn = answer_of(browser, sent.turn).await;
    assert!(turn.state.is_over(), "{turn:?}");
    turn
}

fn wanted(turn: &TurnView) -> Vec<OwnKeyFault> {
    let wanted = turn.notices.iter().filter_map(|notice| match notice {
        TurnNotice::KeyWanted { server, fault } if server == "who" => Some(*fault),
        _ => None,
    });
    wanted.collect()
}

fn result(turn: &TurnView) -> &str {
    let [step] = &turn.steps[..] else { panic!("{turn:?}") };
    assert_eq!(step.state, StepState::Done, "{step:?}");
    &step.result
}

#[tokio::test]
async fn two_people_are_each_themselves_and_see_nothing_of_each_other() {
    let Asking { site, .. } = Asking::start().await;
    let (anna, boris) = (site.browser().await, site.browser().await);
    // Without a key its tools are not there, and the way to give one is told with the first message.
    let without = asked(&anna).await;
    assert_eq!((wanted(&without), without.steps.len()), (vec![OwnKeyFault::Missing], 0));
    let second = anna.send_with(Some(without.conversation), "hello", Vec::new()).await;
    assert_eq!(wanted(&answer_of(&anna, second.turn).await), []);
    assert_eq!(
        (state(&anna).await, state(&boris).await),
        ("missing".into(), "missing".into())
    );

    give(&anna, "annas-s3cr3t").await;
    give(&boris, "boriss-s3cr3t").await;
    let (one, other) = tokio::join!(asked(&anna), asked(&boris));
    assert!(result(&one).contains("it is annas-s3cr3t"), "{one:?}");
    assert!(result(&other).contains("it is boriss-s3cr3t"), "{other:?}");
    assert_eq!((wanted(&one), wanted(&other)), (vec![], vec![]));
    let pages = [page(&anna).await, page(&boris).await];
    for page in &pages {
        assert!(!page.contains("s3cr3t") && page.contains("Given on"), "{page}");
        assert!(
            page.contains("A &lt;b&gt;key"),
            "what the operator writes is text: {page}"
        );
    }
    // A third has nothing of it.
    let third = site.browser().await;
    let asked_third = asked(&third).await;
    assert_eq!(
        (wanted(&asked_third), asked_third.steps.len()),
        (vec![OwnKeyFault::Missing], 0)
    );

    // Replaced, the new one is used at once; removed, none.
    give(&anna, "annas-other").await;
    assert!(result(&asked(&anna).await).contains("it is annas-other"));
    remove(&anna).await;
    let after = asked(&anna).await;
    assert_eq!((wanted(&after), after.steps.len()), (vec![OwnKeyFault::Missing], 0));
    assert_eq!(state(&anna).await, "missing");
    remove(&anna).await;
    assert!(
        result(&asked(&boris).await).contains("it is boriss-s3cr3t"),
        "his is there"
    );
    // Whoever has all of theirs deleted has this deleted, too.
    let confirmation = confirmation(&boris).await;
    boris.call("forget", &[("confirmation", &confirmation)]).await;
    assert_eq!(state(&boris).await, "missing");
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_told_in_a_sentence() {
    let Asking { site, .. } = Asking::start().await;
    let browser = site.browser().await;
    give(&browser, "an-old-key").await;
    let turn = asked(&browser).await;
    assert_eq!((wanted(&turn), turn.steps.len()), (vec![OwnKeyFault::Refused], 0));
    assert_eq!(state(&browser).await, "refused");
    assert!(page(&browser).await.contains("does not take it"));
    // One that is revoked between two calls.
    give(&browser, "revoked-key").await;
    assert_eq!(state(&browser).await, "given");
    let turn = asked(&browser).await;
    let failed = StepState::Failed {
        fault: ToolFault::Unauthorized,
    };
    assert_eq!((turn.steps.len(), &turn.steps[0].state), (1, &failed));
    assert_eq!(wanted(&turn), [OwnKeyFault::Refused]);
    assert_eq!(state(&browser).await, "refused");
    give(&browser, "good").await;
    assert!(result(&asked(&browser).await).contains("it is good"));
}

#[tokio::test]
async fn who_finds_all_connections_in_use_is_told_so() {
    let settings = [("TOOL_MAX_OWN_CONNECTIONS", "1"), ("DEFAULT_CONCURRENCY_LIMIT", "5")];
    let Asking { site, .. } = Asking::with(&settings).await;
    let (anna, boris) = (site.browser().await, site.browser().await);
    give(&anna, "anna-waits").await;
    give(&boris, "boriss").await;
    let sent = anna.send("use tool who__whose").await;
    soon("a tool at work", async {
        loop {
            let view = anna.conversation(sent.conversation).await.expect("there");
            let steps = view.turns.iter().flat_map(|turn| &turn.steps);
            if steps.into_iter().any(|step| step.state == StepState::Runs) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    for question in ["use tool who__whose", "once more: use tool who__whose"] {
        let sent = boris.send(question).await;
        let turn = answer_of(&boris, sent.turn).await;
        assert_eq!(
            (wanted(&turn), turn.steps.len()),
            (vec![OwnKeyFault::Full], 0),
            "{turn:?}"
        );
        let path = format!("/c/{}", sent.conversation);
        for (language, said) in [
            ("en", "The tools of who were left out; ask again in a while."),
            (
                "ru",
                "Инструменты сервера who не использовались; повторите вопрос позже.",
            ),
        ] {
            let asked = boris.get(&path).header(header::ACCEPT, "text/html");
            let page = boris.ask(asked.header(header::ACCEPT_LANGUAGE, language)).await;
            let page = Html::read(&page.text);
            assert!(page.says(said), "{language}");
            assert!(
                !page.says("Give a key") && !page.says("Дать ключ"),
                "there is nothing to be mended"
            );
        }
    }
    // Once one is free, it is theirs.
    assert!(anna.cancel(sent.turn).await);
    assert!(answer_of(&anna, sent.turn).await.state.is_over());
    assert!(result(&asked(&boris).await).contains("it is boriss"));
}

/// How many rows there are of what was given.
async fn kept(site: &Site) -> i64 {
    use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(site.data().join("anteroom.db"));
    let mut connection = options.connect().await.expect("opened");
    let counted = sqlx::query_scalar("SELECT count(*) FROM credentials");
    let counted = counted.fetch_one(&mut connection).await.expect("counted");
    connection.close().await.expect("closed");
    counted
}

/// The conversation of a program that asks whose key the tool has: what its first turn came to.
async fn asked_by(program: &Program) -> Value {
    let question = json!({ "message": "use tool who__whose" });
    let turn = program.ask(program.post("/api/v1/conversations", &question)).await;
    assert_eq!(turn.json["state"], "done", "{turn:?}");
    turn.json
}

#[tokio::test]
async fn a_key_of_a_program_has_keys_of_its_own_until_it_is_revoked() {
    let Asking { site, .. } = Asking::with(&[("OPERATOR_KEY", program_keys::KEY)]).await;
    let whoever = operator(&site.browser().await, program_keys::KEY).await;
    let mut tokens = Vec::new();
    for name in ["one", "other", "third"] {
        let token = program_keys::made(&whoever, name).await;
        program_keys::until(&site, &token, StatusCode::OK).await;
        tokens.push(token);
    }
    let programs = [0, 1, 2].map(|at: usize| Program::new(site.addr).with_key(&tokens[at]));
    let path = |at: usize| {
        let id = program_keys::id_of(&tokens[at]);
        let parts = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]];
        format!("/keys/{}/tools", parts.join("-"))
    };
    let shown =
        async |browser: &Browser, path: &str| browser.ask(browser.get(path).header(header::ACCEPT, "text/html")).await;
    let given = async |at: usize, fields: &str, action: &str| {
        let fields = format!("key={}&server=who&{fields}", program_keys::id_of(&tokens[at]));
        submit(&whoever, action, &confirmation(&whoever).await, &fields).await
    };
    // The way there, and what stands there.
    let keys = shown(&whoever, "/keys").await;
    assert!(keys.text.contains(&path(0)), "{keys:?}");
    let before = shown(&whoever, &path(0)).await;
    assert_eq!(before.status, StatusCode::OK);
    assert!(before.text.contains("Keys of one for tools") && before.text.contains("data-state=\"missing\""));
    let wanted = json!([{ "key_wanted": { "server": "who", "fault": "missing" } }]);
    assert_eq!(asked_by(&programs[0]).await["notices"], wanted);

    for (at, value) in [(0, "ones-s3cr3t"), (1, "others-s3cr3t")] {
        let reply = given(at, &format!("value-key={value}"), "own-give").await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
        let page = shown(&whoever, &path(at)).await;
        assert!(
            page.text.contains("data-state=\"given\"") && !page.text.contains("s3cr3t"),
            "{page:?}"
        );
    }
    let (one, other) = tokio::join!(asked_by(&programs[0]), asked_by(&programs[1]));
    for (turn, own) in [(&one, "it is ones-s3cr3t"), (&other, "it is others-s3cr3t")] {
        assert_eq!(turn["steps"][0]["content"], json!([{ "text": own }]), "{turn}");
    }
    let third = asked_by(&programs[2]).await;
    assert_eq!((&third["steps"], &third["notices"]), (&json!([]), &wanted));
    // Neither is the operator's own, nor anybody else's to see or to change.
    assert_eq!(state(&whoever).await, "missing");
    let stranger = site.browser().await;
    assert_eq!(shown(&stranger, &path(0)).await.status, StatusCode::NOT_FOUND);
    let fields = format!("key={}&server=who&value-key=stolen", program_keys::id_of(&tokens[0]));
    let reply = submit(&stranger, "own-give", &confirmation(&stranger).await, &fields).await;
    assert!(reply.status.is_client_error(), "{reply:?}");
    let again = asked_by(&programs[0]).await;
    assert_eq!(again["steps"][0]["content"], json!([{ "text": "it is ones-s3cr3t" }]));

    // Removed, and revoked.
    assert_eq!(given(0, "", "own-remove").await.status, StatusCode::SEE_OTHER);
    assert_eq!(asked_by(&programs[0]).await["notices"], wanted);
    assert_eq!(kept(&site).await, 1);
    let revoked = format!("key={}", program_keys::id_of(&tokens[1]));
    submit(&whoever, "key-revoke", &confirmation(&whoever).await, &revoked).await;
    program_keys::until(&site, &tokens[1], StatusCode::UNAUTHORIZED).await;
    assert_eq!(kept(&site).await, 0);
    assert_eq!(shown(&whoever, &path(1)).await.status, StatusCode::NOT_FOUND);
    let late = given(1, "value-key=late", "own-give").await;
    assert_eq!(late.status, StatusCode::NOT_FOUND, "{late:?}");
    assert_eq!(shown(&whoever, "/keys/x/tools").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_a_page_of_the_session_gives_or_removes_a_key() {
    let Asking { site, .. } = Asking::start().await;
    let (browser, thief) = (site.browser().await, site.browser().await);
    let (own, others) = (confirmation(&browser).await, confirmation(&thief).await);
    for wrong in ["", "x", &others, &own[1..]] {
        let reply = submit(&browser, "own-give", wrong, "server=who&value-key=s3cr3t").await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{wrong}: {reply:?}");
        assert!(!reply.text.contains("s3cr3t"));
    }
    assert_eq!(state(&browser).await, "missing");
    give(&browser, "s3cr3t").await;
    let reply = submit(&browser, "own-remove", &others, "server=who").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{reply:?}");
    // What cannot be one is told, and changes nothing.
    for (fields, says) in [
        ("server=who", "is empty, too long"),
        ("server=who&value-key=", "is empty, too long"),
        ("server=who&value-key=a%0Ab", "is empty, too long"),
        ("server=who&value-key=%D0%BA", "is empty, too long"),
        (
            &format!("server=who&value-key={}", "x".repeat(5000)),
            "is empty, too long",
        ),
        ("server=nowhere&value-key=a", "does not want a key"),
    ] {
        let reply = submit(&browser, "own-give", &own, fields).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}: {reply:?}");
        assert!(reply.text.contains(says), "{fields}: {reply:?}");
    }
    assert_eq!(state(&browser).await, "given");
    assert!(result(&asked(&browser).await).contains("it is s3cr3t"));
}

#[tokio::test]
async fn what_is_kept_is_encrypted_and_bound_and_given_again_where_it_cannot_be_read() {
    let Asking {
        mut site,
        folder,
        address,
    } = Asking::start().await;
    let (browser, thief) = (site.browser().await, site.browser().await);
    give(&browser, "annas-s3cr3t").await;
    give(&thief, "thiefs").await;
    asked(&browser).await;
    // Somebody who can write to the database puts another's row in the place of their own.
    edit(
        site.data(),
        "UPDATE credentials SET sealed = (SELECT sealed FROM credentials ORDER BY owner LIMIT 1)",
    )
    .await;
    let mut states = [state(&browser).await, state(&thief).await];
    states.sort();
    assert_eq!(states, ["given", "unreadable"]);
    give(&browser, "annas-s3cr3t").await;
    // Nothing of it is on the disk as it is.
    let mut files = 0;
    for entry in std::fs::read_dir(site.data()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("read");
            let told = b"\"key\":\"annas";
            assert!(!bytes.windows(told.len()).any(|part| part == told), "{path:?}");
            files += 1;
        }
    }
    assert!(files > 0);
    // With the same key it is read after a restart; of a server that is elsewhere now it is not sent there.
    site.restart(Duration::ZERO).await;
    let browser = Browser {
        addr: site.addr,
        ..browser
    };
    assert_eq!(state(&browser).await, "given");
    let path = folder.path().join("mcp.json");
    write(&path, "who", &address.replace("127.0.0.1", "localhost"));
    site.restart(Duration::ZERO).await;
    let browser = Browser {
        addr: site.addr,
        ..browser
    };
    assert_eq!(state(&browser).await, "unreadable");
    let turn = asked(&browser).await;
    assert_eq!((wanted(&turn), turn.steps.len()), (vec![OwnKeyFault::Unreadable], 0));
    give(&browser, "again").await;
    assert!(result(&asked(&browser).await).contains("it is again"));
    // Of a server that is not there any more it can be removed.
    write(&path, "other", &address);
    site.restart(Duration::ZERO).await;
    let browser = Browser {
        addr: site.addr,
        ..browser
    };
    let shown = page(&browser).await;
    assert!(
        shown.contains("data-state=\"unused\"") && shown.contains("data-state=\"missing\""),
        "{shown}"
    );
    remove(&browser).await;
    assert!(!page(&browser).await.contains("unused"));
}

#[tokio::test]
async fn nothing_of_a_key_is_in_a_log_an_export_or_a_figure() {
    let Asking { site, .. } = Asking::start().await;
    let browser = site.browser().await;
    let (log, heard) = Log::listen();
    give(&browser, "silent-s3cr3t").await;
    let turn = asked(&browser).await;
    assert!(result(&turn).contains("it is a secret"), "{turn:?}");
    give(&browser, "an-old-s3cr3t").await;
    assert_eq!(wanted(&asked(&browser).await), [OwnKeyFault::Refused]);
    remove(&browser).await;
    drop(heard);
    let log = log.text();
    assert!(log.contains("anteroom::"), "{log}");
    // The test's own client says what it sends; the site is what is looked at.
    let of_site = |line: &&str| !["reqwest", "hyper"].iter().any(|client| line.contains(client));
    for line in log.lines().filter(of_site) {
        assert!(!line.contains("s3cr3t"), "{line}");
    }
    for path in [format!("/export/{}.json", turn.conversation), "/metrics".to_owned()] {
        let reply = browser.ask(browser.get(&path)).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
        assert!(!reply.text.contains("s3cr3t"), "{path}");
    }
}
