//! The variables there are: their names, aliases and defaults.

/// One variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// Names that are read as well, the first that is set winning.
    pub(super) aliases: &'static [&'static str],
    /// Read where neither the name nor an alias is set.
    pub(super) default: Option<&'static str>,
    /// Never shown.
    pub(super) secret: bool,
    /// An address or a path: its value is shown to the operator only.
    pub(super) private: bool,
    /// Read at the start only.
    pub(super) fixed: bool,
}

impl Variable {
    /// The field of `Raw` that holds it.
    pub(super) fn field(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The name, then the aliases.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.all_names().any(|own| own == name)
    }

    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn hidden(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn private(self) -> Self {
        Self { private: true, ..self }
    }

    const fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }
}

const fn unset(name: &'static str) -> Variable {
    Variable {
        name,
        aliases: &[],
        default: None,
        secret: false,
        private: false,
        fixed: false,
    }
}

const fn var(name: &'static str, default: &'static str) -> Variable {
    Variable {
        default: Some(default),
        ..unset(name)
    }
}

/// Every variable, in the order of `.env.example`.
pub(super) const VARIABLES: [Variable; 45] = [
    var("MODEL", "demo@builtin").also(&["GEN_MODEL"]).fixed(),
    unset("OPENAI_API_KEY").hidden().fixed(),
    unset("OPENAI_BASE_URL").private().fixed(),
    unset("OLLAMA_URL").private().fixed(),
    unset("ANTHROPIC_API_KEY").hidden().fixed(),
    unset("ANTHROPIC_BASE_URL").private().fixed(),
    unset("GEMINI_API_KEY").hidden().fixed(),
    unset("GEMINI_BASE_URL").private().fixed(),
    // Not a key, but what an operator tells a model is nobody else's to read on the stats tab.
    unset("SYSTEM_PROMPT").hidden().fixed(),
    var("MODEL_STALL_TIMEOUT", "60").fixed(),
    var("MODEL_RETRIES", "2").fixed(),
    var("DEMO_FIRST_TOKEN", "600ms").fixed(),
    var("DEMO_SPEED", "40").fixed(),
    var("ENABLE_CONCURRENT_PROCESSING", "true"),
    var("ENABLE_QUEUE", "true").also(&["GRADIO_ENABLE_QUEUE"]),
    unset("DEFAULT_CONCURRENCY_LIMIT").also(&["GRADIO_DEFAULT_CONCURRENCY_LIMIT", "GRADIO_CONCURRENCY_LIMIT"]),
    unset("CHAT_CONCURRENCY_LIMIT"),
    unset("FILE_CONCURRENCY_LIMIT"),
    unset("STATS_CONCURRENCY_LIMIT"),
    unset("LOGS_CONCURRENCY_LIMIT"),
    unset("CHAT_CONCURRENCY_ID"),
    unset("FILE_CONCURRENCY_ID"),
    unset("STATS_CONCURRENCY_ID"),
    unset("LOGS_CONCURRENCY_ID"),
    var("MAX_RUNNING", "100").also(&["GRADIO_MAX_THREADS"]),
    var("QUEUE_ORDER", "fair"),
    var("QUEUE_STATUS_UPDATE_RATE", "auto"),
    var("QUEUE_MAX_SIZE", "none"),
    var("QUEUE_MAX_WAITING_PER_SESSION", "10"),
    var("QUEUE_MAX_WAIT", "none"),
    var("QUEUE_ABANDON_AFTER", "120"),
    var("CHAT_TIMEOUT", "300"),
    var("MAX_UPLOAD_SIZE", "20MB"),
    var("RETENTION_DAYS", "none"),
    var("SESSION_IDLE_TIMEOUT", "1h"),
    var("MAX_SESSIONS", "10000"),
    var("SITE_ADDR", "127.0.0.1:3000").private().fixed(),
    var("MAX_CONNECTIONS_PER_ADDRESS", "none"),
    var("DATA_DIR", "data").private().fixed(),
    unset("SECRET_KEY").hidden().fixed(),
    var("SECURE_COOKIES", "false").fixed(),
    unset("OPERATOR_KEY").hidden(),
    var("SHUTDOWN_GRACE", "30"),
    var("RUST_LOG", "info").fixed(),
    var("LOG_FORMAT", "text").fixed(),
];

/// Every name and alias.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().flat_map(Variable::all_names)
}
