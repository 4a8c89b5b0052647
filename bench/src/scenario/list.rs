//! The scenarios by name. xtask's command line is made from this file, too.

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Drain,
    Crowd,
    Latency,
    Events,
    Cpu,
    Fairness,
    Memory,
    Tabs,
    Reload,
    Visit,
    Stream,
    Restart,
    Engine,
    Estimates,
    Pools,
    Auto,
    Nodes,
    Cluster,
    Gateway,
    Tasks,
    Papers,
    Tools,
    Soak,
}

impl Scenario {
    /// All of the report, in its order.
    pub(crate) const ALL: [Self; 22] = [
        Self::Drain,
        Self::Crowd,
        Self::Latency,
        Self::Events,
        Self::Cpu,
        Self::Fairness,
        Self::Memory,
        Self::Tabs,
        Self::Reload,
        Self::Visit,
        Self::Stream,
        Self::Restart,
        Self::Engine,
        Self::Estimates,
        Self::Pools,
        Self::Auto,
        Self::Nodes,
        Self::Cluster,
        Self::Gateway,
        Self::Tasks,
        Self::Papers,
        Self::Tools,
    ];

    /// Those that are played only when they are named: what they find is a fault or nothing.
    pub(crate) const APART: [Self; 1] = [Self::Soak];

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Crowd => "crowd",
            Self::Latency => "latency",
            Self::Events => "events",
            Self::Cpu => "cpu",
            Self::Fairness => "fairness",
            Self::Memory => "memory",
            Self::Tabs => "tabs",
            Self::Reload => "reload",
            Self::Visit => "visit",
            Self::Stream => "stream",
            Self::Restart => "restart",
            Self::Engine => "engine",
            Self::Estimates => "estimates",
            Self::Pools => "pools",
            Self::Auto => "auto",
            Self::Nodes => "nodes",
            Self::Cluster => "cluster",
            Self::Gateway => "gateway",
            Self::Tasks => "tasks",
            Self::Papers => "papers",
            Self::Tools => "tools",
            Self::Soak => "soak",
        }
    }
}
