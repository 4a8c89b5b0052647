//! From texts to [`Settings`]: gather, read, check, and say where each value came from.

use std::collections::HashMap;

use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::{
    Provider, Settings, Viewer, dotenv,
    faults::{Fault, Faults},
    field::UNREADABLE,
    gather::{AllGiven, Given, Source, gather, look_for_misspellings},
    tables::{AT_MODEL, Raw},
    variables::{VARIABLES, Variable},
};
use crate::wire::{SettingNote, SettingRow, SettingValue};

/// Settings that passed every check.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What is odd but harmless, a sentence each, for the log.
    pub warnings: Vec<String>,
    /// Every variable with its value in force, for the operator.
    pub rows: Vec<SettingRow>,
    /// The same for everybody.
    pub public_rows: Vec<SettingRow>,
    /// The texts behind them.
    pub(super) given: AllGiven,
}

/// See [`Settings::load`]. Where the file cannot be read, what the environment alone gets wrong is told with that.
pub(super) fn load(
    environment: &HashMap<String, String>,
    dotenv: Result<Option<&str>, Fault>,
) -> Result<Loaded, Faults> {
    let mut warnings = Vec::new();
    let unreadable = dotenv.as_ref().err().cloned();
    let (assignments, mut faults) = dotenv.ok().flatten().map(dotenv::parse).unwrap_or_default();
    let whole = unreadable.is_none();
    faults.extend(unreadable);
    look_for_misspellings(environment, &assignments, &mut warnings, &mut faults);
    let given = gather(environment, assignments, &mut warnings);

    for (variable, one) in with_variable(&given) {
        if one.text.contains('\u{fffd}') {
            faults.push(fault(variable, Some(one), "not valid UTF-8"));
        }
    }
    let texts = given
        .iter()
        .map(|(field, one)| (field.to_ascii_uppercase(), one.text.clone()));
    let raw: Raw = match envy::from_iter(texts) {
        Ok(raw) => raw,
        Err(error) => {
            faults.push(Fault {
                subject: "settings".to_owned(),
                place: String::new(),
                advice: error.to_string(),
            });
            return Err(Faults { faults, warnings });
        }
    };
    if let Err(errors) = raw.validate() {
        faults.extend(from_validator(&errors, &given, whole));
    }
    if !faults.is_empty() {
        return Err(Faults { faults, warnings });
    }
    let settings = Settings::new(&raw);
    warnings.extend(oddities(&settings, &given));
    Ok(Loaded {
        rows: rows(&given, Viewer::Operator),
        public_rows: rows(&given, Viewer::Everybody),
        settings,
        warnings,
        given,
    })
}

fn with_variable(given: &AllGiven) -> impl Iterator<Item = (&'static Variable, &Given)> {
    VARIABLES
        .iter()
        .filter_map(|variable| given.get(variable.field).map(|one| (variable, one)))
}

fn fault(variable: &Variable, given: Option<&Given>, advice: impl Into<String>) -> Fault {
    let (subject, place) = match given {
        Some(one) => (format!("{} = {}", one.name, one.shown(variable)), one.source.place()),
        None => (variable.name.to_owned(), String::new()),
    };
    Fault {
        subject,
        place,
        advice: advice.into(),
    }
}

/// Validator's errors, in the order of `.env.example`. Unless everything is there that was `given`, those between fields are
/// left out: the other field may stand in what could not be read.
fn from_validator(errors: &ValidationErrors, given: &AllGiven, whole: bool) -> Vec<Fault> {
    let of = |field: &str| match errors.errors().get(field) {
        Some(ValidationErrorsKind::Field(errors)) => errors.as_slice(),
        _ => &[],
    };
    let mut faults = Vec::new();
    for variable in &VARIABLES {
        let field = variable.field;
        let one = given.get(field);
        // Validator keeps the errors between fields under this name.
        let between = of("__all__")
            .iter()
            .filter(|error| whole && error.code == AT_MODEL && field == AT_MODEL);
        for error in of(field).iter().take(1).chain(between) {
            let advice = match &error.message {
                Some(message) => message.clone().into_owned(),
                None => variable.advice(error.code != UNREADABLE),
            };
            faults.push(fault(variable, one, advice));
        }
    }
    faults
}

/// Every variable as this viewer may see it.
pub(super) fn rows(given: &AllGiven, viewer: Viewer) -> Vec<SettingRow> {
    let row = |variable: &Variable| {
        let one = given.get(variable.field);
        let value = |one: &Given| match viewer {
            // A default is no secret: it stands in the documentation.
            Viewer::Everybody if variable.private && one.source != Source::Default => SettingValue::Set,
            Viewer::Everybody | Viewer::Operator => one.shown(variable),
        };
        SettingRow {
            name: variable.name.to_owned(),
            value: one.map_or(SettingValue::Unset, value),
            source: one.map_or(Source::Default, |one| one.source).kind(),
            note: one
                .and_then(|one| one.overrides)
                .map(|line| SettingNote::EnvironmentWins { line: line as u64 }),
        }
    };
    VARIABLES.iter().map(row).collect()
}

/// What is allowed, and yet hardly meant.
fn oddities(settings: &Settings, given: &AllGiven) -> Vec<String> {
    let mut odd = Vec::new();
    if let Some(cap) = settings.policy.max_running {
        for event in settings
            .policy
            .events
            .iter()
            .filter(|event| event.limit.is_some_and(|limit| limit > cap))
        {
            odd.push(format!(
                "The limit of {} is more than MAX_RUNNING: no more than {cap} will run.",
                event.name
            ));
        }
    }
    if settings
        .chat_timeout
        .is_some_and(|longest| settings.model_stall_timeout > longest)
    {
        odd.push(
            "MODEL_STALL_TIMEOUT is longer than CHAT_TIMEOUT: a silent model server ends turns by CHAT_TIMEOUT."
                .to_owned(),
        );
    }
    if settings.model.place == Provider::Builtin.name() {
        // Keys in the environment may be there for other programs; in .env they are meant for Anteroom.
        let servers = Provider::ALL.into_iter().filter_map(Provider::fields);
        let fields: Vec<_> = servers.flat_map(|(url, key)| key.into_iter().chain([url])).collect();
        let mut in_file = fields.iter().filter_map(|field| given.get(*field));
        if let Some(one) = in_file.find(|one| matches!(one.source, Source::DotEnv { .. })) {
            odd.push(format!(
                "{} is set, but MODEL is {}: the demo model answers.",
                one.name, settings.model
            ));
        }
    }
    odd
}
