//! What a server lists, as people are shown it.

use rmcp::model as protocol;

use super::{Wanted, clean, template};

/// Most entries of a list. Nobody finds anything among more.
pub(super) const MOST: usize = 200;
/// Most characters of what something is called.
const LONGEST_NAME: usize = 100;
/// Most characters of what is said of it.
const LONGEST_ABOUT: usize = 300;
/// Most bytes of an address, or of the name by which a server knows something.
const LONGEST_KEY: usize = 8_000;
/// Most arguments of a prompt: each is a field to fill in.
const MOST_ARGUMENTS: usize = 16;

/// The resources of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Those that are there.
    pub listed: Vec<Resource>,
    /// Those of which something has to be said first.
    pub templates: Vec<Template>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its address, which its server understands.
    pub uri: String,
    /// What people call it.
    pub name: String,
    /// What it is; may be empty.
    pub about: String,
    /// Its MIME type, as its server says; may be empty.
    pub mime: String,
    /// Its size in bytes, likewise.
    pub size: Option<u64>,
    /// What the server itself calls it, for the name of the file.
    file: String,
}

/// Resources whose address has variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The address.
    pub uri: String,
    /// What people call it.
    pub name: String,
    /// What it is; may be empty.
    pub about: String,
    /// The names of the variables.
    pub variables: Vec<String>,
    file: String,
}

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The name by which its server knows it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub about: String,
    /// What has to be said, or may be.
    pub arguments: Vec<Argument>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The name by which its server knows it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it is; may be empty.
    pub about: String,
    /// The prompt cannot do without it.
    pub required: bool,
}

/// What people call something: by its title, where it has one.
fn called(title: Option<&str>, name: &str) -> String {
    let title = title.map(|title| clean::line(title, LONGEST_NAME));
    let named = title.filter(|title| !title.is_empty());
    named.unwrap_or_else(|| clean::line(name, LONGEST_NAME))
}

fn about(text: Option<&str>, name: &str) -> String {
    let about = clean::line(text.unwrap_or_default(), LONGEST_ABOUT);
    // Some servers say the same twice.
    if about == name { String::new() } else { about }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= LONGEST_KEY
}

impl Resources {
    pub(super) fn new(listed: Vec<protocol::Resource>, templates: Vec<protocol::ResourceTemplate>) -> Self {
        let listed = listed.into_iter().filter(|one| is_key(&one.uri)).take(MOST);
        let listed = listed.map(|one| {
            let name = called(one.title.as_deref(), &one.name);
            let name = if name.is_empty() {
                clean::line(&one.uri, LONGEST_NAME)
            } else {
                name
            };
            Resource {
                about: about(one.description.as_deref(), &name),
                mime: clean::line(one.mime_type.as_deref().unwrap_or_default(), LONGEST_NAME),
                size: one.size,
                file: one.name,
                uri: one.uri,
                name,
            }
        });
        let templates = templates.into_iter().filter(|one| is_key(&one.uri_template)).take(MOST);
        let templates = templates.filter_map(|one| {
            let name = called(one.title.as_deref(), &one.name);
            let name = if name.is_empty() {
                clean::line(&one.uri_template, LONGEST_NAME)
            } else {
                name
            };
            Some(Template {
                variables: template::variables(&one.uri_template)?,
                about: about(one.description.as_deref(), &name),
                file: one.name,
                uri: one.uri_template,
                name,
            })
        });
        Self {
            listed: listed.collect(),
            templates: templates.collect(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.templates.is_empty()
    }

    /// The address of what is wanted, and what its server calls it; `None`: it is not listed.
    pub(super) fn address(&self, wanted: &Wanted) -> Option<(String, String)> {
        match wanted {
            Wanted::Listed(uri) => {
                let found = self.listed.iter().find(|one| one.uri == *uri)?;
                Some((uri.clone(), found.file.clone()))
            }
            Wanted::Filled { template, values } => {
                let found = self.templates.iter().find(|one| one.uri == *template)?;
                Some((template::filled(template, values)?, found.file.clone()))
            }
        }
    }
}

pub(super) fn prompts(listed: Vec<protocol::Prompt>) -> Vec<Prompt> {
    let listed = listed.into_iter().filter(|one| is_key(&one.name)).take(MOST);
    let listed = listed.filter_map(|one| {
        let name = called(one.title.as_deref(), &one.name);
        let arguments = one.arguments.unwrap_or_default();
        // One that cannot be filled in cannot be had.
        let fits = arguments.len() <= MOST_ARGUMENTS && arguments.iter().all(|one| is_key(&one.name));
        let arguments = arguments.into_iter().map(|one| {
            let name = called(one.title.as_deref(), &one.name);
            Argument {
                about: about(one.description.as_deref(), &name),
                required: one.required.unwrap_or(false),
                key: one.name,
                name,
            }
        });
        fits.then(|| Prompt {
            about: about(one.description.as_deref(), &name),
            arguments: arguments.collect(),
            key: one.name.clone(),
            name,
        })
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn resource(value: Value) -> protocol::Resource {
        from_value(value).expect("one")
    }

    #[test]
    fn what_is_listed_is_cleaned_short_and_bounded() {
        let long = "x".repeat(1000);
        let all = vec![
            resource(
                json!({ "uri": "a://1", "name": "one\u{202E}.md\n", "title": " ", "description": long, "size": 7 }),
            ),
            resource(json!({ "uri": "", "name": "none" })),
            resource(json!({ "uri": "a://2", "name": "", "mimeType": "text/plain\u{0}" })),
        ];
        let listed = Resources::new(all, Vec::new()).listed;
        let [one, two] = &listed[..] else { panic!("{listed:?}") };
        assert_eq!((one.name.as_str(), one.size), ("one.md", Some(7)));
        assert_eq!(one.about.chars().count(), LONGEST_ABOUT + 1);
        assert_eq!((two.name.as_str(), two.mime.as_str()), ("a://2", "text/plain"));
        let many = vec![resource(json!({ "uri": "a://1", "name": "one" })); MOST + 5];
        assert_eq!(Resources::new(many, Vec::new()).listed.len(), MOST);
    }

    #[test]
    fn only_what_is_listed_has_an_address() {
        let templates = json!([
            { "uriTemplate": "a://{id}", "name": "by id" },
            { "uriTemplate": "a://{?id}", "name": "not simple" },
        ]);
        let listed = vec![resource(
            json!({ "uri": "a://1", "name": "one.md", "title": "The first" }),
        )];
        let all = Resources::new(listed, from_value(templates).expect("two"));
        assert_eq!(all.templates.len(), 1);
        let address = |wanted| all.address(&wanted).map(|(uri, _)| uri);
        let filled = |template: &str| Wanted::Filled {
            template: template.to_owned(),
            values: [("id".to_owned(), "/etc".to_owned())].into(),
        };
        assert_eq!(address(Wanted::Listed("a://1".to_owned())).as_deref(), Some("a://1"));
        assert_eq!(address(Wanted::Listed("file:///etc/passwd".to_owned())), None);
        assert_eq!(address(filled("a://{id}")).as_deref(), Some("a://%2Fetc"));
        assert_eq!(address(filled("file://{id}")), None);
    }

    #[test]
    fn prompts_that_nobody_could_fill_in_are_left_out() {
        let argument = |n: usize| json!({ "name": format!("a{n}") });
        let many: Vec<_> = (0..=MOST_ARGUMENTS).map(argument).collect();
        let listed = json!([
            { "name": "plain", "description": "plain" },
            { "name": "asks", "title": "It asks", "arguments": [{ "name": "x", "required": true, "description": "X" }] },
            { "name": "many", "arguments": many },
        ]);
        let all = prompts(from_value(listed).expect("three"));
        let names: Vec<_> = all.iter().map(|one| (one.key.as_str(), one.name.as_str())).collect();
        assert_eq!(names, [("plain", "plain"), ("asks", "It asks")]);
        assert_eq!(all[0].about, "");
        assert!(all[1].arguments[0].required);
    }
}
