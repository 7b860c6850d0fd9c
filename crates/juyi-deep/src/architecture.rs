//! Networks as plain data: stages in order, a head, and how pictures are to be prepared.

use juyi::error::Result;
use serde::{Deserialize, Serialize};

use crate::extents::{Extent, after_all};
use crate::images::Recipe;
use crate::layers::{Layer, Parameter};

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
            let (out, products) = after_all(layers, extent)?;
            extent = out;
            let parameters = layers.iter().flat_map(Layer::parameters).filter(|own| !own.statistic);
            let parameters = parameters.map(|own| own.shape.iter().product::<usize>()).sum();
            Ok(StageFacts { name: name.into(), extent, parameters, products })
        })
        .collect()
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
