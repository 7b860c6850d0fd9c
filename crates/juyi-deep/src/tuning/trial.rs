//! One strategy from start to end: what pictures that it did not see say of it, and the network that it makes of all.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use juyi::context::Context;
use juyi::error::{Error, Result};
use juyi::linalg::{Matrix, select_rows};
use juyi::models::Answers;

use super::about::OWN_HEAD;
use super::classifier::Classifier;
use super::head::{self, Head, Solved};
use super::head_to_toe;
use super::inputs::Pictures;
use super::scores::{right, scores};
use super::settings::Settings;
use super::strategy::Strategy;
use super::tried::{Start, Trial};
use crate::architecture::{Architecture, Auxiliary};
use crate::device::device;
use crate::features::{Extractor, Kept};
use crate::layers::{Layer, Parameter};
use crate::network::Network;
use crate::tensors::check_size;
use crate::zoo::Recognized;

/// What trials share.
pub(super) struct Trials<'a> {
    pub(super) source: &'a Recognized,
    pub(super) pictures: &'a Pictures,
    pub(super) settings: &'a Settings,
    /// Folds of the pictures, each class spread evenly.
    pub(super) folds: Vec<Vec<usize>>,
    /// For each picture the one that it is a copy of, or itself.
    pub(super) leaders: Vec<usize>,
    /// Where trainings note how far they are.
    pub(super) notes: Option<&'a Path>,
    /// The features of all pictures by the checkpoint's network, once they are computed.
    pub(super) features: OnceCell<Matrix>,
}

impl<'a> Trials<'a> {
    /// The network with a head for the new classes: from the checkpoint, or drawn.
    pub(super) fn network(&self, drawn: bool, strategy: Strategy, context: &Context) -> Result<Network> {
        let mut own = self.source.architecture.clone().with_classes(self.pictures.names.len());
        let device = device();
        check_size(&own, context)?;
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
        if keeps && !is_solved(strategy, &own) {
            if !self.source.with_head {
                let problem = "takes the head that came with the checkpoint, which has none";
                return Err(Error::input("`‹regularize›`", problem, "take `l2-sp`, `delta` or `bss`"));
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
    pub(super) fn known(network: &Network) -> BTreeSet<String> {
        let own = &network.architecture;
        let trunk = own.stages.iter().flat_map(|stage| &stage.layers);
        let all = trunk.chain(own.auxiliary.iter().flat_map(|own| &own.layers)).flat_map(Layer::parameters);
        all.map(|Parameter { name, .. }| name).collect()
    }

    /// What an extractor keeps of all pictures, as rows.
    fn rows(&self, network: &Network, kept: Kept, context: &Context) -> Result<Matrix> {
        let own = network.architecture.clone();
        let copied = own.bytes();
        context.require(&format!("a copy of the network `{}`", own.name), copied)?;
        let context = &context.beside(copied);
        let extractor = Extractor::new(own, network.tensors(), kept, context)?;
        let bytes = 8 * self.pictures.files.len() as u64 * extractor.width() as u64;
        context.require("the features of the pictures", 2 * bytes)?;
        let rows = self.pictures.rows(&extractor, None, &context.beside(bytes))?;
        Ok(Matrix::from_fn(rows.len(), extractor.width(), |i, j| f64::from(rows[i][j])))
    }

    /// Tries a strategy; `drawn` takes weights drawn at random instead of the checkpoint's. A training is judged on the
    /// first of the folds.
    pub(super) fn run(&self, strategy: Strategy, drawn: bool, context: &mut Context) -> Result<Trial<'a>> {
        let network = self.network(drawn || strategy == Strategy::Scratch, strategy, context)?;
        let bytes = network.architecture.bytes();
        context.take(bytes);
        let trial = if is_solved(strategy, &network.architecture) {
            self.solve(strategy, drawn, network, context)
        } else {
            self.train(strategy, drawn, &network, &[self.settings.rate()], &self.folds[..1], context)
        };
        context.give_back(bytes);
        trial
    }

    /// Tries a strategy that trains at several rates: the one whose probabilities are best on the first fold, then judged
    /// on all of them.
    pub(super) fn cross_validate(&self, strategy: Strategy, context: &mut Context) -> Result<Trial<'a>> {
        let network = self.network(false, strategy, context)?;
        let bytes = network.architecture.bytes();
        context.take(bytes);
        let trial = self.train(strategy, false, &network, self.settings.rates(), &self.folds, context);
        context.give_back(bytes);
        trial
    }

    fn solve(
        &self,
        strategy: Strategy,
        drawn: bool,
        mut network: Network,
        context: &Context,
    ) -> Result<Trial<'a>> {
        let begin = Instant::now();
        let (classes, names) = (&self.pictures.classes, self.pictures.names.clone());
        if drawn {
            let rows = self.rows(&network, kept(strategy), context)?;
            return self.rival(Start::Drawn, rows, begin, context);
        }
        let (kept, solved) = if strategy == Strategy::Head {
            let penalty = self.settings.inverse_penalty;
            let rows = self.features(&network, context)?;
            (Kept::Features, head::solve(rows, classes, names.len(), &self.folds, penalty, context)?)
        } else {
            let kept = kept(strategy);
            let rows = self.rows(&network, kept, context)?;
            (kept, self.solved(&rows, &network, kept, classes, &self.folds, context)?)
        };
        let classifier = if kept == Kept::Features {
            put(&mut network, &solved.head);
            Classifier::new(network.architecture.clone(), network.tensors(), names)
        } else {
            let (own, selection) = (network.architecture.clone(), solved.selection.as_ref());
            Classifier::on_stages(own, trunk(&network), names, kept, solved.head.clone(), selection)
        };
        let trial = Trial::of_solved(strategy, Start::Checkpoint, solved, begin);
        Ok(Trial { classifier: Some(classifier), ..trial })
    }

    /// A head solved on rows that know nothing of the checkpoint.
    pub(super) fn rival(
        &self,
        start: Start,
        rows: Matrix,
        begin: Instant,
        context: &Context,
    ) -> Result<Trial<'a>> {
        let Pictures { classes, names, .. } = self.pictures;
        let penalty = self.settings.inverse_penalty;
        let solved = head::solve(&rows, classes, names.len(), &self.folds, penalty, context)?;
        Ok(Trial { rows: Some(rows), ..Trial::of_solved(Strategy::Head, start, solved, begin) })
    }

    /// The head that solves the problem on rows of what is kept, the classes of which are `of`.
    fn solved(
        &self,
        rows: &Matrix,
        network: &Network,
        kept: Kept,
        of: &[usize],
        folds: &[Vec<usize>],
        context: &Context,
    ) -> Result<Solved> {
        let (classes, penalty) = (self.pictures.names.len(), self.settings.inverse_penalty);
        if let Kept::Pooled { .. } = kept {
            let widths = kept.widths(&network.architecture)?;
            head_to_toe::solve(rows, &widths, of, classes, folds, penalty, context)
        } else {
            head::solve(rows, of, classes, folds, penalty, context)
        }
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
        let solved = is_solved(strategy, &network.architecture);
        let hits = if solved && strategy == Strategy::Head {
            let head = self.solved_on(&network, train, context)?;
            let rows = select_rows(self.features(&network, context)?.as_ref(), test);
            let said = Answers::from_shares(head.probabilities(&rows)).answer;
            hits(&said, &truth)
        } else if solved {
            let kept = kept(strategy);
            let rows = self.rows(&network, kept, context)?;
            let of: Vec<usize> = train.iter().map(|&at| self.pictures.classes[at]).collect();
            let folds = self.folds_of(train, &of, context);
            let own = select_rows(rows.as_ref(), train);
            let solved = self.solved(&own, &network, kept, &of, &folds, context)?;
            let said = solved.probabilities(&select_rows(rows.as_ref(), test));
            hits(&Answers::from_shares(said).answer, &truth)
        } else {
            let (first, inputs) = self.inputs(strategy, &network, context)?;
            let (rate, pictures) = (self.settings.rate(), (train.to_vec(), Vec::new()));
            let what = ("test", false);
            let trained = self.training(strategy, &network, &inputs, rate, pictures, what, context)?;
            right(&scores(&trained.network, first, &inputs, test, context)?, &truth)
        };
        Ok(hits as f64 / test.len().max(1) as f64)
    }

    /// The head that solves the problem on the features of some pictures.
    pub(super) fn solved_on(&self, network: &Network, which: &[usize], context: &Context) -> Result<Head> {
        let (classes, count) = (&self.pictures.classes, self.pictures.names.len());
        let rows = select_rows(self.features(network, context)?.as_ref(), which);
        let of: Vec<usize> = which.iter().map(|&at| classes[at]).collect();
        let folds = self.folds_of(which, &of, context);
        let penalty = self.settings.inverse_penalty;
        Ok(head::solve(&rows, &of, count, &folds, penalty, context)?.head)
    }

    /// Folds of some pictures, of these classes.
    fn folds_of(&self, which: &[usize], of: &[usize], context: &Context) -> Vec<Vec<usize>> {
        let first = |at: &usize| which.iter().position(|other| self.leaders[*other] == self.leaders[*at]);
        let leaders: Vec<usize> = which.iter().filter_map(first).collect();
        head::stratified(of, &leaders, self.pictures.names.len(), context)
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

/// Whether a strategy is solved: it learns a linear head alone, and the network has a place for it.
pub(super) fn is_solved(strategy: Strategy, own: &Architecture) -> bool {
    strategy.is_convex() && (strategy != Strategy::Head || linear_head(own).is_some())
}

/// What of a picture a solved head takes.
fn kept(strategy: Strategy) -> Kept {
    match strategy {
        Strategy::Hypercolumns => Kept::Levels { side: 1 },
        Strategy::HeadToToe => Kept::Pooled { target: head_to_toe::TARGET },
        _ => Kept::Features,
    }
}

/// How many answers are true.
fn hits(said: &[f64], truth: &[usize]) -> usize {
    said.iter().zip(truth).filter(|(said, truth)| **said as usize == **truth).count()
}

/// The name of the one linear layer that a head ends in, if nothing with weights stands before it.
pub(super) fn linear_head(own: &Architecture) -> Option<&str> {
    let weighted: Vec<&Layer> = own.head.iter().filter(|layer| !layer.parameters().is_empty()).collect();
    match (&weighted[..], own.head.last()) {
        ([Layer::Linear { name, .. }], Some(Layer::Linear { .. })) => Some(name),
        _ => None,
    }
}

/// Puts a solved head in place.
pub(super) fn put(network: &mut Network, head: &Head) {
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
pub(super) fn renamed(layer: &Layer) -> Layer {
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
