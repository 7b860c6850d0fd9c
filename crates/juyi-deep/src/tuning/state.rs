//! Where a training stands, in a file: weights, what the optimizer remembers, the best weights, all epochs.

use std::collections::BTreeMap;
use std::path::Path;

use juyi::error::{Error, Result};
use juyi::files::write_whole;
use juyi::report::Epoch;
use juyi::report::folder::NOTES_KEY;

use super::optimizer::Moments;
use super::plan::Plan;
use crate::checkpoint::{Checkpoint, Stored, safetensors};
use crate::network::Network;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    /// What is learnt, by name: the weights, and running statistics.
    now: BTreeMap<String, Vec<f32>>,
    /// The same after the best epoch.
    kept: BTreeMap<String, Vec<f32>>,
    /// What the optimizer remembers.
    pub(super) moments: BTreeMap<String, Moments>,
    /// All epochs so far.
    pub(super) epochs: Vec<Epoch>,
    /// The number of the best one.
    pub(super) best: usize,
}

impl State {
    /// What changes in a training.
    fn changing(plan: &Plan) -> BTreeMap<String, Vec<f32>> {
        let names = plan.learnt.keys().chain(plan.network.statistics.keys());
        names.map(|name| (name.clone(), plan.network.numbers(name))).collect()
    }

    /// Whether it has as many numbers of each tensor as the network.
    fn fits(&self, plan: &Plan) -> bool {
        let names = plan.learnt.keys().chain(plan.network.statistics.keys());
        let wanted: BTreeMap<&String, usize> = names.map(|name| (name, plan.network.count(name))).collect();
        let same = |own: &BTreeMap<String, Vec<f32>>| {
            own.len() == wanted.len()
                && own.iter().all(|(name, values)| wanted.get(name) == Some(&values.len()))
        };
        let long = |(name, own): (&String, &Moments)| {
            let count = wanted.get(name).copied();
            count == Some(own.first.len()) && (own.second.is_empty() || count == Some(own.second.len()))
        };
        same(&self.now) && same(&self.kept) && self.moments.iter().all(long)
    }

    /// Takes the network as it is now.
    pub(super) fn take(&mut self, plan: &Plan) {
        self.now = Self::changing(plan);
    }

    /// Takes the network as the best so far.
    pub(super) fn keep(&mut self, plan: &Plan) {
        self.kept = Self::changing(plan);
    }

    /// Puts the weights into a network.
    pub(super) fn put(&self, network: &mut Network) {
        self.now.iter().for_each(|(name, values)| network.set(name, values.clone()));
    }

    /// Puts the best weights into a network.
    pub(super) fn put_best(&self, network: &mut Network) {
        self.kept.iter().for_each(|(name, values)| network.set(name, values.clone()));
    }

    /// Writes the file whole or not at all. `key` stands for what the training is.
    pub(super) fn write(&self, path: &Path, key: &str) -> Result<()> {
        let moments =
            |part: fn(&Moments) -> &Vec<f32>| self.moments.iter().map(move |(name, own)| (name, part(own)));
        let parts = self.now.iter().map(|(name, values)| (format!("now.{name}"), values));
        let parts = parts.chain(self.kept.iter().map(|(name, values)| (format!("best.{name}"), values)));
        let parts = parts.chain(moments(|own| &own.first).map(|(name, v)| (format!("first.{name}"), v)));
        let parts = parts.chain(moments(|own| &own.second).map(|(name, v)| (format!("second.{name}"), v)));
        let parts: Vec<(String, [usize; 1], &[f32])> =
            parts.map(|(name, values)| (name, [values.len()], &values[..])).collect();
        let tensors = parts.iter().map(|(name, shape, values)| (&name[..], (&shape[..], *values)));
        let steps: BTreeMap<&String, u64> =
            self.moments.iter().map(|(name, own)| (name, own.steps)).collect();
        let failed = |error: serde_json::Error| Error::io(path, error.into());
        let metadata = BTreeMap::from([
            (NOTES_KEY.to_string(), key.to_string()),
            ("epochs".into(), serde_json::to_string(&self.epochs).map_err(failed)?),
            ("best".into(), self.best.to_string()),
            ("steps".into(), serde_json::to_string(&steps).map_err(failed)?),
        ]);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        write_whole(path, &safetensors(path, &tensors.collect(), &metadata)?)
    }

    /// The state in a file, which is read in at most `budget` bytes; `None` if there is none. That of another training is
    /// refused.
    pub(super) fn read(path: &Path, key: &str, plan: &Plan, budget: u64) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let Checkpoint { tensors, metadata, .. } = Checkpoint::read(path, budget)?;
        let thing = format!("`{}`", path.display());
        if metadata.get(NOTES_KEY).map(String::as_str) != Some(key) {
            let problem = "is of a training with other weights, pictures or settings";
            return Err(Error::input(
                thing,
                problem,
                "give the same command, or another folder with `‹out›`",
            ));
        }
        let damaged = || Error::input(&thing, "is damaged", "remove it to begin anew");
        let text = |name: &str| metadata.get(name).ok_or_else(damaged);
        let epochs = serde_json::from_str(text("epochs")?).map_err(|_| damaged())?;
        let steps: BTreeMap<String, u64> = serde_json::from_str(text("steps")?).map_err(|_| damaged())?;
        let best = text("best")?.parse().map_err(|_| damaged())?;
        let mut state = Self { epochs, best, ..Self::default() };
        for (name, Stored { values, .. }) in tensors {
            let (part, name) = name.split_once('.').ok_or_else(damaged)?;
            let name = name.to_string();
            match part {
                "now" => drop(state.now.insert(name, values)),
                "best" => drop(state.kept.insert(name, values)),
                "first" => state.moments.entry(name).or_default().first = values,
                _ => state.moments.entry(name).or_default().second = values,
            }
        }
        for (name, own) in &mut state.moments {
            own.steps = *steps.get(name).ok_or_else(damaged)?;
        }
        if state.best >= state.epochs.len() || !state.fits(plan) {
            return Err(damaged());
        }
        Ok(Some(state))
    }
}
