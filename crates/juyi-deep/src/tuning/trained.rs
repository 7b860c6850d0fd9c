//! Trials of what is trained by epochs: at several rates, without one fold after another, and again on all pictures.

use std::time::Instant;

use juyi::context::Context;
use juyi::error::{Error, Result};
use juyi::linalg::Matrix;
use juyi::models::{first_largest, softmax_rows};

use super::about::OWN_HEAD;
use super::classifier::Classifier;
use super::inputs::Inputs;
use super::plan::Plan;
use super::regularizers::{Kind, Known, own_answers, prepare};
use super::scores::scores;
use super::settings::Settings;
use super::strategy::Strategy;
use super::training::{Trained, Training};
use super::trial::{Trials, linear_head, put};
use super::tried::{Start, Trial};
use crate::architecture::{Architecture, Auxiliary};
use crate::layers::Layer;
use crate::network::Network;

impl<'a> Trials<'a> {
    /// Trains at each of `rates` without the first of `folds`, and goes on without each of the others at the best one.
    pub(super) fn train(
        &self,
        strategy: Strategy,
        drawn: bool,
        network: &Network,
        rates: &[f64],
        folds: &[Vec<usize>],
        context: &mut Context,
    ) -> Result<Trial<'a>> {
        let begin = Instant::now();
        let (first, inputs) = self.inputs(strategy, network, context)?;
        // What goes in, and the network of the best rate so far.
        let held = inputs.held() + network.architecture.bytes();
        context.take(held);
        let (all, classes) = (self.pictures.files.len(), &self.pictures.classes);
        // The training without a fold, and what it says of it.
        let mut without = |number: usize, rate: f64| {
            let fold = &folds[number];
            let train = (0..all).filter(|at| fold.binary_search(at).is_err()).collect();
            let mut what = if number == 0 { "aside".into() } else { format!("aside-{number}") };
            if rates.len() > 1 {
                what = format!("{what}-{rate}");
            }
            let pictures = (train, fold.clone());
            let own = self.training(strategy, network, &inputs, rate, pictures, (&what, drawn), context)?;
            let (scores, count) =
                (scores(&own.network, first, &inputs, fold, context)?, self.pictures.names.len());
            let mut shares = Matrix::from_fn(fold.len(), count, |i, c| f64::from(scores[i * count + c]));
            softmax_rows(&mut shares);
            Ok::<_, Error>((own, shares))
        };
        let loss = |shares: &Matrix| {
            let own = folds[0].iter().enumerate().map(|(row, &at)| -shares[(row, classes[at])].ln());
            own.sum::<f64>()
        };
        let (mut best, mut ran_away) = (None::<(f64, Trained, Matrix)>, Vec::new());
        for &rate in rates {
            match without(0, rate) {
                Ok((own, shares)) => {
                    if best.as_ref().is_none_or(|(_, _, before)| loss(&shares) < loss(before)) {
                        best = Some((rate, own, shares));
                    }
                }
                // None to take, unless there is no other.
                Err(error @ Error::Numeric { .. }) => ran_away.push((rate, error)),
                Err(error) => return Err(error),
            }
        }
        let Some((rate, Trained { network: trained, epochs }, shares)) = best else {
            let (_, error) = ran_away.pop().expect("there is a rate");
            return Err(error);
        };
        let mut aside = vec![None; all];
        let mut say = |fold: &[usize], shares: &Matrix| {
            for (row, &at) in fold.iter().enumerate() {
                aside[at] = Some(shares.row(row).iter().copied().collect());
            }
        };
        say(&folds[0], &shares);
        for number in 1..folds.len() {
            say(&folds[number], &without(number, rate)?.1);
        }
        let agreement = self.agreement(network, &trained, (first, &inputs), &folds[0], context)?;
        for (rate, error) in ran_away {
            context.warn(&strategy.to_string(), format!("the rate {rate} is left out: {error}"));
        }
        context.give_back(held);
        Ok(Trial {
            strategy,
            start: if drawn || strategy == Strategy::Scratch { Start::Drawn } else { Start::Checkpoint },
            aside,
            epochs,
            solved: Vec::new(),
            rate: Some(rate),
            seconds: begin.elapsed().as_secs_f64(),
            agreement,
            classifier: Some(self.classifier(&trained)),
            rows: None,
            inputs: Some(inputs),
        })
    }

    /// Trains again, on all pictures, what was trained without those that judged it.
    pub(super) fn refit(&self, trial: &mut Trial<'_>, context: &mut Context) -> Result<()> {
        let (Some(rate), Some(inputs)) = (trial.rate, trial.inputs.take()) else { return Ok(()) };
        let begin = Instant::now();
        let (strategy, drawn) = (trial.strategy, trial.start == Start::Drawn);
        let network = self.network(drawn, strategy, context)?;
        let bytes = network.architecture.bytes();
        context.take(bytes);
        let all = (0..self.pictures.files.len()).collect();
        let pictures = (all, Vec::new());
        let own = self.training(strategy, &network, &inputs, rate, pictures, ("all", drawn), context)?;
        context.give_back(bytes);
        trial.classifier = Some(self.classifier(&own.network));
        trial.seconds += begin.elapsed().as_secs_f64();
        Ok(())
    }

    /// The number of the head that came with the checkpoint among the second heads, where it is to be left behind.
    fn kept_head(&self, network: &Network) -> Option<usize> {
        let own = |own: &Auxiliary| {
            own.layers.iter().flat_map(Layer::parameters).any(|own| own.name.starts_with(OWN_HEAD))
        };
        let keeps = self.settings.regularization.is_some_and(|own| own.kind.keeps_head());
        network.architecture.auxiliary.iter().position(own).filter(|_| keeps)
    }

    /// Of pictures kept aside, the share of which the head that came with the checkpoint says what it said before.
    fn agreement(
        &self,
        before: &Network,
        after: &Network,
        (first, inputs): (usize, &Inputs<'_>),
        fold: &[usize],
        context: &mut Context,
    ) -> Result<Option<f64>> {
        let (Some(head), Some(regularization)) = (self.kept_head(before), self.settings.regularization)
        else {
            return Ok(None);
        };
        let [before, after] = [before, after].map(|network| {
            let scores = own_answers(network, first, inputs, fold, head, context)?;
            let said = |i: usize| first_largest(&scores.row(i).iter().copied().collect::<Vec<f64>>());
            Ok::<_, Error>((0..fold.len()).map(said).collect::<Vec<usize>>())
        });
        let same = before?.iter().zip(after?).filter(|(before, after)| **before == *after).count();
        let text = format!(
            "the checkpoint's own head says of {same} of the {} pictures aside what it said before the training",
            fold.len()
        );
        context.note(regularization.kind.name(), text);
        Ok(Some(same as f64 / fold.len().max(1) as f64))
    }

    /// A trained network as it is left behind.
    fn classifier(&self, network: &Network) -> Classifier {
        let kept = self.kept_head(network).map(|head| network.architecture.auxiliary[head].layers.clone());
        let own = Architecture { auxiliary: Vec::new(), ..network.architecture.clone() };
        let mut tensors = network.tensors();
        tensors.retain(|name, _| kept.is_some() || !name.starts_with(OWN_HEAD));
        let classifier = Classifier::new(own, tensors, self.pictures.names.clone());
        match kept {
            Some(head) => classifier.keeping(head),
            None => classifier,
        }
    }

    /// The first stage that is trained, and what goes into it. That does not hang on which pictures are trained on, and is
    /// computed once.
    pub(super) fn inputs(
        &self,
        strategy: Strategy,
        network: &Network,
        context: &Context,
    ) -> Result<(usize, Inputs<'a>)> {
        let plan = self.plan(strategy, network.clone(), context)?;
        let (views, augmentation) = (self.settings.views, &self.settings.augmentation);
        let inputs = Inputs::new(&plan.network, plan.first, self.pictures, augmentation, views, context)?;
        Ok((plan.first, inputs))
    }

    /// What is learnt of a network.
    fn plan(&self, strategy: Strategy, network: Network, context: &Context) -> Result<Plan> {
        let known = Self::known(&network);
        let linear = linear_head(&network.architecture).is_some();
        let solved = self.settings.starts_solved(strategy, linear);
        Plan::new(strategy, network, &known, solved, self.settings.epochs, context)
    }

    /// Trains on some pictures, others aside, at a rate. `what` it is for, and whether the network is drawn, go into the name
    /// of its notes; a network that is drawn has nothing that a regularizer could keep.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn training(
        &self,
        strategy: Strategy,
        network: &Network,
        inputs: &Inputs<'_>,
        rate: f64,
        (train, check): (Vec<usize>, Vec<usize>),
        (what, drawn): (&str, bool),
        context: &mut Context,
    ) -> Result<Trained> {
        let regularization = self.settings.regularization.filter(|_| !drawn && strategy != Strategy::Scratch);
        let settings = &Settings { rate: Some(rate), regularization, ..self.settings.clone() };
        let (count, classes) = (self.pictures.names.len(), &self.pictures.classes);
        let mut network = network.clone();
        let linear = linear_head(&network.architecture).is_some();
        let solved_start = settings.starts_solved(strategy, linear);
        let delta = settings.regularization.is_some_and(|own| own.kind == Kind::Delta);
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
        if let (true, Some(head)) = (solved_start, &solved) {
            put(&mut network, head);
        }
        let plan = self.plan(strategy, network, context)?;
        let solved = solved.as_ref();
        let weight_decay = settings.weight_decay;
        let known = Known { plan: &plan, inputs, train: &train, classes, count, solved, weight_decay };
        let regularizer = settings.regularization.map(|own| prepare(own, &known, context)).transpose()?;
        let title = format!("training {strategy}").replace(':', " "); // a colon begins the news
        let training =
            Training { settings, strategy, plan, regularizer, inputs, classes, train, check, count, title };
        let file = self.notes.map(|folder| {
            let drawn = if drawn { "drawn-" } else { "" };
            let name = format!("{strategy}-{drawn}{what}").replace(':', "-");
            folder.join(format!("{name}.safetensors"))
        });
        training.run(file.as_deref(), context)
    }
}
