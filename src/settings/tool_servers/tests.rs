//! What may stand in the file of tool servers, and what is said of what may not.

use std::{io, path::Path, time::Duration};

use super::*;
use crate::settings::{Loaded, Settings, faults::Faults};

/// A program that is there on every machine that these tests run on.
const PROGRAM: &str = "sh";

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Faults> {
    let text = text.to_owned();
    let read = move |path: &Path| match path.to_str() {
        Some("conf/mcp.json") => Ok(text.clone().into_bytes()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let file = ("MCP_FILE".to_owned(), "conf/mcp.json".to_owned());
    Settings::load_with(variables.chain([file]), None, &read)
}

fn servers(text: &str, variables: &[(&str, &str)]) -> Vec<ToolServer> {
    let loaded = load(text, variables).expect("right");
    assert_eq!(loaded.warnings, Vec::<String>::new());
    loaded
        .settings
        .tools
        .servers
        .iter()
        .map(|server| (**server).clone())
        .collect()
}

/// Each fault as `line: subject: advice`.
fn faults(text: &str) -> Vec<String> {
    let faults = load(text, &[]).expect_err("faults").faults;
    let line = |place: &str| place.strip_prefix("mcp.json line ").map(str::to_owned);
    let said = faults.into_iter().map(|fault| {
        let at = line(&fault.place).or_else(|| line(&fault.subject)).expect("a line");
        format!("{at}: {}: {}", fault.subject, fault.advice)
    });
    said.collect()
}

/// Each of these faults, by its line, what it is of and what to do, is told once, and nothing else is; no value is shown.
fn are_told(said: &[String], expected: &[(usize, &str, &str)]) {
    for (line, subject, advice) in expected {
        let begins = format!("{line}: {subject}: ");
        assert!(
            said.iter().any(|one| one.starts_with(&begins) && one.contains(*advice)),
            "{begins}{advice}\nin\n{}",
            said.join("\n")
        );
    }
    assert_eq!(said.len(), expected.len(), "{}", said.join("\n"));
    assert!(!said.concat().contains("s3cr3t"), "{}", said.join("\n"));
}

#[test]
fn files_of_other_clients_are_read_as_they_are() {
    let all = servers(
        r#"{
          "$schema": "x",
          "mcpServers": {
            "files": { "type": "stdio", "command": "sh", "args": ["-c", "exec files"], "env": { "A": "1" }, "cwd": "/" },
            "web": { "type": "http", "url": "https://mcp.example/mcp", "headers": { "Authorization": "Bearer x" } },
            "off": { "command": "no-such-program-anywhere", "disabled": true }
          }
        }"#,
        &[],
    );
    let secret = |text: &str| Secret(text.to_owned());
    let plain = |name: &str, transport| ToolServer {
        name: name.to_owned(),
        transport,
        limit: None,
        timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(30),
        idle: Duration::from_secs(600),
        leave: LeaveRules::default(),
        only: None,
        own: OwnValues::default(),
        resources: true,
        prompts: true,
    };
    let files = ToolTransport::Program {
        command: PROGRAM.to_owned(),
        args: vec![secret("-c"), secret("exec files")],
        env: vec![("A".to_owned(), secret("1"))],
        cwd: Some("/".into()),
    };
    let web = ToolTransport::Http {
        url: secret("https://mcp.example/mcp"),
        headers: vec![("Authorization".to_owned(), secret("Bearer x"))],
    };
    assert_eq!(all, [plain("files", files), plain("web", web)]);
    assert!(servers("{}", &[]).is_empty() && servers(r#"{"mcpServers": {}}"#, &[]).is_empty());
}

#[test]
fn what_is_ours_is_read_too() {
    let all = servers(
        r#"{"mcpServers": {"a": {
            "command": "sh", "limit": 3, "timeout": 2.5, "connect_timeout": 5, "idle": 60,
            "leave": {"*": "deny", "look": "allow"}, "tools": ["look", "other"], "resources": false, "prompts": true
        }}}"#,
        &[],
    );
    let one = &all[0];
    assert_eq!((one.limit, one.timeout), (Some(3), Duration::from_millis(2500)));
    assert_eq!(
        (one.connect_timeout, one.idle),
        (Duration::from_secs(5), Duration::from_secs(60))
    );
    assert_eq!(
        (one.leave.of("look"), one.leave.of("other")),
        (Some(Leave::Allow), Some(Leave::Deny))
    );
    assert!(one.only.as_ref().is_some_and(|only| only.contains("look")));
    assert!(!one.resources && one.prompts);
}

#[test]
fn variables_are_put_in_and_never_shown() {
    let text = r#"{"mcpServers": {"a": {
        "command": "sh", "args": ["--key=${KEY}", "${NONE:-none}"], "env": {"TOKEN": "${KEY}"}
    }}}"#;
    let key = [("KEY", "s3cr3t")];
    let loaded = load(text, &key).expect("right");
    let ToolTransport::Program { args, env, .. } = &loaded.settings.tools.servers[0].transport else {
        panic!("it is a program");
    };
    assert_eq!((args[0].0.as_str(), args[1].0.as_str()), ("--key=s3cr3t", "none"));
    assert_eq!(env[0].1.0, "s3cr3t");
    let debugged = format!("{loaded:?}");
    assert!(!debugged.contains("s3cr3t"), "{debugged}");
    let (_, changes) = load("{}", &[]).expect("right").reload(loaded);
    let changed: Vec<_> = changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(changed, ["tool server a, of MCP_FILE"]);
    assert!(!format!("{changes:?}").contains("s3cr3t"));
    // One that is in .env alone is no setting that is misspelt.
    let read = |_: &Path| Ok(text.as_bytes().to_vec());
    let env = "MCP_FILE=mcp.json\nKEY=s3cr3t";
    let loaded = Settings::load_with([], Some(env), &read).expect("right");
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn every_fault_is_told_with_its_line_and_no_value() {
    let said = faults(
        r#"{
  "mcpServer": {},
  "mcpServers": {
    "a": { "comand": "sh" },
    "b": { "command": "sh", "url": "http://x" },
    "c": { "command": "no-such-program-anywhere" },
    "d": { "url": "ftp://s3cr3t" },
    "e": { "command": "sh", "timeout": "s3cr3t", "limit": 1.5, "idle": 0 },
    "f": { "command": "sh", "args": ["x", 7], "env": { "A": 1 } },
    "g": { "command": "sh", "leave": { "x": "s3cr3t" }, "disabled": "no" },
    "h": { "type": "sse", "url": "http://x" },
    "i": { "url": "http://x", "headers": { "Host": "s3cr3t", "a b": "c", "X": "s3cr3t\n" } },
    "j": { "command": "sh", "args": ["${NO_SUCH}", "${open"] },
    "k": { "command": "sh", "headers": {}, "cwd": "/no/such" },
    "l l": {},
    "m": 7,
    "a": { "command": "sh" },
    "n": { "command": "sh", "command": "sh" }
  }
}"#,
    );
    let expected = [
        (2, "mcpServer", "did you mean mcpServers?"),
        (4, "a: comand", "did you mean command?"),
        (4, "a", "this needs a command or a url"),
        (5, "b: url", "not both"),
        (6, "c: command", "there is no program no-such-program-anywhere"),
        (7, "d: url", "http:// or https://"),
        (8, "e: timeout", "from 0.1 to 3600"),
        (8, "e: limit", "a whole number"),
        (8, "e: idle", "from 0.1 to 86400"),
        (9, "f: args[1]", "a text is needed"),
        (9, "f: env.A", "a text is needed"),
        (10, "g: leave.x", "\"ask\", \"allow\" or \"deny\""),
        (10, "g: disabled", "true or false"),
        (11, "h: type", "SSE"),
        (12, "i: headers.Host", "set by Anteroom itself"),
        (12, "i: headers.a b", "no name of a header"),
        (12, "i: headers.X", "visible ASCII"),
        (13, "j: args[0]", "there is no variable NO_SUCH"),
        (13, "j: args[1]", "a } is missing"),
        (14, "k: headers", "a server with a url"),
        (14, "k: cwd", "no such folder"),
        (15, "l l", "letters, digits"),
        (16, "m", "an object is needed"),
        (17, "a", "a server of this name above"),
        (18, "n: command", "twice"),
    ];
    are_told(&said, &expected);
}

#[test]
fn what_a_variable_stands_for_is_shown_in_no_fault() {
    let text = r#"{ "mcpServers": {
    "a": { "command": "no-such-${KEY}" },
    "b": { "command": "sh", "cwd": "/no/${KEY}" },
    "c": { "url": "ftp://${KEY}" },
    "d": { "url": "http://x", "headers": { "A": "${KEY}\n" } }
    } }"#;
    let faults = load(text, &[("KEY", "s3cr3t")]).expect_err("faults");
    let said = format!("{faults}{faults:?}");
    assert_eq!(faults.faults.len(), 4, "{said}");
    assert!(
        said.contains("no program no-such-${KEY}") && !said.contains("s3cr3t"),
        "{said}"
    );
}

#[test]
fn what_is_no_json_is_told_with_its_line() {
    let said = faults("{\n  \"mcpServers\": {\n    \"a\": s3cr3t\n  }\n}");
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("3: mcp.json line 3: this is not JSON: "),
        "{said:?}"
    );
    assert!(!said[0].contains("s3cr3t"), "{said:?}");
    assert!(faults("[]")[0].contains("mcpServers"));
    let (_, faults) = parse(Path::new("mcp.json"), b"{\n\xff}", &|_| None);
    assert_eq!(
        (faults[0].subject.as_str(), faults[0].advice.as_str()),
        ("mcp.json line 2", "not valid UTF-8")
    );
    let missing = Settings::load_with([("MCP_FILE".to_owned(), "x".to_owned())], None, &|_| {
        Err(io::ErrorKind::NotFound.into())
    });
    let said = missing.expect_err("no such file").to_string();
    assert!(said.contains("MCP_FILE") && said.contains("cannot be read"), "{said}");
}

/// A server of each transport that wants something of each person.
const PERSONS: &str = r#"{
  "mcpServers": {
    "web": { "url": "https://mcp.example/mcp", "headers": { "Authorization": "Bearer ${input:token}", "X-Team": "${TEAM}" } },
    "git": { "command": "sh", "env": { "WHO": "${input:name}/${TEAM}/${input:token}", "PLAIN": "1" } },
    "all": { "command": "sh" }
  },
  "inputs": [
    { "type": "promptString", "id": "name", "description": " Your name " },
    { "type": "promptString", "id": "token", "description": "A token", "password": true },
    { "type": "promptString", "id": "of-others" }
  ]
}"#;

#[test]
fn what_each_person_gives_is_put_in_where_the_file_says() {
    let all = servers(PERSONS, &[("TEAM", "t")]);
    let [shared, git, web] = &all[..] else {
        panic!("{all:?}")
    };
    assert!(!shared.is_persons() && git.is_persons() && web.is_persons());
    let asked = |server: &ToolServer| -> Vec<_> {
        let inputs = server.inputs();
        inputs
            .map(|input| (input.id.clone(), input.description.clone(), input.password))
            .collect()
    };
    let token = ("token".to_owned(), Some("A token".to_owned()), true);
    assert_eq!(
        asked(git),
        [("name".to_owned(), Some("Your name".to_owned()), false), token.clone()]
    );
    assert_eq!(asked(web), [token]);
    let given = [("name", "anna"), ("token", "s3cr3t")];
    let given: BTreeMap<_, _> = given
        .map(|(input, value)| (input.to_owned(), Secret(value.to_owned())))
        .into();
    let pairs = |server: &ToolServer| {
        let filled = server.filled(&given).expect("all is given");
        assert!(filled.has_own() && !filled.is_persons());
        assert!(!format!("{filled:?}").contains("s3cr3t"), "{filled:?}");
        let (ToolTransport::Program { env: pairs, .. } | ToolTransport::Http { headers: pairs, .. }) = filled.transport;
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={}", value.0));
        pairs.collect::<Vec<_>>()
    };
    assert_eq!(pairs(git), ["PLAIN=1", "WHO=anna/t/s3cr3t"]);
    assert_eq!(pairs(web), ["X-Team=t", "Authorization=Bearer s3cr3t"]);
    assert_eq!(git.filled(&BTreeMap::new()), None);
    // What was given for one place is not for another of the same name.
    assert_eq!(
        (git.place().as_str(), web.place().as_str()),
        ("stdio sh", "http https://mcp.example")
    );
    for (value, of_web, of_git) in [
        ("s3cr3t", true, true),
        ("", false, false),
        ("  ", false, false),
        ("two\nlines", false, false),
        ("ключ", false, true),
        ("a\0b", false, false),
        (&"x".repeat(4097), false, false),
    ] {
        assert_eq!((web.takes(value), git.takes(value)), (of_web, of_git), "{value:?}");
    }
}

#[test]
fn what_is_wrong_with_inputs_is_told() {
    let said = faults(
        r#"{
  "inputs": [
    { "type": "promptString", "id": "token" },
    { "type": "pickString", "id": "choice", "options": ["a"] },
    { "type": "promptString", "id": "token" },
    { "id": "no-type" },
    { "type": "promptString" },
    { "type": "promptString", "id": "a b", "password": "yes", "default": "s3cr3t" },
    7
  ],
  "mcpServers": {
    "a": { "command": "sh", "args": ["--token=${input:token}"] },
    "b": { "command": "sh", "env": { "A": "${input:tokn}" } },
    "c": { "url": "http://x/${input:token}" },
    "d": { "url": "http://x", "headers": { "X": "${input:token:-s3cr3t}" } },
    "e": { "url": "http://x", "headers": { "X": "\u0007 ${input:token}" } }
  }
}"#,
    );
    let expected = [
        (4, "inputs[1]: type", "allowed is promptString"),
        (4, "inputs[1]: options", "there is no such key"),
        (5, "inputs[2]: id", "there is an input token above"),
        (6, "inputs[3]", "\"type\": \"promptString\""),
        (7, "inputs[4]", "this needs an id"),
        (8, "inputs[5]: id", "letters, digits"),
        (8, "inputs[5]: password", "true or false"),
        (8, "inputs[5]: default", "each person gives their own"),
        (9, "inputs[6]", "an object is needed"),
        (12, "a: args[0]", "belongs into env or headers"),
        (13, "b: env.A", "there is no input tokn"),
        (14, "c: url", "belongs into env or headers"),
        (15, "d: headers.X", "each person gives their own"),
        (16, "e: headers.X", "visible ASCII"),
    ];
    are_told(&said, &expected);
}
