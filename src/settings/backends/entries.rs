//! What may stand in the file of back ends: the keys of each kind of entry.
//!
//! A row is like one of a table of settings (`../tables/mod.rs`), and the documents are made of it in the same way.

use toml::de::DeTable;

use super::{
    super::{
        BackendLimit, ModelName, Provider, Secret,
        kinds::{BaseUrl, Kind, List, ModelId, Place, PlainWord, Price, Title, VariableName},
        variables::Variable,
    },
    At, Reader,
};

macro_rules! entries {
    ($($(#[doc = $about:literal])+ $Entry:ident = $header:literal {
        $(
            #[doc = $meaning:literal]
            $(#[doc = $more:literal])*
            $key:ident: $kind:ty {
                $(default $default:literal;)?
                $(range $min:tt to $max:tt;)?
                $(shown $shown:ident;)?
            }
        )+
    })+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default)]
        pub(in super::super) struct $Entry {
            /// Where it begins.
            pub(in super::super) line: usize,
            $(
                #[doc = $meaning]
                pub(in super::super) $key: Option<At<<$kind as Kind>::Value>>,
            )+
        }

        impl $Entry {
            /// What begins one, in two brackets.
            pub(super) const HEADER: &str = $header;

            /// Everything there may be in one.
            pub(super) const KEYS: &'static [Variable] = &[$(
                Variable::new(
                    stringify!($key),
                    stringify!($key),
                    $header,
                    concat!($meaning $(, $more)*),
                    <$kind as Kind>::allowed,
                )
                $(.default($default))?
                $(.range(($min as f64, $max as f64)))?
                $(.$shown())?
            ),+];

            /// Reads what stands below the header on this line.
            pub(super) fn read(line: usize, table: &DeTable<'_>, reader: &mut Reader<'_>) -> Self {
                let mut entry = Self { line, ..Self::default() };
                let title = reader.title(Self::HEADER, table);
                for (key, value) in table {
                    let at = reader.line(key.span());
                    let name = key.get_ref().as_ref();
                    let Some(row) = Self::KEYS.iter().find(|row| row.name == name) else {
                        reader.unknown(at, &title, name, Self::KEYS.iter().map(|row| row.name));
                        continue;
                    };
                    match name {
                        $(stringify!($key) => {
                            entry.$key = reader.value::<$kind>(at, &title, row, value.get_ref());
                        })+
                        _ => {}
                    }
                }
                entry
            }
        }
    )+ };
}

entries! {
    /// A model server, or more of the demo model.
    Backend = "backend" {
        /// What the stats, the metrics and the log call it. Needed.
        name: PlainWord {}
        /// The place of its models: `model@pool`. Back ends of one pool stand in for each other where they have the same model. Unless told, its own name.
        pool: Place {}
        /// How it is spoken to. Needed.
        provider: Provider {}
        /// Where it is, if not at the provider's own address.
        url: BaseUrl {
            shown to_operator;
        }
        /// Its key.
        key: Secret {
            shown to_nobody;
        }
        /// The variable, of the environment or of `.env`, that has its key.
        key_variable: VariableName {
            shown to_operator;
        }
        /// The models that it has: `["llama3.2", "qwen3"]`. Unless told, whichever is asked for.
        models: List<ModelId> {}
        /// How many requests it takes at once; `auto`: as many as it turns out to take. Unless told, it has none of its own where
        /// `CHAT_CONCURRENCY_LIMIT` is set, and else `DEFAULT_CONCURRENCY_LIMIT` or 1.
        limit: BackendLimit {
            range 1 to 1000;
        }
        /// How much of the work it gets, beside the others of its place, unless `BACKEND_BALANCE` is `round_robin`.
        weight: u32 {
            default "1";
            range 1 to 1000;
        }
        /// Whether its models read pictures. A model is offered as one that does where all of its back ends do.
        vision: bool {}
        /// Whether its models call tools.
        tools: bool {}
        /// Its longest conversation with the answer, in tokens.
        context: u64 {
            range 256 to 100_000_000;
        }
        /// `true`: it finishes what it runs, and gets no more.
        drain: bool {
            default "false";
        }
    }

    /// What there is to say of one model, whoever has it.
    Model = "model" {
        /// Its id, `name@place`. Needed.
        name: ModelName {}
        /// What people read in place of the id.
        title: Title {
            range 1 to 100;
        }
        /// Its longest conversation with the answer, in tokens.
        context: u64 {
            range 256 to 100_000_000;
        }
        /// What a million tokens of questions cost, in whatever money you count in.
        input_price: Price {
            range 0 to 1_000_000;
        }
        /// What a million tokens of answers cost.
        output_price: Price {
            range 0 to 1_000_000;
        }
    }
}
