//! The commands that ask a server, as people run them; and every example that the documents show.

mod documents;
#[path = "../installed/mod.rs"]
mod installed;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../process/mod.rs"]
mod process;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anteroom_loopback::Loopback;
use process::{GIVE_UP, Site, command, model};
use serde_json::Value;

/// A server with a folder of its own.
struct Served {
    model: Loopback,
    site: Site,
    folder: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let model = model().await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = command(folder.path(), &model);
        command.env("MODELS", "demo@builtin").env("MODEL_RETRIES", "0");
        command.envs(settings.iter().copied());
        let site = Site::run(command, None).await;
        Self { model, site, folder }
    }

    fn anteroom(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("ANTEROOM_URL", &self.site.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    async fn line(&self) -> (u64, u64) {
        let queue = self
            .site
            .http
            .get(format!("{}/api/v1/queue", self.site.url))
            .send()
            .await;
        let queue: Value = queue.expect("an answer").json().await.expect("JSON");
        let number = |name: &str| queue["lines"][0][name].as_u64().expect("a number");
        (number("running"), number("waiting"))
    }

    async fn until_line(&self, running: u64, waiting: u64) {
        let waited = async {
            while self.line().await != (running, waiting) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(GIVE_UP, waited).await;
        waited.unwrap_or_else(|_| panic!("waited in vain for {running} running and {waiting} waiting"));
    }
}

/// What a command has said: its exit code, its output, its complaints.
fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn run(mut command: Command) -> (Option<i32>, String, String) {
    let ran = tokio::task::spawn_blocking(move || command.output());
    said(ran.await.expect("it ran").expect("it can be run"))
}

async fn end_of(child: Child) -> (Option<i32>, String, String) {
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    said(ended.await.expect("it ran").expect("it ended"))
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("it can be run").success());
}

#[tokio::test]
async fn a_question_is_answered_on_the_standard_output() {
    let served = Served::start().await;
    let answered = run(served.anteroom(&["ask", "Hello", "[[tokens=3]]"])).await;
    assert_eq!(
        answered,
        (Some(0), "Answer to: Hello\n\nword1 word2 \n".to_owned(), String::new())
    );
    let mut piped = served.anteroom(&["ask", "Explain this", "--model", "loopback", "--system", "Be kind."]);
    let mut child = piped.stdin(Stdio::piped()).spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(b"[[reply=echo]] one\ntwo\n").expect("written");
    drop(stdin);
    let (code, out, _) = end_of(child).await;
    assert_eq!((code, out.as_str()), (Some(0), "Explain this\n\none\ntwo\n"));
    let record = served.model.record();
    assert_eq!(record.requests[1].system.as_deref(), Some("Be kind."));
}

#[tokio::test]
async fn what_comes_to_nothing_is_said_and_is_no_success() {
    let served = Served::start().await;
    for wrong in [&["frobnicate"][..], &["tasks"], &["ask", "--frob"]] {
        let (code, _, complaint) = run(served.anteroom(wrong)).await;
        assert!(code == Some(2) && complaint.contains("anteroom --help"), "{complaint}");
    }
    let (code, help, _) = run(served.anteroom(&["--help"])).await;
    assert!(code == Some(0) && help.contains("tasks"), "{help}");
    for (arguments, why) in [
        (&["ask", "Hello", "--model", "none"][..], "is not offered"),
        (&["ask", "[[fault=status:500]]"], "status 500"),
        (&["ask"], "Nothing was asked"),
        (&["ask", "Hello", "--url", "nonsense"], "no address of a server"),
        (&["ask", "Hello", "--key", "wrong"], "key"),
        (&["tasks", "run", "nowhere.jsonl"], "nowhere.jsonl"),
        (&["tasks", "status", "nowhere.jsonl"], "no batch's id"),
    ] {
        let mut command = served.anteroom(arguments);
        if arguments.contains(&"wrong") {
            // With a key on the server, a wrong one lets nobody in.
            let mut key = served.anteroom(&["key", "add", "any"]);
            key.env("DATA_DIR", served.folder.path()).env("MODEL", "demo@builtin");
            assert_eq!(run(key).await.0, Some(0));
            let heard = async {
                while served
                    .site
                    .http
                    .get(format!("{}/api/v1/queue", served.site.url))
                    .send()
                    .await
                    .expect("an answer")
                    .status()
                    != 401
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(GIVE_UP, heard)
                .await
                .expect("the server hears of it");
        }
        let (code, out, complaint) = run(std::mem::replace(&mut command, Command::new("true"))).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}: {complaint}");
        assert!(complaint.contains(why), "{arguments:?}: {complaint}");
    }
    let nobody = format!("http://127.0.0.1:{}", anteroom_pgtest::free_port());
    let (code, _, complaint) = run(served.anteroom(&["ask", "Hello", "--url", &nobody])).await;
    assert_eq!(code, Some(1));
    assert!(complaint.contains("cannot be reached"), "{complaint}");
}

#[tokio::test]
async fn whoever_interrupts_a_question_leaves_the_line() {
    let served = Served::start().await;
    served.model.hold(true);
    let first = served.anteroom(&["ask", "The first"]).spawn().expect("it runs");
    served.until_line(1, 0).await;
    let second = served.anteroom(&["ask", "The second"]).spawn().expect("it runs");
    served.until_line(1, 1).await;
    interrupt(&second);
    assert_eq!(end_of(second).await.0, Some(130));
    served.until_line(1, 0).await;
    interrupt(&first);
    assert_eq!(end_of(first).await.0, Some(130));
    served.until_line(0, 0).await;
    assert_eq!(served.model.record().of("The second").count(), 0);
}

#[tokio::test]
async fn tasks_are_run_and_their_results_written() {
    let served = Served::start().await;
    let file = served.file(
        "batch.jsonl",
        "\"One [[tokens=2]]\"\n{\"message\": \"Two\", \"name\": \"two\"}\n",
    );
    let tasks = ["tasks", "run", "batch.jsonl", "--output", "results.jsonl", "--progress"];
    assert_eq!(
        run(served.anteroom(&tasks)).await,
        (Some(0), String::new(), String::new())
    );
    let results = std::fs::read_to_string(served.folder.path().join("results.jsonl")).expect("written");
    let results: Vec<Value> = results
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(results.len(), 2, "{results:?}");
    assert!(results.iter().all(|result| result["state"] == "done"), "{results:?}");
    let two = results
        .iter()
        .find(|result| result["name"] == "two")
        .expect("it is there");
    let said = two["result"]["choices"][0]["message"]["content"].as_str();
    assert!(said.is_some_and(|said| said.contains("Two")), "{two}");
    assert!(!beside(&file).exists(), "it is over");
    // Run again it is another batch, whose results are not mixed with these.
    let written = || std::fs::read_to_string(served.folder.path().join("results.jsonl")).expect("there");
    let (before, asked) = (written(), served.model.record().requests.len());
    let (code, _, complaint) = run(served.anteroom(&tasks)).await;
    assert!(
        code == Some(1) && complaint.contains("results.jsonl has something in it already"),
        "{complaint}"
    );
    assert_eq!((written(), served.model.record().requests.len()), (before, asked));
    assert!(!beside(&file).exists(), "it has not begun");
    // What the server takes in under no circumstances is not remembered.
    std::fs::write(&file, "{\"message\": 5}\n").expect("written");
    let (code, _, complaint) = run(served.anteroom(&["tasks", "run", "batch.jsonl"])).await;
    assert!(code == Some(1) && complaint.contains("Task 1"), "{complaint}");
    assert!(!beside(&file).exists(), "there is nothing to go on with");
    // Run again it is another batch, and one that fails is no success.
    std::fs::write(&file, "\"[[fault=status:400]] Three\"\n").expect("written");
    let (code, out, complaint) = run(served.anteroom(&["tasks", "run", "batch.jsonl"])).await;
    assert_eq!(
        (code, complaint.as_str()),
        (Some(1), "0 done, 1 failed, 0 cancelled. The results say why.\n")
    );
    let failed: Value = serde_json::from_str(&out).expect("a line");
    assert_eq!(failed["state"], "failed");
}

fn beside(file: &Path) -> PathBuf {
    file.with_file_name("batch.jsonl.anteroom")
}

#[tokio::test]
async fn a_file_that_was_interrupted_goes_on_and_asks_nothing_twice() {
    let served = Served::start().await;
    let file = served.file("batch.jsonl", "\"One\"\n\"[[gate=later]] Two\"\n\"Three\"\n");
    let tasks = ["tasks", "run", "batch.jsonl", "--output", "results.jsonl"];
    let first = served.anteroom(&tasks).spawn().expect("it runs");
    let written = || std::fs::read_to_string(served.folder.path().join("results.jsonl")).unwrap_or_default();
    let one = async {
        while written().lines().count() < 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, one).await.expect("the first result");
    interrupt(&first);
    let (code, _, said) = end_of(first).await;
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("Run the same file again"), "{said}");
    assert!(beside(&file).exists());
    let (code, out, complaint) = run(served.anteroom(&["tasks", "status", "batch.jsonl"])).await;
    assert_eq!(code, Some(0), "{complaint}");
    assert!(out.contains("/3, 1 running"), "{out}");
    // What was written after the last note is written again, and not twice.
    let mut results = std::fs::OpenOptions::new()
        .append(true)
        .open(served.folder.path().join("results.jsonl"))
        .expect("opened");
    results.write_all(b"{\"half\": ").expect("written");
    served.model.open("later");
    let again = run(served.anteroom(&tasks)).await;
    assert_eq!(again.0, Some(0), "{again:?}");
    let results: Vec<Value> = written()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut ids: Vec<_> = results
        .iter()
        .map(|result| result["id"].as_str().expect("an id"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((results.len(), ids.len()), (3, 3), "{results:?}");
    assert_eq!(served.model.record().requests.len(), 3, "nothing was asked twice");
}

#[tokio::test]
async fn a_batch_is_cancelled() {
    let served = Served::start().await;
    served.model.hold(true);
    served.file("batch.jsonl", "\"One\"\n\"Two\"\n\"Three\"\n");
    let running = served
        .anteroom(&["tasks", "run", "batch.jsonl"])
        .spawn()
        .expect("it runs");
    let begun = tokio::time::timeout(GIVE_UP, served.model.until(|record| record.now == 1)).await;
    begun.expect("one runs");
    let cancelled = run(served.anteroom(&["tasks", "cancel", "batch.jsonl"])).await;
    assert_eq!(cancelled, (Some(0), "3 of 3 cancelled.\n".to_owned(), String::new()));
    let (code, out, complaint) = end_of(running).await;
    assert_eq!(
        (code, complaint.as_str()),
        (Some(1), "0 done, 0 failed, 3 cancelled. The results say why.\n")
    );
    assert_eq!(out.lines().count(), 3);
}
