//! `/api/v1`: the API to read and to try, made of its document. It is in English, as the API itself is, and needs nothing from elsewhere.

use std::{fmt, fmt::Write as _, sync::LazyLock};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse},
    routing::get,
};
use serde_json::Value;

const SCRIPT: &str = include_str!("described/try.js");
const STYLE: &str = include_str!("described/page.css");
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(anteroom::http::document()).unwrap_or_default();
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, &document);
    page
});

/// Where the page and its files are.
pub(super) fn router() -> Router {
    Router::new()
        .route(
            "/api/v1",
            get(async || ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE.as_str()))),
        )
        .route(
            "/api/v1/try.js",
            get(async || file("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route("/api/v1/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
}

fn file(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, content)
}

/// Text, with what is code in it as such, and what HTML would read as its own made harmless.
struct Text<'a>(&'a Value);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.as_str().unwrap_or_default().split('`');
        while let Some(plain) = parts.next() {
            escape(f, plain)?;
            if let Some(code) = parts.next() {
                f.write_str("<code>")?;
                escape(f, code)?;
                f.write_str("</code>")?;
            }
        }
        Ok(())
    }
}

fn escape(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    for character in text.chars() {
        match character {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '"' => f.write_str("&quot;")?,
            other => f.write_char(other)?,
        }
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = escape(&mut safe, text);
    safe
}

fn write_page(page: &mut String, document: &Value) -> fmt::Result {
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>API · Anteroom</title><link rel=\"stylesheet\" href=\"/api/v1/page.css\"><script src=\"/api/v1/try.js\" defer></script></head><body>\
         <header><h1>Anteroom’s API</h1><p>{}</p><p><a href=\"/\">To the pages</a> · <a href=\"/api/v1/openapi.json\">The document (OpenAPI)</a></p>\
         <p><label>Key, for what is tried here <input id=\"key\" type=\"password\" autocomplete=\"off\" placeholder=\"none is needed on the server’s own machine\"></label></p>\
         </header><main>",
        Text(&document["info"]["description"])
    )?;
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = tag["name"].as_str().unwrap_or_default();
        write!(page, "<section><h2>{}</h2>", Text(&tag["description"]))?;
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"][0] == name {
                    write_operation(page, document, method, path, operation)?;
                }
            }
        }
        page.push_str("</section>");
    }
    page.push_str("<section><h2>What programs are told at addresses of theirs</h2>");
    for item in document["webhooks"]
        .as_object()
        .into_iter()
        .flat_map(|all| all.values())
    {
        let told = &item["post"];
        write!(page, "<p>{}. {} ", Text(&told["summary"]), Text(&told["description"]))?;
        write_link(
            page,
            &told["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        )?;
        page.push_str("</p>");
    }
    page.push_str("</section><section><h2>What requests and answers are made of</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        write!(
            page,
            "<details id=\"schema-{0}\"><summary><code>{0}</code></summary>",
            escaped(name)
        )?;
        write!(page, "<p>{}</p>", Text(&schema["description"]))?;
        write_fields(page, schema)?;
        page.push_str("</details>");
    }
    page.push_str("</section></main></body></html>\n");
    Ok(())
}

fn write_operation(page: &mut String, document: &Value, method: &str, path: &str, operation: &Value) -> fmt::Result {
    let (verb, path) = (method.to_uppercase(), escaped(path));
    write!(
        page,
        "<details><summary><b>{verb}</b> <code>{path}</code> {}</summary><p>{}</p>",
        Text(&operation["summary"]),
        Text(&operation["description"])
    )?;
    write!(page, "<form data-method=\"{verb}\" data-path=\"{path}\">")?;
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = escaped(parameter["name"].as_str().unwrap_or_default());
        let place = escaped(parameter["in"].as_str().unwrap_or_default());
        let required = if parameter["required"] == true { " required" } else { "" };
        write!(
            page,
            "<p><label><code>{name}</code> ({place}) <input name=\"{name}\" data-in=\"{place}\"{required}></label> {}</p>",
            Text(&parameter["description"])
        )?;
    }
    let body = &operation["requestBody"];
    if body.is_object() {
        let content = &body["content"]["application/json"];
        let schema = resolved(document, &content["schema"]);
        let example = [&content["example"], &schema["example"]];
        let example = example.into_iter().find(|example| !example.is_null());
        let example = example.map_or_else(|| "{}".to_owned(), |example| format!("{example:#}"));
        write!(page, "<p>{}</p>", Text(&body["description"]))?;
        write_fields(page, schema)?;
        write!(
            page,
            "<p><label>Body <textarea name=\"body\" rows=\"6\">{}</textarea></label></p>",
            escaped(&example)
        )?;
    }
    page.push_str("<p><button>Send</button> <button type=\"button\" data-stop hidden>Stop</button></p><pre hidden></pre></form><table>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let told = resolved(document, response);
        let content = ["application/json", "text/event-stream"].map(|kind| &told["content"][kind]["schema"]["$ref"]);
        let schema = content.into_iter().find(|schema| schema.is_string());
        write!(
            page,
            "<tr><th>{}<td>{}<td>",
            escaped(status),
            Text(&told["description"])
        )?;
        write_link(page, schema.unwrap_or(&Value::Null))?;
    }
    page.push_str("</table></details>");
    Ok(())
}

/// What stands where something leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let leads = value["$ref"].as_str().and_then(|leads| leads.strip_prefix('#'));
    leads.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn write_link(page: &mut String, leads: &Value) -> fmt::Result {
    let name = leads.as_str().and_then(|leads| leads.rsplit('/').next());
    match name.map(escaped) {
        Some(name) => write!(page, "<a href=\"#schema-{name}\"><code>{name}</code></a>"),
        None => Ok(()),
    }
}

fn write_fields(page: &mut String, schema: &Value) -> fmt::Result {
    for (rule, words) in [("allOf", "All of "), ("oneOf", "One of ")] {
        let parts = schema[rule].as_array().into_iter().flatten();
        for part in parts.clone().filter(|part| part["$ref"].is_string()) {
            write!(page, "<p>{words}")?;
            write_link(page, &part["$ref"])?;
            page.push_str("</p>");
        }
        if rule == "oneOf" {
            for alternative in parts.filter(|part| part["properties"].is_object()) {
                write!(page, "<p>One of: {}</p>", Text(&alternative["description"]))?;
                write_fields(page, alternative)?;
            }
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).map(escaped).collect();
        write!(page, "<p>One of <code>{}</code></p>", words.join("</code>, <code>"))?;
    }
    let own = [schema]
        .into_iter()
        .chain(schema["allOf"].as_array().into_iter().flatten());
    let fields: Vec<_> = own
        .filter_map(|part| Some((part, part["properties"].as_object()?)))
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    page.push_str("<table>");
    for (part, fields) in fields {
        for (name, field) in fields {
            let is_required = part["required"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == name));
            let must = if is_required { "" } else { "?" };
            write!(page, "<tr><th><code>{}</code>{must}<td>", escaped(name))?;
            write_kind(page, field)?;
            write!(page, "<td>{}", Text(description(field)))?;
        }
    }
    page.push_str("</table>");
    Ok(())
}

/// What is said of a field, which may stand with the one alternative that is not null.
fn description(field: &Value) -> &Value {
    if field["description"].is_string() {
        return &field["description"];
    }
    let alternatives = field["oneOf"].as_array().into_iter().flatten();
    let mut said = alternatives.map(|alternative| &alternative["description"]);
    said.find(|said| said.is_string()).unwrap_or(&Value::Null)
}

fn write_kind(page: &mut String, field: &Value) -> fmt::Result {
    if field["$ref"].is_string() {
        return write_link(page, &field["$ref"]);
    }
    if field["items"].is_object() {
        page.push_str("list of ");
        return write_kind(page, &field["items"]);
    }
    if let Some(alternatives) = field["oneOf"].as_array() {
        for alternative in alternatives {
            write_kind(page, alternative)?;
            page.push(' ');
        }
        return Ok(());
    }
    let kinds = match &field["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        kind => kind.as_str().unwrap_or_default().to_owned(),
    };
    escape(page, &kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_operation_and_nothing_that_could_run() {
        let document: Value = serde_json::from_str(anteroom::http::document()).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let operations: usize = paths
            .values()
            .map(|item| item.as_object().expect("operations").len())
            .sum();
        assert_eq!(
            PAGE.matches("<form data-method=").count(),
            operations,
            "each has a tag that is there"
        );
        for path in paths.keys() {
            assert!(PAGE.contains(&format!("data-path=\"{path}\"")), "{path}");
        }
        assert_eq!(PAGE.matches("<script").count(), 1);
        for told in ["WebhookMessage", "TaskEvent", "BatchEvent", "ChatEvent"] {
            assert!(PAGE.contains(&format!("href=\"#schema-{told}\"")), "{told}");
        }
        // Every link within the page leads somewhere.
        for link in PAGE.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(PAGE.contains(&format!("id=\"{link}\"")), "{link}");
        }
    }

    #[test]
    fn text_is_made_harmless() {
        let text = Value::from("a < b & `c\"<script>` d");
        assert_eq!(
            Text(&text).to_string(),
            "a &lt; b &amp; <code>c&quot;&lt;script&gt;</code> d"
        );
    }
}
