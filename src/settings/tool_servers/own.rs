//! What each person gives of their own for a server: a key, in place of one that all would share.
//!
//! The file asks for it as editors do that read such files: `inputs` describe what is asked for, and `${input:id}` says where it goes.

use std::collections::BTreeMap;

use reqwest::header::HeaderValue;

use super::{
    super::{Secret, backends::Reader, gather::printable},
    Json, ToolServer, ToolTransport,
    entry::is_plain_name,
};

/// Most inputs of the file.
const MOST: usize = 100;
/// Longest value that somebody may give, in bytes.
pub const LONGEST_OWN_VALUE: usize = 4096;
/// Most characters of what an input is called.
const LONGEST_DESCRIPTION: usize = 200;
const KEYS: [&str; 4] = ["type", "id", "description", "password"];
/// The kind of input that is known here.
const PROMPT: &str = "promptString";

/// Something that each person gives of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnInput {
    /// Its name in the file.
    pub id: String,
    /// What people should read beside it, in the words of the operator.
    pub description: Option<String>,
    /// Whether it is hidden while it is typed.
    pub password: bool,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// What stands in the file.
    Text(Secret),
    /// What somebody has given, by the name of the input.
    Input(String),
}

/// What a server asks each person for, and where it goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnValues {
    /// All of it, in the order of the file.
    pub inputs: Vec<OwnInput>,
    /// Variables of the environment, or headers.
    places: Vec<(String, Vec<Piece>)>,
    /// What somebody has given was put in.
    filled: bool,
}

impl OwnValues {
    pub(super) fn new(known: &[OwnInput], places: Vec<(String, Vec<Piece>)>) -> Self {
        let named = |id: &str| {
            let mut pieces = places.iter().flat_map(|(_, pieces)| pieces);
            pieces.any(|piece| matches!(piece, Piece::Input(input) if input == id))
        };
        Self {
            inputs: known.iter().filter(|input| named(&input.id)).cloned().collect(),
            places,
            filled: false,
        }
    }
}

impl ToolServer {
    /// Whether each person has a connection of their own to it, with what they give.
    #[must_use]
    pub const fn is_persons(&self) -> bool {
        !self.own.inputs.is_empty()
    }

    /// What each person is asked for.
    pub fn inputs(&self) -> impl Iterator<Item = &OwnInput> {
        self.own.inputs.iter()
    }

    /// Whether it is one person's own, with what that one has given.
    #[must_use]
    pub const fn has_own(&self) -> bool {
        self.own.filled
    }

    /// The same server with what one person has given, by the names of its inputs. `None`: something of it is missing.
    #[must_use]
    pub fn filled(&self, given: &BTreeMap<String, Secret>) -> Option<Self> {
        let mut server = self.clone();
        let own = std::mem::take(&mut server.own);
        let (ToolTransport::Program { env: places, .. } | ToolTransport::Http { headers: places, .. }) =
            &mut server.transport;
        for (name, pieces) in own.places {
            let pieces = pieces.into_iter().map(|piece| match piece {
                Piece::Text(text) => Some(text.0),
                Piece::Input(input) => given.get(&input).map(|value| value.0.clone()),
            });
            places.push((name, Secret(pieces.collect::<Option<String>>()?)));
        }
        server.own.filled = true;
        Some(server)
    }

    /// Whether a person may give this: it is not empty or too long, and can be sent to where it goes.
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        let fits = match &self.transport {
            ToolTransport::Program { .. } => !value.chars().any(char::is_control),
            ToolTransport::Http { .. } => value.is_ascii() && HeaderValue::from_str(value).is_ok(),
        };
        !value.trim().is_empty() && value.len() <= LONGEST_OWN_VALUE && fits
    }

    /// Where what somebody gives for it is sent: the site at its address, or its program. What was given for one place is not for another that
    /// has the same name later.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.transport {
            ToolTransport::Program { command, .. } => format!("stdio {command}"),
            ToolTransport::Http { url, .. } => {
                let origin = reqwest::Url::parse(&url.0).map(|url| url.origin().ascii_serialization());
                format!("http {}", origin.unwrap_or_default())
            }
        }
    }
}

/// Reads what the file asks for.
pub(super) fn inputs(json: Json<'_>, text: &str, reader: &mut Reader<'_>) -> Vec<OwnInput> {
    let line = |reader: &Reader<'_>, json: Json<'_>| reader.line(json.span(text));
    let at = line(reader, json);
    let Some(list) = json.list() else {
        reader.fault(at, "inputs", "a list is needed, with an object for each input");
        return Vec::new();
    };
    if list.len() > MOST {
        reader.fault(at, "inputs", format!("there are {}, and may be {MOST}", list.len()));
    }
    let mut all: Vec<OwnInput> = Vec::new();
    for (nth, item) in list.into_iter().enumerate() {
        let at = line(reader, item);
        let title = format!("inputs[{nth}]");
        let Some(object) = item.object() else {
            reader.fault(at, &title, "an object is needed, with a type and an id");
            continue;
        };
        let (mut id, mut kind) = (None, None);
        let (mut description, mut password) = (None, false);
        for (key, value) in object.iter() {
            let at = line(reader, *value);
            let subject = format!("{title}: {key}");
            match key.as_str() {
                "type" => {
                    kind = Some(());
                    if value.string().as_deref() != Some(PROMPT) {
                        reader.fault(at, &subject, format!("allowed is {PROMPT}"));
                    }
                }
                "id" => match value.string().filter(|id| is_plain_name(id)) {
                    Some(name) => id = Some(name),
                    None => reader.fault(at, &subject, "an input's id has up to 64 letters, digits, - and _"),
                },
                "description" => match value.string() {
                    Some(words) => {
                        let words: String = words.trim().chars().take(LONGEST_DESCRIPTION).collect();
                        description = Some(words).filter(|words| !words.is_empty());
                    }
                    None => reader.fault(at, &subject, "a text is needed"),
                },
                "password" => match value.switch() {
                    Some(hidden) => password = hidden,
                    None => reader.fault(at, &subject, "true or false is needed"),
                },
                "default" => reader.fault(
                    at,
                    &subject,
                    "each person gives their own here: there is no other value",
                ),
                other => reader.unknown(at, &title, other, KEYS.into_iter()),
            }
        }
        match id {
            _ if kind.is_none() => reader.fault(at, &title, format!("this needs \"type\": \"{PROMPT}\"")),
            None => {
                if !object.iter().any(|(key, _)| key == "id") {
                    reader.fault(at, &title, "this needs an id");
                }
            }
            Some(id) if all.iter().any(|other| other.id == id) => {
                let subject = format!("{title}: id");
                reader.fault(at, &subject, format!("there is an input {} above", printable(&id)));
            }
            Some(id) => all.push(OwnInput {
                id,
                description,
                password,
            }),
        }
    }
    all
}
