//! What is wrong with the settings, for the person who has to put it right.

use std::fmt;

use super::variables::Variable;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it is about, as the operator wrote it: `CHAT_TIMEOUT = "soon"`, a name alone, or a place in a file.
    pub subject: String,
    /// Where that stands: `environment`, `.env line 12`; empty for what stands nowhere.
    pub place: String,
    /// What is wrong or allowed, and what to do.
    pub advice: String,
    /// The subject as everybody may read it, where it has an address or a path in it.
    pub(super) in_public: Option<String>,
    /// Likewise the advice.
    pub(super) advice_in_public: Option<String>,
}

/// Everything that was found in settings that cannot be used. `Display` is one block for a terminal; it holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Every fault, at least one.
    pub faults: Vec<Fault>,
    /// What is odd but harmless, a sentence each: it may be what explains a fault.
    pub warnings: Vec<String>,
}

impl Faults {
    /// One that only shows once the settings are put to use.
    #[must_use]
    pub fn of_use(subject: &str, advice: String) -> Self {
        Self {
            faults: vec![Fault {
                subject: subject.to_owned(),
                place: String::new(),
                advice,
                in_public: None,
                advice_in_public: None,
            }],
            warnings: Vec::new(),
        }
    }

    /// The same for everybody: without the addresses and paths that stand in them, and without the warnings, which may name
    /// anything.
    #[must_use]
    pub fn for_everybody(&self) -> Self {
        Self {
            faults: self.faults.iter().map(Fault::for_everybody).collect(),
            warnings: Vec::new(),
        }
    }
}

impl Fault {
    pub(super) fn new(subject: impl Into<String>, place: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            place: place.into(),
            advice: advice.into(),
            in_public: None,
            advice_in_public: None,
        }
    }

    /// The same for everybody where it is about this variable, which may be the operator's alone to see.
    pub(super) fn of(self, variable: &Variable) -> Self {
        let name = self.subject.split(" = ").next().unwrap_or_default();
        let in_public = variable.private.then(|| format!("{name} = (set)"));
        Self { in_public, ..self }
    }

    fn for_everybody(&self) -> Self {
        Self {
            subject: self.in_public.as_ref().unwrap_or(&self.subject).clone(),
            advice: self.advice_in_public.as_ref().unwrap_or(&self.advice).clone(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => writeln!(f, "One setting is wrong:")?,
            many => writeln!(f, "{many} settings are wrong:")?,
        }
        for fault in &self.faults {
            write!(f, "\n  {}", fault.subject)?;
            if !fault.place.is_empty() {
                write!(f, "   ({})", fault.place)?;
            }
            write!(f, "\n      {}\n", fault.advice)?;
        }
        if !self.warnings.is_empty() {
            writeln!(f, "\nAlso noticed, which would not keep it from starting:\n")?;
            for warning in &self.warnings {
                writeln!(f, "  {warning}")?;
            }
        }
        write!(f, "\n.env.example and docs/settings.md describe every setting.")
    }
}

impl std::error::Error for Faults {}
