//! Networks as plain data: stages in order, a head, and how pictures are to be prepared.

use std::collections::BTreeSet;

use juyi::error::{Error, Result, shown};
use serde::{Deserialize, Serialize};

use crate::costs::Cost;
use crate::extents::Extent;
use crate::fit::after_all;
use crate::images::Recipe;
use crate::layers::{Layer, Parameter};
use crate::limits::{DEEPEST, MOST_LAYERS, MOST_WORK};

/// A network. Between any two stages it may be cut: what is frozen lies before the cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// The name in the zoo.
    pub name: String,
    /// Whose names the tensors bear; see `juyi networks`.
    pub layout: String,
    /// How a picture becomes numbers.
    pub recipe: Recipe,
    /// The trunk: from the picture to its features.
    pub stages: Vec<Stage>,
    /// From what the trunk leaves to a score for each class.
    pub head: Vec<Layer>,
    /// Second heads that only training uses.
    pub auxiliary: Vec<Auxiliary>,
}

/// Layers that are frozen or tuned together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What it is called in the checkpoint, where it has a name there.
    pub name: String,
    /// Its layers.
    pub layers: Vec<Layer>,
}

/// A head on an earlier stage, for a gradient that reaches far down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Auxiliary {
    /// The number of the stage that it stands on.
    pub after: usize,
    /// What its loss counts beside that of the head.
    pub share: f64,
    /// Its layers, to a score for each class.
    pub layers: Vec<Layer>,
}

/// Endings of the names of what tuning puts beside a tensor.
pub(crate) const BESIDE: [&str; 3] = [".up", ".down", ".factors"];

/// What a stage does to one picture of the usual size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageFacts {
    /// Its name; `head` for the head.
    pub name: String,
    /// What comes out of it.
    pub extent: Extent,
    /// Numbers that are learnt.
    pub parameters: usize,
    /// Products of two numbers that a picture takes.
    pub products: u64,
}

/// A stage.
pub fn stage(name: impl Into<String>, layers: Vec<Layer>) -> Stage {
    Stage { name: name.into(), layers }
}

impl Architecture {
    /// What comes in: three channels of a square of [`Recipe::crop`].
    pub fn input(&self) -> Extent {
        Extent::Map(3, self.recipe.crop, self.recipe.crop)
    }

    /// All tensors that it takes, trunk first, then the head, then what only training uses.
    pub fn parameters(&self) -> Vec<Parameter> {
        let trunk = self.stages.iter().flat_map(|stage| &stage.layers);
        let auxiliary = self.auxiliary.iter().flat_map(|own| &own.layers);
        trunk.chain(&self.head).chain(auxiliary).flat_map(Layer::parameters).collect()
    }

    /// Bytes that its tensors take.
    pub fn bytes(&self) -> u64 {
        let count =
            |own: Parameter| own.shape.iter().fold(4u64, |all, side| all.saturating_mul(*side as u64));
        self.parameters().into_iter().map(count).fold(0, u64::saturating_add)
    }

    /// Stage by stage, what happens to one picture of the usual size; the head last.
    ///
    /// # Errors
    /// If the stages do not fit each other.
    pub fn facts(&self) -> Result<Vec<StageFacts>> {
        let mut extent = self.input();
        let stages = self.stages.iter().map(|stage| (stage.name.as_str(), &stage.layers));
        let all = stages.chain([("head", &self.head)]);
        all.map(|(name, layers)| {
            let (out, Cost { products, .. }) = after_all(layers, extent)?;
            extent = out;
            let parameters = layers.iter().flat_map(Layer::parameters).filter(|own| !own.statistic);
            let parameters = parameters.fold(0, |sum: usize, own| sum.saturating_add(own.count()));
            Ok(StageFacts { name: name.into(), extent, parameters, products })
        })
        .collect()
    }

    /// What one picture takes on its way through stages and head.
    ///
    /// # Errors
    /// If the stages do not fit each other.
    pub fn cost(&self) -> Result<Cost> {
        let all = self.stages.iter().map(|stage| &stage.layers).chain([&self.head]);
        let start = (self.input(), Cost::default());
        let end = all.into_iter().try_fold(start, |(extent, cost), layers| {
            after_all(layers, extent).map(|(extent, more)| (extent, cost + more))
        });
        Ok(end?.1)
    }

    /// What leaves the first `stages` stages.
    ///
    /// # Errors
    /// If they do not fit each other.
    pub fn after(&self, stages: usize) -> Result<Extent> {
        let first = &self.stages[..stages];
        first.iter().try_fold(self.input(), |extent, stage| Ok(after_all(&stage.layers, extent)?.0))
    }

    /// How many features a picture has: the channels of the last map, or the numbers of the last vector.
    ///
    /// # Errors
    /// If the stages do not fit each other.
    pub fn width(&self) -> Result<usize> {
        Ok(match self.after(self.stages.len())? {
            Extent::Map(channels, ..) => channels,
            Extent::Tokens(_, width) | Extent::Vector(width) => width,
        })
    }

    /// How many classes the head tells apart.
    pub fn classes(&self) -> usize {
        outputs(&self.head).unwrap_or(0)
    }

    /// The same with heads for this many classes.
    #[must_use]
    pub fn with_classes(mut self, classes: usize) -> Self {
        for layers in [&mut self.head].into_iter().chain(self.auxiliary.iter_mut().map(|own| &mut own.layers))
        {
            let own = layers.iter_mut().rev().find_map(|layer| match layer {
                Layer::Linear { outputs, .. } => Some(outputs),
                Layer::Convolution(own) => Some(&mut own.outputs),
                _ => None,
            });
            if let Some(outputs) = own {
                *outputs = classes;
            }
        }
        self
    }

    /// Whether it can be run: each layer takes what the one before it gives, each tensor and stage has a name of its own,
    /// a head ends in a vector, and neither sizes nor work are beyond what is sensible. An empty head is none.
    ///
    /// # Errors
    /// [`Error::Input`] naming the layer, stage or tensor; [`Error::Param`] for the preparation of pictures.
    pub fn check(&self) -> Result<()> {
        self.recipe.check()?;
        if self.stages.is_empty() {
            return Err(Error::input("the network", "has no stage", ""));
        }
        let mut count = self.stages.len();
        let trunk = self.stages.iter().map(|stage| &stage.layers);
        let auxiliary = self.auxiliary.iter().map(|own| &own.layers);
        trunk.chain([&self.head]).chain(auxiliary).try_for_each(|own| count_layers(own, 1, &mut count))?;
        let facts = self.facts()?;
        let out = facts.last().map(|fact| fact.extent);
        if !self.head.is_empty() && out != Some(Extent::Vector(self.classes())) {
            let got = out.map_or_else(String::new, |extent| extent.to_string());
            let problem = format!("must give a score for each of {} classes, gives {got}", self.classes());
            return Err(Error::input("the head", problem, ""));
        }
        for (number, own) in self.auxiliary.iter().enumerate() {
            self.check_auxiliary(number, own)?;
        }
        within_work(self.cost()?)?;
        self.check_names()
    }

    fn check_auxiliary(&self, number: usize, own: &Auxiliary) -> Result<()> {
        let refused = |problem: String| Err(Error::input(format!("second head {number}"), problem, ""));
        if own.after >= self.stages.len() {
            return refused(format!("stands on stage {}, there are {}", own.after, self.stages.len()));
        }
        if !(own.share.is_finite() && own.share >= 0.0) {
            return refused(format!("its share must be finite and not below 0, got {}", own.share));
        }
        let (out, cost) = after_all(&own.layers, self.after(own.after + 1)?)?;
        if !matches!(out, Extent::Vector(_)) {
            return refused(format!("must give a score for each class, gives {out}"));
        }
        within_work(cost)
    }

    fn check_names(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.stages.iter().find(|stage| !names.insert(&stage.name)) {
            let thing = format!("the stage `{}`", shown(&twice.name));
            return Err(Error::input(thing, "is there twice", ""));
        }
        let mut names = BTreeSet::new();
        for Parameter { name, .. } in self.parameters() {
            let thing = format!("the tensor `{}`", shown(&name));
            if BESIDE.iter().any(|end| name.ends_with(end)) {
                let problem =
                    format!("ends in one of {}, which tuning puts beside tensors", BESIDE.join(", "));
                return Err(Error::input(thing, problem, ""));
            }
            if !names.insert(name) {
                return Err(Error::input(thing, "belongs to two layers", ""));
            }
        }
        Ok(())
    }

    /// The number of the stage with this name.
    pub fn stage(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.name == name)
    }
}

/// What the last layer with weights gives.
fn outputs(layers: &[Layer]) -> Option<usize> {
    layers.iter().rev().find_map(|layer| match layer {
        Layer::Linear { outputs, .. } => Some(*outputs),
        Layer::Convolution(own) => Some(own.outputs),
        _ => None,
    })
}

/// Adds the layers to a count, those inside others among them.
fn count_layers(layers: &[Layer], depth: usize, count: &mut usize) -> Result<()> {
    let refused = |problem: String| Err(Error::input("the layers", problem, ""));
    *count += layers.len();
    if *count > MOST_LAYERS {
        return refused(format!("are more than {MOST_LAYERS}"));
    }
    if depth > DEEPEST {
        return refused(format!("lie more than {DEEPEST} deep inside each other"));
    }
    layers.iter().flat_map(Layer::inner).try_for_each(|inner| count_layers(inner, depth + 1, count))
}

/// Whether this much may be done for a picture.
fn within_work(Cost { work, .. }: Cost) -> Result<()> {
    if work <= MOST_WORK {
        return Ok(());
    }
    let problem = format!("takes work worth {work} products for one picture, the limit is {MOST_WORK}");
    Err(Error::input("the network", problem, ""))
}
