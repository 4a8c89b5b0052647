//! Who answers, where that is, and how it is asked.

macro_rules! model_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "The model" {
            /// The model that a new conversation starts with. The place is a provider (`builtin`, `openai`, `ollama`, `anthropic`, `gemini`) or a
            /// pool of `BACKENDS_FILE`.
            MODEL in catalog as model: ModelName {
                also "GEN_MODEL";
                default "demo@builtin";
                comment
                    "Who answers: name@place, the place being builtin, openai, ollama, anthropic or gemini, or a pool of BACKENDS_FILE."
                    "For example gpt-4o@openai or llama3.2@ollama. The demo model works offline and needs nothing.";
            }
            /// The models that people may choose, with commas between; `*@ollama` offers whatever the servers of a place have. `MODEL` is always among them.
            /// Where this is unset, `MODEL` and every model that `BACKENDS_FILE` names are offered.
            MODELS in catalog as models: Option<List<Offer>> {
                comment
                    "More models to choose from, such as llama3.2@ollama,gpt-4o@openai; *@ollama for all that a server has."
                    "Unset: MODEL, and those that BACKENDS_FILE names.";
            }
            /// The model that answers where every back end of the chosen one is out of service. The answer says so.
            FALLBACK_MODEL in catalog as fallback_model: Option<ModelName> {
                comment "Answers where every back end of the chosen model is out of service.";
            }
            /// A file with the back ends, where the variables below are not enough: several servers with limits, models and keys of their own.
            /// See "The file of back ends".
            BACKENDS_FILE in catalog as backends_file: Option<FilePath> {
                shown to_operator;
                comment "A file with back ends, each with a limit, models and a key of its own: docs/settings.md says what stands in it.";
            }
            /// A file with the prompts that people may put into the composer, and those that stand on the start page. See "The file of prompts".
            PROMPTS_FILE in prompts as prompts_file: Option<FilePath> {
                shown to_operator;
                comment "A file with prompts for everybody, and for the start page: docs/settings.md says what stands in it.";
            }
            /// A file with servers that speak the Model Context Protocol, whose tools models may use. See `docs/tools.md`.
            MCP_FILE in tools as mcp_file: Option<FilePath> {
                shown to_operator;
                comment "A file with servers of tools that models may use, as other clients of the Model Context Protocol read it: docs/tools.md.";
            }
            /// In how many rounds one answer may use tools. The model is asked once more then, without any.
            TOOL_MAX_ROUNDS as tool_max_rounds: usize {
                default "16";
                range 1 to 100;
                comment "In how many rounds one answer may use tools; then the model has to answer with what is there.";
            }
            /// How many connections to servers of tools may be open that are one person's each, made with what that person has given. Past that, the one that
            /// has not been used for longest closes. See `docs/tools.md`.
            TOOL_MAX_OWN_CONNECTIONS in tools as tool_max_own_connections: usize {
                default "100";
                range 1 to 10_000;
                comment "Connections to servers of tools that are one person's each, with a key of theirs: docs/tools.md.";
            }
            /// Which back end a ticket gets, of those that are free: the one with the least to do for its weight, each in turn, or each as often as its weight says.
            BACKEND_BALANCE in catalog as backend_balance: Balance {
                default "least_loaded";
                comment "Which back end is next, of those that are free: least_loaded, round_robin or weighted.";
            }
            /// The key for OpenAI. Needed for `…@openai` unless `OPENAI_BASE_URL` is set.
            OPENAI_API_KEY in catalog as openai_api_key: Option<Secret> {
                shown to_nobody;
                comment
                    "OpenAI, or anything that speaks its API (vLLM, llama.cpp, LM Studio): set the base URL, such as"
                    "http://127.0.0.1:8000/v1; the key may then be left empty if that server asks for none. Each of these addresses may be several"
                    "with commas between: servers that have the same models, and share the work.";
            }
            /// A server that speaks OpenAI's API, such as vLLM, llama.cpp or LM Studio: `http://127.0.0.1:8000/v1`. Several with the same models have
            /// commas between.
            OPENAI_BASE_URL in catalog as openai_base_url: Option<List<BaseUrl>> {
                shown to_operator;
            }
            /// Where Ollama is, if not at `http://127.0.0.1:11434`.
            OLLAMA_URL in catalog as ollama_url: Option<List<BaseUrl>> {
                shown to_operator;
                comment "Ollama, where it is not at http://127.0.0.1:11434.";
            }
            /// The key for Anthropic.
            ANTHROPIC_API_KEY in catalog as anthropic_api_key: Option<Secret> {
                shown to_nobody;
                comment "Anthropic; the base URL only for a server of your own.";
            }
            /// A server of your own that speaks Anthropic's API.
            ANTHROPIC_BASE_URL in catalog as anthropic_base_url: Option<List<BaseUrl>> {
                shown to_operator;
            }
            /// The key for Google Gemini.
            GEMINI_API_KEY in catalog as gemini_api_key: Option<Secret> {
                shown to_nobody;
                comment "Google Gemini; the base URL only for a server of your own.";
            }
            /// A server of your own that speaks Gemini's API.
            GEMINI_BASE_URL in catalog as gemini_base_url: Option<List<BaseUrl>> {
                shown to_operator;
            }
            // Not a key, but what an operator tells a model is nobody else's to read on the stats tab.
            /// Said to the model before every conversation that has no instructions of its own. Not shown on the stats tab.
            SYSTEM_PROMPT as system_prompt: Option<Text> {
                range 0 to 65_536;
                shown to_nobody;
                comment "Said to the model before every conversation that has no instructions of its own.";
            }
            /// What conversations are called: by the `first_words` of their first message, or as their `model` says after its first answer. It is asked
            /// for that only while a slot of it is free and nobody waits, and what it says is given up as soon as somebody needs the slot. Where several nodes keep the
            /// line (`NODE_ADDR`), it is not asked.
            TITLES as titles: Titles {
                default "first_words";
                comment
                    "What conversations are called: first_words of the first message, or as the model says, asked while a slot of it is idle."
                    "It gives way at once to whoever needs the slot. Among several nodes it is not asked.";
            }
            /// Longest silence of the model server, before and between the pieces of an answer.
            MODEL_STALL_TIMEOUT as model_stall_timeout: Duration {
                default "60";
                range 0.1 to LONGEST;
                comment "Longest silence of the model server, before and between the pieces of an answer.";
            }
            /// How often a request that failed before its first piece is made again.
            MODEL_RETRIES as model_retries: u32 {
                default "2";
                range 0 to 10;
                comment "How often a request that failed before its first piece is made again.";
            }
            /// How long a ticket waits for back ends of which none is in service, before it fails. `none`: until one is.
            MODEL_OUTAGE_WAIT as model_outage_wait: OrNone<Duration> {
                default "10m";
                range 0 to LONGEST;
                comment "How long messages wait while no back end of their model is in service. none: until one is.";
            }
            /// Memory for answers that are kept, and given again to the same question. `none` keeps no answer.
            ANSWER_CACHE_SIZE as answer_cache_size: OrNone<Bytes> {
                default "none";
                range 100_000 to 100_000_000_000_u64;
                comment
                    "Memory for answers that are kept and given again to the same question, such as 64MB; none: every question is asked."
                    "For how long they are kept, and whether also those of a temperature above 0.";
            }
            /// How long an answer is kept.
            ANSWER_CACHE_TTL as answer_cache_ttl: Duration {
                default "1h";
                range 1 to LONGEST;
            }
            /// `false`: only answers of temperature 0 are kept. `true`: those of any temperature, which then come again word for word.
            ANSWER_CACHE_ANY_TEMPERATURE as answer_cache_any_temperature: bool {
                default "false";
            }
            /// `false`: who asked gets the answer again, and nobody else. `true`: everybody does, and from how fast it comes they can tell that somebody
            /// has asked the same.
            ANSWER_CACHE_SHARED as answer_cache_shared: bool {
                default "false";
                comment "true: a kept answer is given to everybody who asks the same. It tells them that somebody did.";
            }
            /// The demo model's time to its first token.
            DEMO_FIRST_TOKEN as demo_first_token: Duration {
                default "600ms";
                range 0 to 60;
                applies at_start;
                comment "The demo model's pace: time to its first token, and tokens a second.";
            }
            /// The demo model's tokens a second.
            DEMO_SPEED as demo_speed: u32 {
                default "40";
                range 1 to 100_000;
                applies at_start;
            }
        }
    } };
}
