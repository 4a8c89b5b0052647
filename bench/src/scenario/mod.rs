//! What is measured, one file a scenario.

mod auto;
mod cluster;
mod cpu;
mod crowd;
mod drain;
mod engine;
mod estimates;
mod events;
mod fairness;
mod gateway;
mod latency;
mod list;
mod memory;
mod nodes;
mod papers;
mod pools;
mod reload;
mod restart;
mod rivals;
mod soak;
mod stream;
mod tabs;
mod tasks;
mod tools;
mod visit;

use crate::{anteroom::Anteroom, cli::Options, figures::Measure, gradio::Gradio, system::Places};
pub(crate) use list::Scenario;
pub(crate) use soak::Bounds as SoakBounds;
pub(crate) use tools::{SERVE as SERVE_TOOLS, serve as serve_tools};

/// Browsers that wait at once.
const CROWD: usize = 10_000;
/// The same for Gradio: with more its queue was seen to die.
const CROWD_FOR_GRADIO: usize = 2_200;
/// Idle browsers, one number after the other.
const IDLE: [usize; 3] = [1_000, 5_000, 10_000];
/// The same for Gradio, whose streams take two connections a browser that waits, and one that does not.
const IDLE_FOR_GRADIO: [usize; 2] = [1_000, 5_000];

impl Scenario {
    /// What happens in it, for the report.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Drain => "N browsers send at once; 5 slots, answers of 9 pieces in 0.3 s",
            Self::Crowd => {
                "A crowd (Anteroom: 10,000 browsers, Gradio: 2,200) waits at once, each with its page open; then all are served"
            }
            Self::Latency => "One user: what the way through adds to the direct call",
            Self::Events => "Events without work, from 100 browsers, one after the other each; 5 slots",
            Self::Cpu => "Short chat messages with answers of 10 pieces at once, from 10 browsers",
            Self::Fairness => "One browser sends 20 messages, five others one each; 3 slots, answers of 0.3 s",
            Self::Memory => "Resident memory of the server, with pages open that do nothing",
            Self::Tabs => "20 tabs of one browser that chat at once, with its six connections to a host",
            Self::Reload => "The page is loaded anew; somebody ahead leaves the line",
            Self::Visit => "The page in a real browser (Chromium): with an empty cache, then once more",
            Self::Stream => {
                "Answers of 5,000 words in a real browser (Chromium) whose processor is four times slower, 500 words a second, beside a plain page that \
                 puts the same words one after the other as text"
            }
            Self::Restart => "The server is killed (SIGKILL) with 10,000 turns waiting, and started again",
            Self::Engine => {
                "The queue by itself, fair order, no server around it: how fast it is, and how many instructions it takes"
            }
            Self::Estimates => {
                "Whether tickets start when they were told: simulated work on a clock that jumps, 1, 3 and 8 slots, bursts and \
                 steady arrivals, 20 turns seen before"
            }
            Self::Pools => {
                "Several model servers behind one line: a fast and a slow one, two equal ones that get slower the more they are given, \
                 and three of which one goes down, hangs, and another refuses now and then"
            }
            Self::Auto => {
                "A server without a limit that is told (`limit = \"auto\"`): it has room for 6 answers of 0.5 s, after a while for 3; \
                 20 browsers always have something to ask"
            }
            Self::Nodes => {
                "Several nodes over one log in PostgreSQL, on these cores too, with no server around them: 300 callers join, start and end \
                 as fast as they can"
            }
            Self::Cluster => {
                "Three servers over one PostgreSQL, all on these cores, and browsers at their doors in turn, beside one server that \
                 keeps its things in SQLite; a node is killed, another stopped"
            }
            Self::Gateway => {
                "Programs that speak OpenAI's API: what the way through adds to a direct call, with 1, 100 and 1,000 streams (9 pieces in 0.3 s), and \
                 requests whose answer is there at once"
            }
            Self::Tasks => {
                "10,000 tasks of one program in one request; 5 slots, a model that answers at once; a server that is killed (SIGKILL) again and again in the second half"
            }
            Self::Papers => {
                "A document of 500 pages, read by a process of its own as an upload is: without the way to the server"
            }
            Self::Tools => {
                "A call of a tool over a warm connection (HTTP, and a program's standard input and output), beside a direct call of the \
                 same server; then 1,000 pages that do nothing, at a server with tools and at one without"
            }
            Self::Soak => {
                "Whether every refresh is answered or refused on its feed: 120 browsers with small limits ask at random, and their feeds \
                 are dropped and opened again"
            }
        }
    }

    /// One round with Anteroom.
    pub(crate) async fn anteroom(self, options: &Options) -> anyhow::Result<Vec<Measure>> {
        let places = &options.places;
        match self {
            Self::Drain => drain::run::<Anteroom>(places).await,
            Self::Crowd => crowd::run::<Anteroom>(places, CROWD).await,
            Self::Latency => latency::run::<Anteroom>(places).await,
            Self::Events => events::run::<Anteroom>(places).await,
            Self::Cpu => cpu::run::<Anteroom>(places).await,
            Self::Fairness => fairness::run::<Anteroom>(places).await,
            Self::Memory => memory::run::<Anteroom>(places, &IDLE).await,
            Self::Tabs => tabs::run::<Anteroom>(places).await,
            Self::Reload => reload::run::<Anteroom>(places).await,
            Self::Visit => visit::run::<Anteroom>(places).await,
            Self::Stream => stream::run(places).await,
            Self::Restart => restart::run(places).await,
            Self::Engine => engine::run().await,
            Self::Estimates => estimates::run().await,
            Self::Pools => pools::run(places).await,
            Self::Auto => auto::run(places).await,
            Self::Nodes => nodes::run(places).await,
            Self::Cluster => cluster::run(places).await,
            Self::Gateway => gateway::run(places).await,
            Self::Tasks => tasks::run(places).await,
            Self::Papers => papers::run(places).await,
            Self::Tools => tools::run(places).await,
            Self::Soak => soak::run(options).await,
        }
    }

    /// One round with Gradio; `None`: it has nothing of the kind.
    pub(crate) async fn gradio(self, places: &Places) -> Option<anyhow::Result<Vec<Measure>>> {
        Some(match self {
            Self::Drain => drain::run::<Gradio>(places).await,
            Self::Crowd => crowd::run::<Gradio>(places, CROWD_FOR_GRADIO).await,
            Self::Latency => latency::run::<Gradio>(places).await,
            Self::Events => events::run::<Gradio>(places).await,
            Self::Cpu => cpu::run::<Gradio>(places).await,
            Self::Fairness => fairness::run::<Gradio>(places).await,
            Self::Memory => memory::run::<Gradio>(places, &IDLE_FOR_GRADIO).await,
            Self::Tabs => tabs::run::<Gradio>(places).await,
            Self::Reload => reload::run::<Gradio>(places).await,
            Self::Visit => visit::run::<Gradio>(places).await,
            Self::Stream
            | Self::Restart
            | Self::Engine
            | Self::Estimates
            | Self::Pools
            | Self::Auto
            | Self::Nodes
            | Self::Cluster
            | Self::Gateway
            | Self::Tasks
            | Self::Papers
            | Self::Tools
            | Self::Soak => {
                return None;
            }
        })
    }
}
