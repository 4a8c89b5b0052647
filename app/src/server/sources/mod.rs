//! What servers of tools have for people: the page's script asks here for the lists, which are drawn for it, for a resource, which it hands to
//! the composer as a file, and for the text of a prompt. A refusal is a sentence.

mod draw;

use std::{collections::BTreeMap, sync::Arc};

use anteroom::{
    accounts::Principal,
    engine::Engine,
    http::{NoCookie, status},
    language::{Language, Words},
    say,
    tools::{Attachment, PromptText, ToolError, Wanted},
};
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, State},
    http::{Extensions, HeaderName, HeaderValue, header},
    response::{Html, IntoResponse as _, Response},
    routing::post,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing::{info, warn};

/// Most bytes of a request.
const MOST: usize = 256 * 1024;
/// What a resource is called, percent-encoded.
const NAME: HeaderName = HeaderName::from_static("x-file-name");
/// What the names of fields begin with that stand in place of a template's variables, and that are a prompt's arguments.
const VARIABLE: &str = "with.";

type Fields = Form<Vec<(String, String)>>;

/// What the page's script asks at.
pub(super) fn doors<S: Clone + Send + Sync + 'static>(engine: &Arc<Engine>) -> Router<S> {
    Router::new()
        .route("/sources/resources", post(resources))
        .route("/sources/resource", post(resource))
        .route("/sources/prompts", post(prompts))
        .route("/sources/prompt", post(prompt))
        .layer(DefaultBodyLimit::max(MOST))
        .with_state(Arc::clone(engine))
}

/// Who asks, in which language, and what.
struct Asked {
    who: Principal,
    words: &'static Words,
    fields: Vec<(String, String)>,
}

impl Asked {
    fn new(request: &Extensions, Form(fields): Fields) -> Result<Self, NoCookie> {
        let who = request.get::<Principal>().copied();
        Ok(Self {
            who: who.ok_or(NoCookie)?,
            words: Words::of(request.get::<Language>().copied().unwrap_or_default()),
            fields,
        })
    }

    /// A field's value; empty: there is no such field.
    fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    fn server(&self) -> &str {
        self.field("server")
    }

    /// What was filled in.
    fn values(&self) -> BTreeMap<String, String> {
        let filled = self.fields.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(VARIABLE)?;
            (!value.trim().is_empty()).then(|| (name.to_owned(), value.clone()))
        });
        filled.collect()
    }

    /// Why there is nothing, as a sentence.
    fn refusal(&self, error: &ToolError) -> Response {
        let (code, server) = (error.code(), self.server());
        warn!(
            code,
            server, "a server of tools has not given what somebody asked for: {error}"
        );
        (status::of_tool(error), draw::failed(self.words, server, error)).into_response()
    }
}

async fn resources(
    State(engine): State<Arc<Engine>>,
    request: Extensions,
    fields: Fields,
) -> Result<Response, Response> {
    let asked = Asked::new(&request, fields).map_err(NoCookie::into_response)?;
    let who = engine.asker(asked.who).await;
    let listed = engine.tools().resources(asked.server(), &who).await;
    let listed = listed.map_err(|error| asked.refusal(&error))?;
    Ok(Html(draw::resources(asked.words, asked.server(), &listed)).into_response())
}

async fn prompts(State(engine): State<Arc<Engine>>, request: Extensions, fields: Fields) -> Result<Response, Response> {
    let asked = Asked::new(&request, fields).map_err(NoCookie::into_response)?;
    let who = engine.asker(asked.who).await;
    let listed = engine.tools().prompts(asked.server(), &who).await;
    let listed = listed.map_err(|error| asked.refusal(&error))?;
    Ok(Html(draw::prompts(asked.words, asked.server(), &listed)).into_response())
}

async fn resource(
    State(engine): State<Arc<Engine>>,
    request: Extensions,
    fields: Fields,
) -> Result<Response, Response> {
    let asked = Asked::new(&request, fields).map_err(NoCookie::into_response)?;
    let wanted = match asked.field("template") {
        "" => Wanted::Listed(asked.field("uri").to_owned()),
        template => Wanted::Filled {
            template: template.to_owned(),
            values: asked.values(),
        },
    };
    let who = engine.asker(asked.who).await;
    let read = engine.tools().read(asked.server(), &wanted, &who).await;
    let Attachment { name, content } = read.map_err(|error| asked.refusal(&error))?;
    info!(server = asked.server(), bytes = content.len(), "a resource is attached");
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
    let mut response = content.into_response();
    let headers = response.headers_mut();
    // Whatever it holds, it is never a page.
    for (header, value) in [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ] {
        headers.insert(header, value);
    }
    headers.extend(HeaderValue::try_from(name).ok().map(|name| (NAME, name)));
    Ok(response)
}

async fn prompt(State(engine): State<Arc<Engine>>, request: Extensions, fields: Fields) -> Result<Response, Response> {
    let asked = Asked::new(&request, fields).map_err(NoCookie::into_response)?;
    let (server, name) = (asked.server(), asked.field("name"));
    let who = engine.asker(asked.who).await;
    let said = engine.tools().prompt(server, name, asked.values(), &who).await;
    let said = said.map_err(|error| asked.refusal(&error))?;
    info!(server, bytes = said.text.len(), "a prompt is put into a message");
    Ok(whole(asked.words, said).into_response())
}

/// The text of a prompt, and what is not there of it.
fn whole(
    words: &Words,
    PromptText {
        mut text,
        left_out,
        cut,
    }: PromptText,
) -> String {
    for (is_so, note) in [
        (left_out > 0, say!(words, "sources-left-out")),
        (cut, say!(words, "sources-cut")),
    ] {
        if is_so {
            let between = if text.is_empty() { "" } else { "\n\n" };
            text.push_str(between);
            text.push_str(&note);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_of_a_prompt_is_said() {
        let words = Words::of(Language::English);
        let said = |text: &str, left_out, cut| {
            let text = text.to_owned();
            whole(words, PromptText { text, left_out, cut })
        };
        assert_eq!(said("a", 0, false), "a");
        assert_eq!(said("a", 2, false), "a\n\n[Left out: what is no text]");
        assert_eq!(said("", 1, false), "[Left out: what is no text]");
        assert_eq!(said("a", 0, true), "a\n\n[Cut: it is longer than a message may be]");
    }
}
