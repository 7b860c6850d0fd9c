//! A network with its tensors: from a checkpoint or from chance, run stage by stage, saved under the checkpoint's names.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::activation::{gelu, relu, softmax};
use burn::tensor::module::{
    adaptive_avg_pool2d, batch_norm, batch_norm_train, conv2d, layer_norm, linear, max_pool2d,
};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use juyi::context::Context;
use juyi::error::{Error, Result};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::architecture::Architecture;
use crate::checkpoint::Stored;
use crate::layers::{Convolution, Layer, Parameter};

/// What goes from layer to layer, of several pictures.
#[derive(Debug, Clone)]
pub enum Activation {
    /// `(pictures, channels, rows, columns)`.
    Map(Tensor<4>),
    /// `(pictures, tokens, width)`.
    Tokens(Tensor<3>),
    /// `(pictures, width)`.
    Vector(Tensor<2>),
}

/// The tensors that are learnt.
#[derive(Module, Debug)]
pub struct Learnt {
    kernels: Vec<Param<Tensor<4>>>,
    tokens: Vec<Param<Tensor<3>>>,
    matrices: Vec<Param<Tensor<2>>>,
    vectors: Vec<Param<Tensor<1>>>,
}

/// A network with its tensors.
#[derive(Debug, Clone)]
pub struct Network {
    /// What it is made of.
    pub architecture: Architecture,
    /// The tensors that are learnt.
    pub learnt: Learnt,
    /// Running means and variances of the normalisations `(channels)`.
    statistics: BTreeMap<String, Tensor<1>>,
    /// Of each learnt tensor, by name, which of those with as many dimensions it is.
    places: BTreeMap<String, usize>,
    device: Device,
}

/// How a network is run.
pub enum Mode<'a> {
    /// Running statistics, nothing dropped.
    Inference,
    /// Statistics of the batch, which move the running ones, and dropout by these draws.
    Training {
        /// For dropout.
        rng: &'a mut ChaCha8Rng,
        /// The statistics after this batch, by name.
        statistics: &'a mut BTreeMap<String, Tensor<1>>,
    },
}

/// The part of the running statistics that a batch replaces.
const MOMENTUM: f64 = 0.1;

impl Network {
    /// The network with the tensors of a checkpoint. A head that the checkpoint lacks, or that tells other classes
    /// apart than `architecture`, is drawn by the seed, as are second heads that it lacks.
    ///
    /// # Errors
    /// [`Error::Input`] naming the tensors that are missing or misshapen in the trunk.
    pub fn from_tensors(
        architecture: Architecture,
        tensors: &BTreeMap<String, Stored>,
        context: &Context,
        device: &Device,
    ) -> Result<Self> {
        check(&architecture, tensors)?;
        let value = |own: &Parameter| match tensors.get(&own.name) {
            Some(stored) if stored.shape == own.shape => stored.values.clone(),
            _ => drawn(own, context),
        };
        Ok(Self::with_values(architecture, value, device))
    }

    /// The network with tensors drawn by the seed.
    pub fn from_chance(architecture: Architecture, context: &Context, device: &Device) -> Self {
        Self::with_values(architecture, |own| drawn(own, context), device)
    }

    fn with_values(
        architecture: Architecture,
        value: impl Fn(&Parameter) -> Vec<f32>,
        device: &Device,
    ) -> Self {
        let mut learnt =
            Learnt { kernels: Vec::new(), tokens: Vec::new(), matrices: Vec::new(), vectors: Vec::new() };
        let (mut statistics, mut places) = (BTreeMap::new(), BTreeMap::new());
        for own in architecture.parameters() {
            let data = TensorData::new(value(&own), own.shape.clone());
            if own.statistic {
                statistics.insert(own.name, Tensor::from_data(data, device));
                continue;
            }
            let place = match own.shape.len() {
                4 => push(&mut learnt.kernels, Tensor::from_data(data, device)),
                3 => push(&mut learnt.tokens, Tensor::from_data(data, device)),
                2 => push(&mut learnt.matrices, Tensor::from_data(data, device)),
                _ => push(&mut learnt.vectors, Tensor::from_data(data, device)),
            };
            places.insert(own.name, place);
        }
        Self { architecture, learnt, statistics, places, device: device.clone() }
    }

    /// Where it runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its tensors under the checkpoint's names.
    pub fn tensors(&self) -> BTreeMap<String, Stored> {
        let stored = |shape: &[usize], data: TensorData| Stored {
            shape: shape.to_vec(),
            values: data.try_into_vec::<f32>().expect("all tensors are of 32 bits"),
        };
        let all = self.architecture.parameters().into_iter().map(|own| {
            let Parameter { name, shape, statistic } = own;
            let data = match shape.len() {
                _ if statistic => self.statistics[&name].to_data(),
                4 => self.kernel(&name).to_data(),
                3 => self.learnt.tokens[self.places[&name]].val().to_data(),
                2 => self.matrix(&name).to_data(),
                _ => self.vector(&name).to_data(),
            };
            (name, stored(&shape, data))
        });
        all.collect()
    }

    /// Pictures `(pictures, 3, side, side)` through stages, from the first of them on.
    pub fn run(&self, stages: Range<usize>, from: Activation, mode: &mut Mode<'_>) -> Activation {
        let stages = &self.architecture.stages[stages];
        stages.iter().fold(from, |activation, stage| self.layers(&stage.layers, activation, mode))
    }

    /// A score for each class, `(pictures, classes)`, from what the trunk leaves.
    pub fn scores(&self, trunk: Activation, mode: &mut Mode<'_>) -> Tensor<2> {
        self.layers(&self.architecture.head, trunk, mode).vector()
    }

    /// What a second head makes of the activation after its stage.
    pub fn auxiliary_scores(&self, which: usize, activation: Activation, mode: &mut Mode<'_>) -> Tensor<2> {
        self.layers(&self.architecture.auxiliary[which].layers, activation, mode).vector()
    }

    /// The running statistics after a batch in training.
    pub fn take_statistics(&mut self, moved: BTreeMap<String, Tensor<1>>) {
        self.statistics.extend(moved);
    }

    fn kernel(&self, name: &str) -> Tensor<4> {
        self.learnt.kernels[self.places[name]].val()
    }

    fn matrix(&self, name: &str) -> Tensor<2> {
        self.learnt.matrices[self.places[name]].val()
    }

    fn vector(&self, name: &str) -> Tensor<1> {
        self.learnt.vectors[self.places[name]].val()
    }

    fn layers(&self, layers: &[Layer], from: Activation, mode: &mut Mode<'_>) -> Activation {
        layers.iter().fold(from, |activation, layer| self.layer(layer, activation, mode))
    }

    fn layer(&self, layer: &Layer, x: Activation, mode: &mut Mode<'_>) -> Activation {
        use Activation::{Map, Tokens, Vector};
        match (layer, x) {
            (Layer::Convolution(own), Map(x)) => Map(self.convolution(own, x)),
            (Layer::BatchNorm { name, epsilon, .. }, Map(x)) => Map(self.batch_norm(name, *epsilon, x, mode)),
            (Layer::LayerNorm { name, epsilon, .. }, Tokens(x)) => {
                let [weight, bias] = ["weight", "bias"].map(|part| self.vector(&format!("{name}.{part}")));
                Tokens(layer_norm(x, weight, Some(bias), *epsilon))
            }
            (Layer::Linear { name, .. }, Tokens(x)) => Tokens(self.linear(name, x)),
            (Layer::Linear { name, .. }, Vector(x)) => Vector(self.linear(name, x)),
            (Layer::Relu, Map(x)) => Map(relu(x)),
            (Layer::Relu, Vector(x)) => Vector(relu(x)),
            (Layer::Relu6, Map(x)) => Map(x.clamp(0.0, 6.0)),
            (Layer::Gelu, Tokens(x)) => Tokens(gelu(x)),
            (Layer::MaxPool { kernel, stride, padding, ceil }, Map(x)) => {
                let mut options = MaxPoolOptions::new([*kernel; 2]);
                options.stride = [*stride; 2];
                options.padding = [(*padding, *padding); 2];
                options.ceil_mode = *ceil;
                Map(max_pool2d(x, options))
            }
            (Layer::AverageTo { side: 1 }, Map(x)) => Map(x.mean_dim(3).mean_dim(2)),
            (Layer::AverageTo { side }, Map(x)) => Map(adaptive_avg_pool2d(x, [*side; 2])),
            (Layer::Flatten, Map(x)) => Vector(x.flatten(1, 3)),
            (Layer::Dropout { share }, Map(x)) => Map(dropout(x, *share, mode)),
            (Layer::Dropout { share }, Vector(x)) => Vector(dropout(x, *share, mode)),
            (Layer::Residual { main, shortcut }, x) => {
                let around = self.layers(shortcut, x.clone(), mode);
                match (self.layers(main, x, mode), around) {
                    (Map(a), Map(b)) => Map(a + b),
                    (Tokens(a), Tokens(b)) => Tokens(a + b),
                    _ => unreachable!("both ways of a residual block end alike"),
                }
            }
            (Layer::Branches(branches), x) => {
                let out = branches.iter().map(|branch| self.layers(branch, x.clone(), mode).map());
                Map(Tensor::cat(out.collect(), 1))
            }
            (Layer::Tokens { class_token, positions, .. }, Map(x)) => {
                let pictures = x.dims()[0];
                let own = |name: &str| self.learnt.tokens[self.places[name]].val();
                let places: Tensor<3> = x.flatten::<3>(2, 3).swap_dims(1, 2);
                let class = own(class_token).repeat_dim(0, pictures);
                Tokens(Tensor::cat(vec![class, places], 1) + own(positions))
            }
            (Layer::Attention { queries, output, heads, .. }, Tokens(x)) => {
                Tokens(self.attention(queries, output, *heads, x))
            }
            (Layer::ClassToken, Tokens(x)) => {
                let [pictures, _, width] = x.dims();
                Vector(x.slice([0..pictures, 0..1, 0..width]).reshape([pictures, width]))
            }
            (layer, _) => unreachable!("{layer:?} is checked by Layer::after"),
        }
    }

    fn convolution(&self, own: &Convolution, x: Tensor<4>) -> Tensor<4> {
        let [.., rows, columns] = x.dims();
        let zeros = [own.zeros(rows), own.zeros(columns)];
        let options = ConvOptions::new_with_padding([own.stride; 2], zeros, [1; 2], own.groups);
        let bias = own.bias.then(|| self.vector(&format!("{}.bias", own.name)));
        conv2d(x, self.kernel(&format!("{}.weight", own.name)), bias, options)
    }

    fn batch_norm(&self, name: &str, epsilon: f64, x: Tensor<4>, mode: &mut Mode<'_>) -> Tensor<4> {
        let [weight, bias] = ["weight", "bias"].map(|part| self.vector(&format!("{name}.{part}")));
        let running = ["running_mean", "running_var"].map(|part| format!("{name}.{part}"));
        let Mode::Training { statistics, .. } = mode else {
            let [mean, variance] = running.map(|name| self.statistics[&name].clone());
            return batch_norm(x, weight, bias, mean, variance, epsilon);
        };
        let [pictures, _, rows, columns] = x.dims();
        let count = (pictures * rows * columns) as f64;
        let own = batch_norm_train(x, weight, bias, epsilon);
        // The running variance is that of a sample: it divides by one less.
        let found = [own.mean, own.variance.mul_scalar(count / (count - 1.0).max(1.0))];
        for (name, found) in running.into_iter().zip(found) {
            let before = self.statistics[&name].clone();
            statistics.insert(name, before.mul_scalar(1.0 - MOMENTUM) + found.mul_scalar(MOMENTUM));
        }
        own.output
    }

    fn linear<const D: usize>(&self, name: &str, x: Tensor<D>) -> Tensor<D> {
        let weight = self.matrix(&format!("{name}.weight")).transpose();
        linear(x, weight, Some(self.vector(&format!("{name}.bias"))))
    }

    fn attention(&self, queries: &[String; 2], output: &str, heads: usize, x: Tensor<3>) -> Tensor<3> {
        let [pictures, tokens, width] = x.dims();
        let size = width / heads;
        let all = linear(x, self.matrix(&queries[0]).transpose(), Some(self.vector(&queries[1])));
        // (pictures, heads, tokens, size) for queries, keys and values.
        let part = |which: usize| {
            let own = all.clone().slice([0..pictures, 0..tokens, which * width..(which + 1) * width]);
            own.reshape([pictures, tokens, heads, size]).swap_dims(1, 2)
        };
        let near = part(0).matmul(part(1).transpose()).mul_scalar((size as f64).powf(-0.5));
        let mixed: Tensor<4> = softmax(near, 3).matmul(part(2));
        self.linear(output, mixed.swap_dims(1, 2).reshape([pictures, tokens, width]))
    }
}

/// Whether all tensors of the trunk are there in their shapes.
///
/// # Errors
/// [`Error::Input`] naming those that are not.
pub fn check(architecture: &Architecture, tensors: &BTreeMap<String, Stored>) -> Result<()> {
    let trunk = architecture.stages.iter().flat_map(|stage| &stage.layers).flat_map(Layer::parameters);
    let trunk: Vec<Parameter> = trunk.collect();
    let lacks = |own: &&Parameter| tensors.get(&own.name).is_none_or(|stored| stored.shape != own.shape);
    let problems: Vec<String> = trunk.iter().filter(lacks).map(|own| format!("`{}`", own.name)).collect();
    if !problems.is_empty() {
        let problem = format!("tensors are missing or have another shape: {}", problems.join(", "));
        let hint = "`juyi networks` lists whose checkpoints are understood";
        return Err(Error::input(format!("the checkpoint of `{}`", architecture.name), problem, hint));
    }
    Ok(())
}

impl Activation {
    /// Pictures `(pictures, 3, side, side)` as a network takes them.
    pub fn pictures(values: Vec<f32>, count: usize, side: usize, device: &Device) -> Self {
        Self::Map(Tensor::from_data(TensorData::new(values, [count, 3, side, side]), device))
    }

    /// One vector a picture: the means of the channels of a map, the class token, or the vector itself.
    pub fn features(self) -> Tensor<2> {
        match self {
            Self::Map(x) => x.mean_dim(3).mean_dim(2).flatten(1, 3),
            Self::Tokens(x) => {
                let [pictures, _, width] = x.dims();
                x.slice([0..pictures, 0..1, 0..width]).reshape([pictures, width])
            }
            Self::Vector(x) => x,
        }
    }

    fn map(self) -> Tensor<4> {
        let Self::Map(x) = self else { unreachable!("checked by Layer::after") };
        x
    }

    fn vector(self) -> Tensor<2> {
        let Self::Vector(x) = self else { unreachable!("checked by Layer::after") };
        x
    }
}

fn push<const D: usize>(all: &mut Vec<Param<Tensor<D>>>, value: Tensor<D>) -> usize {
    all.push(Param::from_tensor(value));
    all.len() - 1
}

/// Zeros at random in training, the rest scaled to keep the mean.
fn dropout<const D: usize>(x: Tensor<D>, share: f64, mode: &mut Mode<'_>) -> Tensor<D> {
    let Mode::Training { rng, .. } = mode else { return x };
    let scale = (1.0 / (1.0 - share)) as f32;
    let draw = |_| if rng.random::<f64>() < share { 0.0 } else { scale };
    let kept: Vec<f32> = (0..x.shape().num_elements()).map(draw).collect();
    let kept = Tensor::from_data(TensorData::new(kept, x.shape()), &x.device());
    x * kept
}

/// Drawn by seed and name: weights uniform with the variance `2 / inputs` of He et al. (ICCV 2015, equation 10) for
/// kernels, `1 / inputs` for matrices; 0.02 for tokens; scales and variances 1, the rest 0.
fn drawn(own: &Parameter, context: &Context) -> Vec<f32> {
    let count: usize = own.shape.iter().product();
    let inputs: usize = own.shape.iter().skip(1).product::<usize>().max(1);
    let deviation = match own.shape.len() {
        4 => (2.0 / inputs as f64).sqrt(),
        3 => 0.02,
        2 => (1.0 / inputs as f64).sqrt(),
        _ => {
            let one = own.name.ends_with("weight") || own.name.ends_with("running_var");
            return vec![if one { 1.0 } else { 0.0 }; count];
        }
    };
    let mut rng = context.rng(&own.name);
    let bound = deviation * 3f64.sqrt();
    (0..count).map(|_| rng.random_range(-bound..bound) as f32).collect()
}
