//! The settings change while the server runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::Engine;
use crate::{
    accounts::Role,
    clock::now_ms,
    queue::Retuning,
    settings::{Faults, Loaded, Settings},
    stats::SettingsView,
    wire::{BadEdit, SettingRow},
};

/// The settings in force, and what became of the last edit.
pub(super) struct ActiveSettings {
    /// For those who only want the values.
    values: watch::Sender<Arc<Settings>>,
    all: Mutex<All>,
}

struct All {
    loaded: Loaded,
    changed_at: Option<u64>,
    bad_edit: Option<(u64, Faults)>,
}

impl ActiveSettings {
    pub(super) fn new(loaded: Loaded) -> Self {
        Self {
            values: watch::Sender::new(Arc::new(loaded.settings.clone())),
            all: Mutex::new(All {
                loaded,
                changed_at: None,
                bad_edit: None,
            }),
        }
    }

    /// Held for the copy of a few rows, and for a whole retuning, so that of two the later one wins in everything.
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.values.borrow())
    }

    pub(super) fn follow(&self) -> watch::Receiver<Arc<Settings>> {
        self.values.subscribe()
    }

    pub(super) fn public_rows(&self) -> Vec<SettingRow> {
        self.all().loaded.public_rows.clone()
    }

    pub(super) fn view(&self, role: Role) -> SettingsView {
        let all = self.all();
        let (rows, faults): (_, fn(&Faults) -> String) = match role {
            Role::Operator => (&all.loaded.rows, Faults::to_string),
            Role::Visitor => (&all.loaded.public_rows, |faults| faults.for_everybody().to_string()),
        };
        SettingsView {
            rows: rows.clone(),
            changed_at: all.changed_at,
            bad_edit: all.bad_edit.as_ref().map(|(at, bad)| BadEdit {
                at: *at,
                message: faults(bad),
            }),
        }
    }
}

impl Engine {
    /// Puts edited settings in force, at once and without losing or moving back anybody who waits; or, where the edit was a
    /// bad one, changes nothing and keeps its faults for the stats tab.
    pub async fn retune(&self, edited: Result<Loaded, Faults>) {
        let reordered = match edited.and_then(|edited| self.activate(edited)) {
            Ok(reordered) => reordered,
            Err(faults) => {
                error!("the edited settings were not taken over, nothing has changed: {faults}");
                self.active_settings.all().bad_edit = Some((now_ms(), faults));
                false
            }
        };
        if reordered {
            self.conversations.store_order().await;
        }
    }

    /// Whether places in line may have other order keys now. Nothing has changed where the back ends cannot be had so.
    fn activate(&self, edited: Loaded) -> Result<bool, Faults> {
        let mut all = self.active_settings.all();
        for warning in &edited.warnings {
            warn!("{warning}");
        }
        let (loaded, changes) = all.loaded.reload(edited);
        let taken = self.backends.retune(&loaded.settings);
        taken.map_err(|fault| Faults::of_use("the back ends", fault.to_string()))?;
        all.bad_edit = None;
        for change in &changes {
            let (before, after) = &change.values;
            if change.needs_restart {
                warn!(
                    variable = change.name,
                    in_force = %before,
                    edited = %after,
                    "this change needs a restart"
                );
            } else {
                info!(variable = change.name, %before, %after, "setting changed");
            }
        }
        let before = self.active_settings.settings();
        if changes.iter().any(|change| !change.needs_restart) {
            all.changed_at = Some(now_ms());
        }
        self.active_settings
            .values
            .send_replace(Arc::new(loaded.settings.clone()));
        self.sessions.set_max(loaded.settings.max_sessions);
        self.tools.retune(&loaded.settings.tools);
        self.conversations.retune(&loaded.settings);
        let reordered = loaded.settings.policy != before.policy;
        all.loaded = loaded;
        self.refill(Retuning::Edited);
        Ok(reordered)
    }
}
