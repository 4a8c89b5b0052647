//! The lists, as HTML. `public/sources.js` sends their forms.

use anteroom::{
    language::Words,
    say, text,
    tools::{Argument, Prompt, Resource, Resources, Template, ToolError},
};
use leptos::prelude::*;

use super::VARIABLE;

/// A list, or that there is nothing.
fn list(nothing: String, rows: Vec<AnyView>) -> String {
    if rows.is_empty() {
        return html(|| view! { <p class="quiet">{nothing}</p> }.into_any());
    }
    html(|| view! { <ul>{rows}</ul> }.into_any())
}

fn html(view: impl FnOnce() -> AnyView) -> String {
    // What leptos would find its way by in the browser, where it has no hand in this.
    Owner::new().with(|| view().to_html()).replace("<!>", "")
}

/// Where it is said how far it is.
fn said(words: &Words, server: &str) -> AnyView {
    let waits = say!(words, "sources-waits", server = server);
    view! { <p class="source-said" role="status" data-waits=waits></p> }.into_any()
}

/// What something is called, and what it is.
fn named(name: String, about: String) -> AnyView {
    let about = (!about.is_empty()).then(|| view! { <small dir="auto">{about}</small> });
    view! {
        <span class="source-name" dir="auto">{name}</span>
        {about}
    }
    .into_any()
}

fn hidden(name: &'static str, value: String) -> AnyView {
    view! { <input type="hidden" name=name value=value /> }.into_any()
}

/// One that is had at a press.
fn at_once(words: &Words, server: &str, key: AnyView, name: AnyView) -> AnyView {
    view! {
        <li>
            <form>
                {key}
                <button class="prompt-use" type="submit">{name}</button>
                {said(words, server)}
            </form>
        </li>
    }
    .into_any()
}

/// One of which something has to be said first.
fn asks(
    words: &Words,
    server: &str,
    name: AnyView,
    key: AnyView,
    fields: Vec<AnyView>,
    press: &'static str,
) -> AnyView {
    view! {
        <li>
            <details>
                <summary>{name}</summary>
                <form>
                    {key}
                    {fields}
                    <button class="button" type="submit">{press}</button>
                    {said(words, server)}
                </form>
            </details>
        </li>
    }
    .into_any()
}

/// Something to fill in.
fn field(label: String, about: String, key: &str, required: bool) -> AnyView {
    let about = (!about.is_empty()).then(|| view! { <small dir="auto">{about}</small> });
    view! {
        <label>
            <span dir="auto">{label}</span>
            {about}
            <input type="text" dir="auto" name=format!("{VARIABLE}{key}") required=required autocomplete="off" />
        </label>
    }
    .into_any()
}

/// What is to be seen of a resource before it is read.
fn facts(words: &Words, resource: &Resource) -> String {
    let size = resource.size.map(|size| words.size(size));
    let parts = [Some(resource.about.clone()), Some(resource.mime.clone()), size];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// The resources of a server.
pub(super) fn resources(words: &'static Words, server: &str, all: &Resources) -> String {
    let listed = all.listed.iter().map(|resource| {
        let name = named(resource.name.clone(), facts(words, resource));
        at_once(words, server, hidden("uri", resource.uri.clone()), name)
    });
    let templates = all.templates.iter().map(|template| {
        let Template {
            uri,
            name,
            about,
            variables,
            ..
        } = template.clone();
        let fields = variables
            .into_iter()
            .map(|name| field(name.clone(), String::new(), &name, true));
        let (fields, press) = (fields.collect(), text!(words, "sources-attach"));
        asks(
            words,
            server,
            named(name, about),
            hidden("template", uri),
            fields,
            press,
        )
    });
    let rows = listed.chain(templates).collect();
    list(say!(words, "sources-no-resources", server = server), rows)
}

/// The prompts of a server.
pub(super) fn prompts(words: &'static Words, server: &str, all: &[Prompt]) -> String {
    let rows = all.iter().map(|prompt| {
        let Prompt {
            key,
            name,
            about,
            arguments,
        } = prompt.clone();
        let (key, name) = (hidden("name", key), named(name, about));
        if arguments.is_empty() {
            return at_once(words, server, key, name);
        }
        let fields = arguments.into_iter().map(|argument| {
            let Argument {
                key,
                name,
                about,
                required,
            } = argument;
            let label = match required {
                true => name,
                false => say!(words, "sources-optional", name = name),
            };
            field(label, about, &key, required)
        });
        asks(words, server, name, key, fields.collect(), text!(words, "sources-use"))
    });
    list(say!(words, "sources-no-prompts", server = server), rows.collect())
}

/// Why there is nothing.
pub(super) fn failed(words: &Words, server: &str, error: &ToolError) -> String {
    let more = match error {
        ToolError::Unreachable(trouble) => say!(words, "tool-servers-trouble", trouble = trouble.code()),
        ToolError::BadArguments(said) | ToolError::Refused(said) => said.clone(),
        _ => String::new(),
    };
    say!(
        words,
        "sources-failed",
        why = error.code(),
        server = server,
        more = more
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use anteroom::{language::Language, tools::Trouble};

    use super::*;

    fn argument(name: &str, required: bool) -> Argument {
        Argument {
            key: name.to_owned(),
            name: name.to_owned(),
            about: String::new(),
            required,
        }
    }

    #[test]
    fn what_a_server_says_is_text_and_never_markup() {
        let nasty = "\"><script>alert(1)</script>".to_owned();
        let prompt = Prompt {
            key: nasty.clone(),
            name: nasty.clone(),
            about: nasty.clone(),
            arguments: vec![argument(&nasty, true)],
        };
        let html = prompts(Words::of(Language::English), &nasty, &[prompt]);
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
        assert!(!html.contains("<!"), "{html}");
    }

    #[test]
    fn a_prompt_asks_for_its_arguments_and_one_without_any_for_nothing() {
        let prompt = |arguments| Prompt {
            key: "review".to_owned(),
            name: "Review".to_owned(),
            about: "Looks at code".to_owned(),
            arguments,
        };
        let words = Words::of(Language::English);
        let asks = prompts(
            words,
            "s",
            &[prompt(vec![argument("lang", true), argument("style", false)])],
        );
        for part in [
            "name=\"with.lang\" required",
            "style (optional)",
            "Put into the message",
            "value=\"review\"",
        ] {
            assert!(asks.contains(part), "{part}: {asks}");
        }
        let plain = prompts(words, "s", &[prompt(Vec::new())]);
        assert!(
            !plain.contains("<details") && plain.contains("Looks at code"),
            "{plain}"
        );
        assert!(prompts(words, "s", &[]).contains("s has no prompts"));
        assert!(resources(words, "s", &Resources::default()).contains("s has nothing to attach"));
    }

    #[test]
    fn each_failure_has_a_sentence_of_its_own() {
        let all = [
            ToolError::NotThere,
            ToolError::Unreachable(Trouble::NoAnswer),
            ToolError::Died,
            ToolError::TimedOut { seconds: 1 },
            ToolError::TooLarge { bytes: 1 },
            ToolError::BadArguments("no such id".to_owned()),
            ToolError::Refused("not today".to_owned()),
            ToolError::WantsInput,
            ToolError::Protocol("x".to_owned()),
        ];
        for language in Language::ALL {
            let said: HashSet<_> = all
                .iter()
                .map(|error| failed(Words::of(language), "files", error))
                .collect();
            assert_eq!(said.len(), all.len(), "{said:?}");
            assert!(said.iter().all(|sentence| sentence.contains("files")), "{said:?}");
        }
        let said = failed(Words::of(Language::English), "files", &all[1]);
        assert_eq!(said, "files cannot be reached: nothing answers at its address.");
    }
}
