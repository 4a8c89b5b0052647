//! Every door of the site, and how it is asked. The test beside it compares this with the router: a door that is new is decided here.

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The browser whose words they are, which is the operator's.
    Owner,
    Guest,
    Program,
    Nobody,
}

/// Whether the words are to be found in what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Words,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// A path, in which `{conversation}`, `{words}` and the like stand for what is in the world.
pub(super) type Path = &'static str;

/// What is asked at a door, and what comes of it.
#[derive(Clone, Copy)]
pub(super) enum Door {
    /// A page: it has the same elements, whatever the words.
    Page(Who, Path, Says),
    /// Something that no browser takes for a page.
    Data(Who, Path, Says),
    /// A form, or what a script or a program sends. It is asked with the words in every field.
    Sent(Who, Verb, Path),
    /// Deletes everything for whoever knows the confirmation; these words are none.
    Deletes,
    /// WebSockets: looked at by itself.
    Feed,
}

use Door::{Data, Deletes, Feed, Page, Sent};
use Says::{Nothing, Words};
use Who::{Guest, Nobody, Owner, Program};

const fn form(path: Path) -> Door {
    Sent(Owner, Verb::Post, path)
}

const fn program(path: Path) -> Door {
    Sent(Program, Verb::Post, path)
}

/// Each path of the router, with what is asked there. What deletes comes last.
pub(super) const DOORS: &[(&str, Door)] = &[
    ("/", Page(Owner, "/", Words)),
    ("/", Page(Nobody, "/", Words)),
    ("/c/{id}", Page(Owner, "/c/{conversation}", Words)),
    ("/c/{id}", Page(Owner, "/c/{words}", Words)),
    ("/stats", Page(Owner, "/stats", Words)),
    ("/logs", Page(Owner, "/logs", Words)),
    ("/data", Page(Owner, "/data", Words)),
    ("/data/tools", Page(Owner, "/data/tools", Words)),
    ("/keys", Page(Owner, "/keys", Words)),
    ("/keys", Page(Nobody, "/keys", Nothing)),
    ("/keys/{key}/tools", Page(Owner, "/keys/{key}/tools", Words)),
    ("/c/{id}/tools", Page(Owner, "/c/{conversation}/tools", Nothing)),
    ("/operator", Page(Owner, "/operator?key={words}", Nothing)),
    ("/c/{id}/along", Page(Owner, "/c/{conversation}/along", Nothing)),
    ("/t/{secret}", Page(Nobody, "{link}", Nothing)),
    ("/t/{secret}", Page(Nobody, "/t/{words}", Nothing)),
    ("/along/{pass}", Page(Guest, "{guest}", Words)),
    ("/along/{pass}", Page(Nobody, "{guest}", Nothing)),
    ("/along/{pass}/feed", Feed),
    ("/along/{pass}/files/{file}", Data(Guest, "{guest}/files/{file}", Words)),
    ("/api/v1", Page(Nobody, "/api/v1", Nothing)),
    ("/feed", Feed),
    ("/files/{id}", Data(Owner, "/files/{file}", Words)),
    ("/files/{id}", Data(Owner, "/files/{paper}", Nothing)),
    // What is read of a document leaves out marks that nobody sees.
    ("/files/{id}/text", Data(Owner, "/files/{paper}/text", Nothing)),
    ("/export/{file}", Data(Owner, "/export/{conversation}.md", Words)),
    ("/export/{file}", Data(Owner, "/export/{conversation}.json", Words)),
    ("/metrics", Data(Nobody, "/metrics", Nothing)),
    ("/health", Data(Nobody, "/health", Nothing)),
    ("/ready", Data(Nobody, "/ready", Nothing)),
    // What programs ask.
    ("/api/v1/key", Data(Program, "/api/v1/key", Words)),
    ("/api/v1/queue", Data(Program, "/api/v1/queue", Nothing)),
    ("/api/v1/models", Data(Program, "/api/v1/models", Nothing)),
    ("/api/v1/info", Data(Program, "/api/v1/info", Nothing)),
    ("/info", Data(Program, "/info", Nothing)),
    ("/v1/models", Data(Program, "/v1/models", Nothing)),
    ("/v1/models/{*model}", Data(Program, "/v1/models/{words}", Words)),
    ("/api/v1/conversations", program("/api/v1/conversations")),
    // Titles are shortened there.
    ("/api/v1/conversations", Data(Program, "/api/v1/conversations", Nothing)),
    (
        "/api/v1/conversations/search",
        Data(Program, "/api/v1/conversations/search?q={words}", Words),
    ),
    (
        "/api/v1/conversations/{id}",
        Data(Program, "/api/v1/conversations/{talk}", Words),
    ),
    (
        "/api/v1/conversations/{id}",
        Sent(Program, Verb::Patch, "/api/v1/conversations/{talk}"),
    ),
    (
        "/api/v1/conversations/{id}/turns",
        Data(Program, "/api/v1/conversations/{talk}/turns", Words),
    ),
    (
        "/api/v1/conversations/{id}/turns",
        program("/api/v1/conversations/{talk}/turns"),
    ),
    (
        "/api/v1/conversations/{id}/turns/{turn}",
        Data(Program, "/api/v1/conversations/{talk}/turns/{talk_turn}", Words),
    ),
    (
        "/api/v1/conversations/{id}/turns/{turn}/steps/{step}",
        program("/api/v1/conversations/{talk}/turns/{talk_turn}/steps/{words}"),
    ),
    (
        "/api/v1/conversations/{id}/export",
        Data(Program, "/api/v1/conversations/{talk}/export", Words),
    ),
    (
        "/api/v1/conversations/{id}/passes",
        Data(Program, "/api/v1/conversations/{talk}/passes", Nothing),
    ),
    (
        "/api/v1/conversations/{id}/passes",
        program("/api/v1/conversations/{talk}/passes"),
    ),
    (
        "/api/v1/conversations/{id}/passes/{pass}",
        Sent(Program, Verb::Delete, "/api/v1/conversations/{talk}/passes/{words}"),
    ),
    (
        "/api/v1/conversations/{id}/leaves",
        Data(Program, "/api/v1/conversations/{talk}/leaves", Nothing),
    ),
    (
        "/api/v1/conversations/{id}/leaves/{server}/{tool}",
        Sent(
            Program,
            Verb::Delete,
            "/api/v1/conversations/{talk}/leaves/{words}/{words}",
        ),
    ),
    ("/api/v1/forget", Data(Program, "/api/v1/forget", Nothing)),
    // What it takes is the program's own, which nobody else knows.
    ("/api/v1/forget", program("/api/v1/forget")),
    ("/api/v1/conversations/import", program("/api/v1/conversations/import")),
    (
        "/api/v1/conversations/{id}/release",
        program("/api/v1/conversations/{talk}/release"),
    ),
    (
        "/api/v1/conversations/{id}/restore",
        program("/api/v1/conversations/{talk}/restore"),
    ),
    (
        "/api/v1/conversations/{id}/turns/{turn}/again",
        program("/api/v1/conversations/{talk}/turns/{talk_turn}/again"),
    ),
    (
        "/api/v1/conversations/{id}/turns/{turn}/branch",
        program("/api/v1/conversations/{talk}/turns/{talk_turn}/branch"),
    ),
    (
        "/api/v1/conversations/{id}/turns/{turn}/rating",
        program("/api/v1/conversations/{talk}/turns/{talk_turn}/rating"),
    ),
    (
        "/api/v1/conversations/{id}/turns/{turn}/show",
        program("/api/v1/conversations/{talk}/turns/{talk_turn}/show"),
    ),
    ("/api/v1/files", program("/api/v1/files?name={words}")),
    ("/api/v1/files/{id}", Data(Program, "/api/v1/files/{own_file}", Words)),
    ("/api/v1/files/{id}", Data(Program, "/api/v1/files/{file}", Nothing)),
    (
        "/api/v1/files/{id}/text",
        Data(Program, "/api/v1/files/{own_paper}/text", Nothing),
    ),
    ("/api/v1/chat", program("/api/v1/chat")),
    ("/api/v1/chat/stream", program("/api/v1/chat/stream")),
    ("/api/v1/chat/{id}", Sent(Program, Verb::Delete, "/api/v1/chat/{words}")),
    ("/chat", program("/chat")),
    ("/chat/stream", program("/chat/stream")),
    ("/v1/chat/completions", program("/v1/chat/completions")),
    ("/v1/responses", program("/v1/responses")),
    ("/v1/embeddings", program("/v1/embeddings")),
    ("/api/v1/tasks", program("/api/v1/tasks")),
    ("/api/v1/tasks", Data(Program, "/api/v1/tasks", Words)),
    ("/api/v1/tasks/{id}", Data(Program, "/api/v1/tasks/{task}", Words)),
    (
        "/api/v1/tasks/{id}/stream",
        Data(Program, "/api/v1/tasks/{task}/stream", Words),
    ),
    (
        "/api/v1/tasks/batches/{id}",
        Data(Program, "/api/v1/tasks/batches/{batch}", Nothing),
    ),
    (
        "/api/v1/tasks/batches/{id}/stream",
        Data(Program, "/api/v1/tasks/batches/{batch}/stream", Nothing),
    ),
    ("/chat/async", program("/chat/async")),
    ("/chat/task/{id}", Data(Program, "/chat/task/{task}", Words)),
    ("/api/v1/{*other}", Data(Program, "/api/v1/{words}", Nothing)),
    ("/v1/{*other}", Data(Program, "/v1/{words}", Nothing)),
    // What pages ask.
    ("/api/overview", form("/api/overview")),
    ("/api/conversations", form("/api/conversations")),
    ("/api/conversation", form("/api/conversation")),
    ("/api/earlier", form("/api/earlier")),
    ("/api/search", form("/api/search")),
    ("/api/rename", form("/api/rename")),
    ("/api/choose", form("/api/choose")),
    ("/api/version", form("/api/version")),
    ("/api/send", form("/api/send")),
    ("/api/send_form", form("/api/send_form")),
    ("/api/reword", form("/api/reword")),
    ("/api/withdraw", form("/api/withdraw")),
    ("/api/release", form("/api/release")),
    ("/api/cancel", form("/api/cancel")),
    ("/api/again", form("/api/again")),
    ("/api/refresh", form("/api/refresh")),
    ("/api/charts", form("/api/charts")),
    ("/api/{*function}", form("/api/{words}")),
    ("/api/form/{action}", form("/api/form/rename")),
    ("/api/form/{action}", form("/api/form/again")),
    ("/api/form/{action}", form("/api/form/cancel")),
    ("/api/form/{action}", form("/api/form/shelve")),
    ("/api/form/{action}", form("/api/form/step")),
    ("/api/form/{action}", form("/api/form/{words}")),
    ("/api/form/along", form("/api/form/along")),
    ("/api/form/along-revoke", form("/api/form/along-revoke")),
    ("/api/form/own-give", form("/api/form/own-give")),
    ("/api/form/own-remove", form("/api/form/own-remove")),
    ("/api/form/leave-back", form("/api/form/leave-back")),
    ("/api/form/key", form("/api/form/key")),
    ("/api/form/key-rates", form("/api/form/key-rates")),
    ("/t", Sent(Nobody, Verb::Post, "/t")),
    ("/language", form("/language?to=en&back={words}")),
    ("/language", form("/language?to={words}")),
    ("/branch/{turn}", form("/branch/{words}")),
    ("/branch/{turn}", form("/branch/{turn}")),
    ("/rate/{turn}/{rating}", form("/rate/{turn}/{words}")),
    (
        "/shelf/{conversation}/{what}/{to}",
        form("/shelf/{conversation}/{words}/true"),
    ),
    ("/step/{turn}/{step}/{answer}", form("/step/{turn}/0/{words}")),
    ("/import", form("/import")),
    ("/files", form("/files?name={words}")),
    ("/sources/resources", form("/sources/resources")),
    ("/sources/resource", form("/sources/resource")),
    ("/sources/prompts", form("/sources/prompts")),
    ("/sources/prompt", form("/sources/prompt")),
    // These take something away.
    ("/api/form/key-revoke", form("/api/form/key-revoke")),
    (
        "/api/v1/conversations/{id}",
        Sent(Program, Verb::Delete, "/api/v1/conversations/{talk}"),
    ),
    ("/api/delete", form("/api/delete")),
    ("/api/undelete", form("/api/undelete")),
    ("/api/forget", Deletes),
];
