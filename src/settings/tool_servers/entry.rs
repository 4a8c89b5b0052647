//! One server of the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use super::{
    super::{
        Secret,
        backends::Reader,
        gather::printable,
        kinds::{Kind as _, PlainWord},
    },
    Leave, LeaveRules, ToolServer, ToolTransport, command,
    json::Json,
    own::{OwnInput, OwnValues, Piece},
};

/// The keys that other clients know, then Anteroom's own.
const KEYS: [&str; 16] = [
    "command",
    "args",
    "env",
    "cwd",
    "url",
    "headers",
    "type",
    "limit",
    "timeout",
    "connect_timeout",
    "idle",
    "leave",
    "disabled",
    "tools",
    "resources",
    "prompts",
];

/// Headers that the transport sets itself.
const RESERVED: [&str; 7] = [
    "accept",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// Reads one entry, and collects what is wrong with it.
pub(super) struct Entry<'e, 't> {
    pub(super) name: &'e str,
    pub(super) text: &'e str,
    pub(super) reader: &'e mut Reader<'t>,
    pub(super) variable: &'e dyn Fn(&str) -> Option<String>,
    pub(super) variables: &'e mut Vec<String>,
    /// What each person may be asked for.
    pub(super) inputs: &'e [OwnInput],
}

/// Names with a text each, and those of them that have something of each person's own in it.
type Pairs = (Vec<(String, Secret)>, Vec<(String, Vec<Piece>)>);

/// What is written, as far as it could be read.
#[derive(Default)]
struct Written {
    command: Option<(usize, String)>,
    /// The command as it stands in the file: what a variable in it stands for may be a key.
    named: String,
    args: Vec<Secret>,
    env: Vec<(String, Secret)>,
    cwd: Option<(usize, PathBuf)>,
    url: Option<(usize, String)>,
    headers: Vec<(String, Secret)>,
    /// Variables or headers with something of each person's own in them.
    own: Vec<(String, Vec<Piece>)>,
    kind: Option<(usize, String)>,
    limit: Option<usize>,
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    idle: Option<Duration>,
    leave: LeaveRules,
    disabled: bool,
    only: Option<BTreeSet<String>>,
    resources: Option<bool>,
    prompts: Option<bool>,
    /// Which keys there are, readable or not.
    keys: Vec<(String, usize)>,
}

impl Entry<'_, '_> {
    /// `None`: it is disabled, or something is wrong with it, which has been said.
    pub(super) fn read(&mut self, json: Json<'_>) -> Option<ToolServer> {
        let at = self.line(json);
        if !is_plain_name(self.name) {
            let subject = printable(self.name);
            self.reader
                .fault(at, &subject, "a server's name has up to 64 letters, digits, - and _");
            return None;
        }
        let Some(object) = json.object() else {
            self.reader
                .fault(at, self.name, "an object is needed, with a command or a url");
            return None;
        };
        let mut written = Written::default();
        for (key, value) in object.iter() {
            self.key(key, *value, &mut written);
        }
        let transport = self.transport(at, &mut written);
        (!written.disabled).then_some(())?;
        Some(ToolServer {
            name: self.name.to_owned(),
            transport: transport?,
            limit: written.limit,
            timeout: written.timeout.unwrap_or(Duration::from_secs(60)),
            connect_timeout: written.connect_timeout.unwrap_or(Duration::from_secs(30)),
            idle: written.idle.unwrap_or(Duration::from_secs(600)),
            leave: written.leave,
            only: written.only,
            own: OwnValues::new(self.inputs, written.own),
            resources: written.resources.unwrap_or(true),
            prompts: written.prompts.unwrap_or(true),
        })
    }

    fn key(&mut self, key: &str, value: Json<'_>, written: &mut Written) {
        let at = self.line(value);
        if written.keys.iter().any(|(other, _)| other == key) {
            self.fault(at, key, "this key stands twice");
            return;
        }
        // As if nothing were written.
        if value.is_null() && KEYS.contains(&key) {
            return;
        }
        written.keys.push((key.to_owned(), at));
        match key {
            "command" => {
                written.named = value.string().unwrap_or_default();
                written.command = self.words(key, value).map(|command| (at, command));
            }
            "args" => written.args = self.texts(key, value).into_iter().map(Secret).collect(),
            "env" => (written.env, written.own) = self.pairs(key, value, env_name),
            "cwd" => written.cwd = self.words(key, value).map(|cwd| (at, cwd.into())),
            "url" => written.url = self.words(key, value).map(|url| (at, url)),
            "headers" => {
                let (headers, own) = self.pairs(key, value, header_name);
                let is_unfit = |text: &Secret| HeaderValue::from_str(&text.0).is_err();
                let shared = headers.iter().find(|(_, value)| is_unfit(value)).map(|(name, _)| name);
                let unfit = shared.or_else(|| {
                    let is_unfit = |piece: &Piece| matches!(piece, Piece::Text(text) if is_unfit(text));
                    let mut own = own.iter().filter(|(_, pieces)| pieces.iter().any(is_unfit));
                    own.next().map(|(name, _)| name)
                });
                if let Some(name) = unfit {
                    let key = format!("headers.{name}");
                    self.fault(
                        at,
                        &key,
                        "a header's value has visible ASCII characters and spaces only",
                    );
                }
                (written.headers, written.own) = (headers, own);
            }
            "type" => written.kind = self.words(key, value).map(|kind| (at, kind)),
            "limit" => {
                written.limit = self
                    .number(key, value, 1.0, 1000.0, "a whole number")
                    .map(|limit| limit as usize);
            }
            "timeout" => written.timeout = self.seconds(key, value, 3600.0),
            "connect_timeout" => written.connect_timeout = self.seconds(key, value, 600.0),
            "idle" => written.idle = self.seconds(key, value, 86_400.0),
            "leave" => written.leave = self.leave(key, value),
            "disabled" => written.disabled = self.switch(key, value).unwrap_or_default(),
            "resources" => written.resources = self.switch(key, value),
            "prompts" => written.prompts = self.switch(key, value),
            "tools" => written.only = Some(self.texts(key, value).into_iter().collect()),
            other => self.reader.unknown(at, self.name, other, KEYS.into_iter()),
        }
    }

    /// Where it is, of what is written.
    fn transport(&mut self, at: usize, written: &mut Written) -> Option<ToolTransport> {
        let has = |key: &str| written.keys.iter().any(|(known, _)| known == key);
        match (has("command"), has("url")) {
            (true, true) => {
                self.fault(at, "url", "a server has a command or a url, not both");
                return None;
            }
            (false, false) => {
                self.reader.fault(at, self.name, "this needs a command or a url");
                return None;
            }
            _ => {}
        }
        let over_http = has("url");
        if let Some((at, kind)) = &written.kind {
            let advice = match (kind.as_str(), over_http) {
                ("stdio", false) | ("http" | "streamable-http" | "streamableHttp", true) => None,
                ("sse", _) => Some(
                    "the SSE transport of the first version of the protocol is not spoken; most such servers also have an address for http",
                ),
                ("stdio" | "http" | "streamable-http" | "streamableHttp", _) => {
                    Some("stdio goes with a command, and http with a url")
                }
                _ => Some("allowed is stdio or http"),
            };
            if let Some(advice) = advice {
                self.fault(*at, "type", advice);
            }
        }
        let (wrong, other): (&[&str], _) = if over_http {
            (&["args", "env", "cwd"], "a command")
        } else {
            (&["headers"], "a url")
        };
        for key in wrong {
            if let Some((key, at)) = written.keys.iter().find(|(known, _)| known == key) {
                self.fault(*at, key, &format!("this belongs to a server with {other}"));
            }
        }
        if over_http {
            let (at, url) = written.url.take()?;
            let known = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !known {
                self.fault(at, "url", "an address that begins with http:// or https:// is needed");
                return None;
            }
            return Some(ToolTransport::Http {
                url: Secret(url),
                headers: std::mem::take(&mut written.headers),
            });
        }
        let (at, command) = written.command.take()?;
        let cwd = match written.cwd.take() {
            Some((at, cwd)) if !cwd.is_dir() && !written.disabled => {
                self.fault(at, "cwd", "there is no such folder");
                return None;
            }
            cwd => cwd.map(|(_, cwd)| cwd),
        };
        let path = written.env.iter().find(|(name, _)| name == "PATH");
        let path = path.map(|(_, path)| path.0.as_str());
        if !written.disabled && !command::is_there(&command, path, cwd.as_deref()) {
            let advice = |named: &str| {
                format!("there is no program{named}: install it, give its whole path, or set \"disabled\": true")
            };
            let whole = advice(&format!(" {}", printable(&written.named)));
            let subject = format!("{}: command", self.name);
            self.reader.fault_at_path(at, &subject, whole, &advice(" of this name"));
            return None;
        }
        Some(ToolTransport::Program {
            command,
            args: std::mem::take(&mut written.args),
            env: std::mem::take(&mut written.env),
            cwd,
        })
    }

    fn leave(&mut self, key: &str, value: Json<'_>) -> LeaveRules {
        const ALLOWED: &str = "allowed is \"ask\", \"allow\" or \"deny\", or an object with one of these under the name of each tool, and under \"*\" for all others";
        let mut rules = LeaveRules::default();
        let at = self.line(value);
        if let Some(text) = value.string() {
            rules.otherwise = Leave::parse(&text);
            if rules.otherwise.is_none() {
                self.fault(at, key, ALLOWED);
            }
        } else if let Some(object) = value.object() {
            for (tool, value) in object.iter() {
                match value.string().as_deref().and_then(Leave::parse) {
                    Some(leave) if tool == "*" => rules.otherwise = Some(leave),
                    Some(leave) => {
                        rules.by_tool.insert(tool.clone(), leave);
                    }
                    None => {
                        let at = self.line(*value);
                        self.fault(at, &format!("leave.{}", printable(tool)), ALLOWED);
                    }
                }
            }
        } else {
            self.fault(at, key, ALLOWED);
        }
        rules
    }

    fn switch(&mut self, key: &str, value: Json<'_>) -> Option<bool> {
        let switch = value.switch();
        if switch.is_none() {
            let at = self.line(value);
            self.fault(at, key, "true or false is needed");
        }
        switch
    }

    fn seconds(&mut self, key: &str, value: Json<'_>, most: f64) -> Option<Duration> {
        self.number(key, value, 0.1, most, "seconds, without quotes")
            .map(Duration::from_secs_f64)
    }

    fn number(&mut self, key: &str, value: Json<'_>, least: f64, most: f64, what: &str) -> Option<f64> {
        let number = value.number().filter(|number| (least..=most).contains(number));
        let number = number.filter(|number| key != "limit" || number.fract() == 0.0);
        if number.is_none() {
            let at = self.line(value);
            self.fault(at, key, &format!("allowed is {what}, from {least} to {most}"));
        }
        number
    }

    /// A text that says something.
    fn words(&mut self, key: &str, value: Json<'_>) -> Option<String> {
        let at = self.line(value);
        let text = value.string().filter(|text| !text.trim().is_empty());
        let Some(text) = text else {
            self.fault(at, key, "a text is needed");
            return None;
        };
        self.expanded(at, key, &text)
    }

    fn texts(&mut self, key: &str, value: Json<'_>) -> Vec<String> {
        let at = self.line(value);
        let Some(list) = value.list() else {
            self.fault(at, key, "a list of texts is needed");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (nth, item) in list.into_iter().enumerate() {
            let (at, key) = (self.line(item), format!("{key}[{nth}]"));
            match item.string() {
                Some(text) => texts.extend(self.expanded(at, &key, &text)),
                None => self.fault(at, &key, "a text is needed"),
            }
        }
        texts
    }

    /// Names with a text each. `named` says what is wrong with a name.
    fn pairs(&mut self, key: &str, value: Json<'_>, named: fn(&str) -> Option<&'static str>) -> Pairs {
        let at = self.line(value);
        let Some(object) = value.object() else {
            self.fault(at, key, "an object is needed, with a text under each name");
            return Pairs::default();
        };
        let mut pairs = BTreeMap::new();
        let mut own = BTreeMap::new();
        for (name, value) in object.iter() {
            let (at, key) = (self.line(*value), format!("{key}.{}", printable(name)));
            if let Some(advice) = named(name) {
                self.fault(at, &key, advice);
                continue;
            }
            match value.string() {
                Some(text) => match self.pieces(at, &key, &text) {
                    Some(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Input(_))) => {
                        own.insert(name.clone(), pieces);
                    }
                    Some(pieces) => {
                        pairs.insert(name.clone(), Secret(whole(pieces)));
                    }
                    None => {}
                },
                None => self.fault(at, &key, "a text is needed"),
            }
        }
        (pairs.into_iter().collect(), own.into_iter().collect())
    }

    /// A text that is the same for everybody.
    fn expanded(&mut self, at: usize, key: &str, text: &str) -> Option<String> {
        let pieces = self.pieces(at, key, text)?;
        if pieces.iter().any(|piece| matches!(piece, Piece::Input(_))) {
            self.fault(
                at,
                key,
                "what each person gives of their own belongs into env or headers",
            );
            return None;
        }
        Some(whole(pieces))
    }

    /// With what variables hold in place of `${NAME}`, and of `${NAME:-text}`, which has a text for where there is no such variable. `${input:id}`
    /// is what each person gives.
    fn pieces(&mut self, at: usize, key: &str, text: &str) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut whole = String::with_capacity(text.len());
        let mut rest = text;
        let mut complete = true;
        while let Some((before, after)) = rest.split_once("${") {
            whole.push_str(before);
            let Some((inner, after)) = after.split_once('}') else {
                self.fault(at, key, "a } is missing after ${");
                return None;
            };
            let (name, otherwise) = match inner.split_once(":-") {
                Some((name, otherwise)) => (name, Some(otherwise)),
                None => (inner, None),
            };
            rest = after;
            if let Some(id) = name.strip_prefix("input:") {
                let known = self.inputs.iter().any(|input| input.id == id);
                if let Some(advice) = unfit_input(id, known, otherwise) {
                    self.fault(at, key, &advice);
                    complete = false;
                }
                pieces.push(Piece::Text(Secret(std::mem::take(&mut whole))));
                pieces.push(Piece::Input(id.to_owned()));
                continue;
            }
            self.variables.push(name.to_owned());
            match (self.variable)(name).or_else(|| otherwise.map(str::to_owned)) {
                Some(value) => whole.push_str(&value),
                None => {
                    let advice = format!(
                        "there is no variable {}, in the environment or in .env",
                        printable(name)
                    );
                    self.fault(at, key, &advice);
                    complete = false;
                }
            }
        }
        whole.push_str(rest);
        pieces.push(Piece::Text(Secret(whole)));
        if pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(text) if text.0.contains('\0')))
        {
            self.fault(at, key, "a text cannot have a zero byte in it");
            return None;
        }
        complete.then_some(pieces)
    }

    fn line(&self, json: Json<'_>) -> usize {
        self.reader.line(json.span(self.text))
    }

    fn fault(&mut self, at: usize, key: &str, advice: &str) {
        self.reader.fault(at, &format!("{}: {key}", self.name), advice);
    }
}

/// What is the same for everybody, as one text.
fn whole(pieces: Vec<Piece>) -> String {
    let texts = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => text.0,
        Piece::Input(_) => String::new(),
    });
    texts.collect()
}

fn unfit_input(id: &str, is_known: bool, otherwise: Option<&str>) -> Option<String> {
    if otherwise.is_some() {
        return Some("each person gives their own here: there is no other value".to_owned());
    }
    let advice = || format!("there is no input {}: describe it under \"inputs\"", printable(id));
    (!is_known).then(advice)
}

/// Whether servers and inputs may be called so.
pub(super) fn is_plain_name(name: &str) -> bool {
    PlainWord::parse(name).is_some_and(|name| !name.is_empty())
}

fn env_name(name: &str) -> Option<&'static str> {
    let unfit = name.is_empty() || name.contains(['=', '\0']);
    unfit.then_some("this is no name of a variable")
}

fn header_name(name: &str) -> Option<&'static str> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(name) if RESERVED.contains(&name.as_str()) => Some("this header is set by Anteroom itself"),
        Ok(_) => None,
        Err(_) => Some("this is no name of a header"),
    }
}
