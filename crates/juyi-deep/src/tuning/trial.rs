//! One strategy from start to end: what pictures that it did not see say of it, and the network that it makes of all.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use juyi::context::Context;
use juyi::error::{Error, Result};
use juyi::linalg::{Matrix, select_rows};
use juyi::models::{Answers, softmax_rows};
use juyi::report::Epoch;

use super::batch::{right, scores};
use super::classifier::Classifier;
use super::head::{self, Head, Solved};
use super::head_to_toe;
use super::inputs::{Inputs, Pictures};
use super::regularizers::{Kind, Known, prepare};
use super::settings::Settings;
use super::strategy::{Plan, Strategy};
use super::training::{Trained, Training};
use crate::architecture::{Architecture, Auxiliary};
use crate::device::device;
use crate::features::{Extractor, Kept};
use crate::layers::{Layer, Parameter};
use crate::network::Network;
use crate::zoo::Recognized;

/// Parts along a side of each stage's map that `Head2Toe` looks at.
const TOE_SIDE: usize = 2;
/// What the tensors of the head that came with the checkpoint are called while it is kept.
const OWN_HEAD: &str = "source.";

/// What trials share.
pub(super) struct Trials<'a> {
    pub(super) source: &'a Recognized,
    pub(super) pictures: &'a Pictures,
    pub(super) settings: &'a Settings,
    /// Folds of the pictures, each class spread evenly.
    pub(super) folds: Vec<Vec<usize>>,
    /// Where trainings note how far they are.
    pub(super) notes: Option<&'a Path>,
    /// The features of all pictures by the checkpoint's network, once they are computed.
    pub(super) features: OnceCell<Matrix>,
}

/// A strategy that was tried.
pub(super) struct Trial {
    pub(super) strategy: Strategy,
    /// Whether weights were drawn at random: no transfer.
    pub(super) drawn: bool,
    /// Of each picture that was kept aside, a probability of each class.
    pub(super) aside: Vec<Option<Vec<f64>>>,
    /// The epochs of the training that was judged; empty where there was none.
    pub(super) epochs: Vec<Epoch>,
    /// The inverse penalty of a head that was solved.
    pub(super) inverse_penalty: Option<f64>,
    pub(super) seconds: f64,
    /// Made of all pictures.
    pub(super) classifier: Classifier,
}

impl Trials<'_> {
    /// The network with a head for the new classes: from the checkpoint, or drawn.
    fn network(&self, drawn: bool, strategy: Strategy, context: &Context) -> Result<Network> {
        let mut own = self.source.architecture.clone().with_classes(self.pictures.names.len());
        let device = device();
        if drawn {
            // Second heads help a gradient to reach far down; a checkpoint's stages need no such help.
            if strategy != Strategy::Scratch {
                own.auxiliary.clear();
            }
            return Ok(Network::from_chance(own, context, &device));
        }
        own.auxiliary.clear();
        let heads: BTreeSet<String> =
            own.head.iter().flat_map(Layer::parameters).map(|own| own.name).collect();
        let mut tensors: BTreeMap<_, _> = self.source.tensors.clone();
        tensors.retain(|name, _| !heads.contains(name));
        let keeps = self.settings.regularization.is_some_and(|own| own.kind.takes_head());
        if keeps && !strategy.is_convex() {
            if !self.source.with_head {
                let problem = "takes the head that came with the checkpoint, which has none";
                return Err(Error::input("`--regularize`", problem, "take `l2-sp`, `delta` or `bss`"));
            }
            let after = own.stages.len() - 1;
            let layers = self.source.architecture.head.iter().map(renamed).collect();
            own.auxiliary.push(Auxiliary { after, share: 0.0, layers });
            for name in heads {
                tensors.insert(format!("{OWN_HEAD}{name}"), self.source.tensors[&name].clone());
            }
        }
        Network::from_tensors(own, &tensors, context, &device)
    }

    /// The tensors that come from the checkpoint.
    fn known(network: &Network) -> BTreeSet<String> {
        let own = &network.architecture;
        let trunk = own.stages.iter().flat_map(|stage| &stage.layers);
        let all = trunk.chain(own.auxiliary.iter().flat_map(|own| &own.layers)).flat_map(Layer::parameters);
        all.map(|Parameter { name, .. }| name).collect()
    }

    /// What an extractor keeps of all pictures, as rows.
    fn rows(&self, network: &Network, kept: Kept, context: &Context) -> Result<Matrix> {
        let own = network.architecture.clone();
        let extractor = Extractor::new(own, network.tensors(), kept)?;
        let bytes = 8 * (self.pictures.files.len() * extractor.width()) as u64;
        context.require("the features of the pictures", 2 * bytes)?;
        let rows = self.pictures.rows(&extractor, None, context)?;
        Ok(Matrix::from_fn(rows.len(), extractor.width(), |i, j| f64::from(rows[i][j])))
    }

    /// Tries a strategy; `drawn` takes weights drawn at random instead of the checkpoint's. With `refit` a network that
    /// is trained is trained again on all pictures after it was judged.
    pub(super) fn run(
        &self,
        strategy: Strategy,
        drawn: bool,
        refit: bool,
        context: &mut Context,
    ) -> Result<Trial> {
        let network = self.network(drawn || strategy == Strategy::Scratch, strategy, context)?;
        if strategy.is_convex()
            && (strategy != Strategy::Head || linear_head(&network.architecture).is_some())
        {
            return self.solve(strategy, drawn, network, context);
        }
        self.train(strategy, drawn, &network, refit, context)
    }

    fn solve(
        &self,
        strategy: Strategy,
        drawn: bool,
        mut network: Network,
        context: &Context,
    ) -> Result<Trial> {
        let begin = Instant::now();
        let kept = match strategy {
            Strategy::Hypercolumns => Kept::Levels { side: 1 },
            Strategy::HeadToToe => Kept::Levels { side: TOE_SIDE },
            _ => Kept::Features,
        };
        let computed;
        let rows = if kept == Kept::Features && !drawn {
            self.features(&network, context)?
        } else {
            computed = self.rows(&network, kept, context)?;
            &computed
        };
        let (classes, names) = (&self.pictures.classes, self.pictures.names.clone());
        let solved = if strategy == Strategy::HeadToToe {
            head_to_toe::solve(rows, classes, names.len(), &self.folds, context)?
        } else {
            let penalty = self.settings.inverse_penalty;
            head::solve(rows, classes, names.len(), &self.folds, penalty, context)?
        };
        let Solved { head, inverse_penalty, aside } = solved;
        let classifier = if let Kept::Levels { side } = kept {
            let own = network.architecture.clone();
            let parts = [head.weights, head.biases];
            Classifier::on_stages(own, trunk(&network), names, side, parts)
        } else {
            put(&mut network, &head);
            Classifier::new(network.architecture.clone(), network.tensors(), names)
        };
        let row = |i: usize| Some(aside.row(i).iter().copied().collect());
        Ok(Trial {
            strategy,
            drawn,
            aside: (0..classes.len()).map(row).collect(),
            epochs: Vec::new(),
            inverse_penalty: Some(inverse_penalty),
            seconds: begin.elapsed().as_secs_f64(),
            classifier,
        })
    }

    fn train(
        &self,
        strategy: Strategy,
        drawn: bool,
        network: &Network,
        refit: bool,
        context: &mut Context,
    ) -> Result<Trial> {
        let begin = Instant::now();
        let purpose = |what: &str| format!("{}{what}", if drawn { "drawn-" } else { "" });
        let aside = &self.folds[0];
        let all: Vec<usize> = (0..self.pictures.files.len()).collect();
        let train: Vec<usize> = all.iter().copied().filter(|at| aside.binary_search(at).is_err()).collect();
        let (first, inputs) = self.inputs(strategy, network, context)?;
        let trained =
            self.training(strategy, network, &inputs, train, aside.clone(), &purpose("aside"), context)?;
        let Trained { network: judged, epochs } = trained;
        let (scores, count) = (scores(&judged, first, &inputs, aside)?, self.pictures.names.len());
        let mut found = Matrix::from_fn(aside.len(), count, |i, c| f64::from(scores[i * count + c]));
        softmax_rows(&mut found);
        let mut shares = vec![None; all.len()];
        for (row, &at) in aside.iter().enumerate() {
            shares[at] = Some(found.row(row).iter().copied().collect());
        }
        let network = if refit {
            self.training(strategy, network, &inputs, all, Vec::new(), &purpose("all"), context)?.network
        } else {
            judged
        };
        let own = Architecture { auxiliary: Vec::new(), ..network.architecture.clone() };
        let mut tensors = network.tensors();
        tensors.retain(|name, _| !name.starts_with(OWN_HEAD));
        Ok(Trial {
            strategy,
            drawn: drawn || strategy == Strategy::Scratch,
            aside: shares,
            epochs,
            inverse_penalty: None,
            seconds: begin.elapsed().as_secs_f64(),
            classifier: Classifier::new(own, tensors, self.pictures.names.clone()),
        })
    }

    /// The share of some pictures that is right after training on others.
    pub(super) fn test(
        &self,
        strategy: Strategy,
        train: &[usize],
        test: &[usize],
        context: &mut Context,
    ) -> Result<f64> {
        let network = self.network(strategy == Strategy::Scratch, strategy, context)?;
        let truth: Vec<usize> = test.iter().map(|&at| self.pictures.classes[at]).collect();
        let hits = if strategy == Strategy::Head && linear_head(&network.architecture).is_some() {
            let (_, head) = self.solved_on(&network, train, context)?;
            let rows = select_rows(self.features(&network, context)?.as_ref(), test);
            let said = Answers::from_shares(head.probabilities(&rows)).answer;
            said.iter().zip(&truth).filter(|(said, truth)| **said as usize == **truth).count()
        } else {
            let (first, inputs) = self.inputs(strategy, &network, context)?;
            let none = Vec::new();
            let trained =
                self.training(strategy, &network, &inputs, train.to_vec(), none, "test", context)?;
            right(&scores(&trained.network, first, &inputs, test)?, &truth)
        };
        Ok(hits as f64 / test.len().max(1) as f64)
    }

    /// The first stage that is trained, and what goes into it. That does not hang on which pictures are trained on, and is
    /// computed once.
    fn inputs(
        &self,
        strategy: Strategy,
        network: &Network,
        context: &Context,
    ) -> Result<(usize, Inputs<'_>)> {
        let plan = self.plan(strategy, network.clone(), context)?;
        let (views, augmentation) = (self.settings.views, &self.settings.augmentation);
        let inputs = Inputs::new(&plan.network, plan.first, self.pictures, augmentation, views, context)?;
        Ok((plan.first, inputs))
    }

    /// The features of some pictures, and the head that solves the problem on them.
    fn solved_on(&self, network: &Network, which: &[usize], context: &Context) -> Result<(Matrix, Head)> {
        let (classes, count) = (&self.pictures.classes, self.pictures.names.len());
        let rows = select_rows(self.features(network, context)?.as_ref(), which);
        let of: Vec<usize> = which.iter().map(|&at| classes[at]).collect();
        let folds = head::stratified(&of, count, context);
        let penalty = self.settings.inverse_penalty;
        let head = head::solve(&rows, &of, count, &folds, penalty, context)?.head;
        Ok((rows, head))
    }

    /// What is learnt of a network.
    fn plan(&self, strategy: Strategy, network: Network, context: &Context) -> Result<Plan> {
        let known = Self::known(&network);
        let solved = self.settings.starts_solved(strategy);
        Plan::new(strategy, network, &known, solved, self.settings.epochs, context)
    }

    /// Trains on some pictures, others aside.
    #[allow(clippy::too_many_arguments)]
    fn training(
        &self,
        strategy: Strategy,
        network: &Network,
        inputs: &Inputs<'_>,
        train: Vec<usize>,
        check: Vec<usize>,
        purpose: &str,
        context: &mut Context,
    ) -> Result<Trained> {
        let (settings, count, classes) = (self.settings, self.pictures.names.len(), &self.pictures.classes);
        let mut network = network.clone();
        let solved_start = settings.starts_solved(strategy);
        let delta = settings.regularization.is_some_and(|own| own.kind == Kind::Delta);
        let linear = linear_head(&network.architecture).is_some();
        if solved_start && !linear {
            let problem = format!("the head of `{}` is not one linear layer", network.architecture.name);
            return Err(Error::input("`head-start=solved`", problem, "take `head-start=drawn`"));
        }
        // Solved on the pictures that are trained on, so that those aside stay unseen.
        let solved = if (solved_start || delta) && linear {
            Some(self.solved_on(&network, &train, context)?)
        } else {
            None
        };
        if let (true, Some((_, head))) = (solved_start, &solved) {
            put(&mut network, head);
        }
        let plan = self.plan(strategy, network, context)?;
        let solved = solved.as_ref();
        let known = Known { plan: &plan, inputs, train: &train, classes, count, solved };
        let regularizer = settings.regularization.map(|own| prepare(own, &known, context)).transpose()?;
        let title = format!("training {strategy}").replace(':', " "); // a colon begins the news
        let training =
            Training { settings, strategy, plan, regularizer, inputs, classes, train, check, count, title };
        let file = self.notes.map(|folder| {
            let name = format!("{strategy}-{purpose}").replace(':', "-");
            folder.join(format!("{name}.safetensors"))
        });
        training.run(file.as_deref(), context)
    }

    /// The features of all pictures by the checkpoint's network, computed once.
    fn features(&self, network: &Network, context: &Context) -> Result<&Matrix> {
        if let Some(rows) = self.features.get() {
            return Ok(rows);
        }
        let rows = self.rows(network, Kept::Features, context)?;
        Ok(self.features.get_or_init(|| rows))
    }
}

/// The name of the one linear layer that a head ends in, if nothing with weights stands before it.
fn linear_head(own: &Architecture) -> Option<&str> {
    let weighted: Vec<&Layer> = own.head.iter().filter(|layer| !layer.parameters().is_empty()).collect();
    match (&weighted[..], own.head.last()) {
        ([Layer::Linear { name, .. }], Some(Layer::Linear { .. })) => Some(name),
        _ => None,
    }
}

/// Puts a solved head in place.
fn put(network: &mut Network, head: &Head) {
    if let Some(name) = linear_head(&network.architecture).map(String::from) {
        network.set(&format!("{name}.weight"), head.weights.clone());
        network.set(&format!("{name}.bias"), head.biases.clone());
    }
}

/// The tensors without those of the head.
fn trunk(network: &Network) -> BTreeMap<String, crate::checkpoint::Stored> {
    let mut tensors = network.tensors();
    for own in network.architecture.head.iter().flat_map(Layer::parameters) {
        tensors.remove(&own.name);
    }
    tensors
}

/// The layer with tensors of another name.
fn renamed(layer: &Layer) -> Layer {
    match layer.clone() {
        Layer::Linear { name, inputs, outputs } => {
            Layer::Linear { name: format!("{OWN_HEAD}{name}"), inputs, outputs }
        }
        Layer::Convolution(mut own) => {
            own.name = format!("{OWN_HEAD}{}", own.name);
            Layer::Convolution(own)
        }
        layer => layer,
    }
}
