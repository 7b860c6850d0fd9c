//! Running a network: layer by layer, stage by stage.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::module::{adaptive_avg_pool2d, batch_norm, batch_norm_train, conv2d, layer_norm};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::extents::Extent;
use crate::layers::{Convolution, Layer};
use crate::network::{Network, numbers};
use crate::processor::{convolution, gelu, linear, max_pool, rectifier};

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

/// How a network is run.
pub enum Mode<'a> {
    /// Running statistics, nothing dropped.
    Inference,
    /// With dropout by these draws.
    Training {
        /// For dropout, and for the channels that go by running statistics.
        rng: &'a mut ChaCha8Rng,
        /// Where normalisations go by the batch: the running statistics after it, by name. Otherwise they go by the
        /// running ones, which stay.
        statistics: Option<&'a mut BTreeMap<String, Tensor<1>>>,
        /// The part of the channels, drawn anew at each normalisation, that go by the running statistics all the same.
        running: f64,
    },
}

/// The part of the running statistics that a batch replaces.
const MOMENTUM: f64 = 0.1;

impl Network {
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

    fn layers(&self, layers: &[Layer], from: Activation, mode: &mut Mode<'_>) -> Activation {
        let by_the_batch = matches!(mode, Mode::Training { statistics: Some(_), .. });
        let (mut rest, mut x) = (layers, from);
        while let Some((layer, after)) = rest.split_first() {
            (x, rest) = match (layer, after.first(), x) {
                // A normalisation that does not look at the batch is part of the convolution: a pass over the map less.
                (
                    Layer::Convolution(own),
                    Some(Layer::BatchNorm { name, epsilon, .. }),
                    Activation::Map(x),
                ) if !by_the_batch && !own.bias => {
                    (Activation::Map(self.normalized_convolution(own, name, *epsilon, x)), &after[1..])
                }
                (layer, _, x) => (self.layer(layer, x, mode), after),
            };
        }
        x
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
            (Layer::Relu, Map(x)) => Map(rectifier(x, f32::INFINITY)),
            (Layer::Relu, Vector(x)) => Vector(rectifier(x, f32::INFINITY)),
            (Layer::Relu6, Map(x)) => Map(rectifier(x, 6.0)),
            (Layer::Gelu, Tokens(x)) => Tokens(gelu(x)),
            (Layer::MaxPool { kernel, stride, padding, .. }, Map(x)) => {
                let [_, channels, rows, columns] = x.dims();
                let Ok((Extent::Map(_, down, across), _)) = layer.after(Extent::Map(channels, rows, columns))
                else {
                    unreachable!("checked by Layer::after")
                };
                // As far beyond the map as the last window reaches.
                let behind = |places: usize, side: usize| {
                    ((places - 1) * stride + kernel).saturating_sub(side + padding)
                };
                let around = [(*padding, behind(down, rows)), (*padding, behind(across, columns))];
                let options = ConvOptions::new_with_padding([*stride; 2], around, [1; 2], 1);
                Map(max_pool(x, *kernel, &options))
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
                let own = |name: &str| self.tokens(name);
                let places: Tensor<3> = x.flatten::<3>(2, 3).swap_dims(1, 2);
                let class = own(class_token).repeat_dim(0, pictures);
                Tokens(Tensor::cat(vec![class, places], 1) + own(positions))
            }
            (Layer::Attention { queries, output, heads, prefix, .. }, Tokens(x)) => {
                Tokens(self.attention(queries, output, *heads, prefix.as_ref(), x))
            }
            (Layer::Gate(layers), Map(x)) => {
                let gate = self.layers(layers, Map(x.clone()), mode).map();
                Map(x * sigmoid(gate).mul_scalar(2.0))
            }
            (Layer::OfMeanAndLargest(layers), Map(x)) => {
                let mean = self.layers(layers, Map(x.clone().mean_dim(3).mean_dim(2)), mode).map();
                Map(mean + self.layers(layers, Map(x.max_dim(3).max_dim(2)), mode).map())
            }
            (Layer::MeanAndLargestChannel, Map(x)) => {
                Map(Tensor::cat(vec![x.clone().mean_dim(1), x.max_dim(1)], 1))
            }
            (Layer::AcrossChannels { name, kernel }, Map(x)) => {
                let [pictures, channels, ..] = x.dims();
                let options = ConvOptions::new([1, 1], [kernel / 2, 0], [1, 1], 1);
                let kernel = self.tokens(name).reshape([1, 1, *kernel, 1]);
                let mixed = conv2d(x.reshape([pictures, 1, channels, 1]), kernel, None, options);
                Map(mixed.reshape([pictures, channels, 1, 1]))
            }
            (Layer::ClassToken, x @ Tokens(_)) => Vector(x.features()),
            (layer, _) => unreachable!("{layer:?} is checked by Layer::after"),
        }
    }

    fn convolution(&self, own: &Convolution, x: Tensor<4>) -> Tensor<4> {
        let bias = own.bias.then(|| self.vector(&format!("{}.bias", own.name)));
        convolve(own, x, self.kernel(&format!("{}.weight", own.name)), bias)
    }

    /// `γ (w * x - μ) / √(σ² + ε) + β` as one convolution.
    fn normalized_convolution(&self, own: &Convolution, norm: &str, epsilon: f64, x: Tensor<4>) -> Tensor<4> {
        let [gamma, beta] = ["weight", "bias"].map(|part| self.vector(&format!("{norm}.{part}")));
        let [mean, variance] =
            ["running_mean", "running_var"].map(|part| self.statistics[&format!("{norm}.{part}")].clone());
        let scale = gamma / variance.add_scalar(epsilon).sqrt();
        let bias = beta - scale.clone() * mean;
        let kernel = self.kernel(&format!("{}.weight", own.name)) * scale.reshape([own.outputs, 1, 1, 1]);
        convolve(own, x, kernel, Some(bias))
    }

    fn batch_norm(&self, name: &str, epsilon: f64, x: Tensor<4>, mode: &mut Mode<'_>) -> Tensor<4> {
        let [weight, bias] = ["weight", "bias"].map(|part| self.vector(&format!("{name}.{part}")));
        let running = ["running_mean", "running_var"].map(|part| format!("{name}.{part}"));
        let [mean, variance] = running.each_ref().map(|name| self.statistics[name].clone());
        let Mode::Training { statistics: Some(statistics), running: share, rng } = mode else {
            return batch_norm(x, weight, bias, mean, variance, epsilon);
        };
        let [pictures, channels, rows, columns] = x.dims();
        let count = (pictures * rows * columns) as f64;
        let own = batch_norm_train(x.clone(), weight.clone(), bias.clone(), epsilon);
        // The running variance is that of a sample: it divides by one less.
        let found = [own.mean, own.variance.mul_scalar(count / (count - 1.0).max(1.0))];
        for ((name, found), before) in running.into_iter().zip(found).zip([mean.clone(), variance.clone()]) {
            let found = found.inner();
            statistics.insert(name, before.mul_scalar(1.0 - MOMENTUM) + found.mul_scalar(MOMENTUM));
        }
        if *share == 0.0 {
            return own.output;
        }
        let drawn: Vec<f32> =
            (0..channels).map(|_| if rng.random::<f64>() < *share { 1.0 } else { 0.0 }).collect();
        let drawn = Tensor::from_data(TensorData::new(drawn, [1, channels, 1, 1]), &x.device());
        let by_running = batch_norm(x, weight, bias, mean, variance, epsilon);
        own.output.clone() + (by_running - own.output) * drawn
    }

    fn linear<const D: usize>(&self, name: &str, x: Tensor<D>) -> Tensor<D> {
        linear(x, self.matrix(&format!("{name}.weight")), self.vector(&format!("{name}.bias")))
    }

    fn attention(
        &self,
        queries: &[String; 2],
        output: &str,
        heads: usize,
        prefix: Option<&(String, usize)>,
        x: Tensor<3>,
    ) -> Tensor<3> {
        let [pictures, tokens, width] = x.dims();
        let size = width / heads;
        let all = linear(x, self.matrix(&queries[0]), self.vector(&queries[1]));
        // (pictures, heads, tokens, size) for queries, keys and values; the learnt ones before the others.
        let part = |which: usize| {
            let mut own = all.clone().slice([0..pictures, 0..tokens, which * width..(which + 1) * width]);
            if let (Some((name, count)), 1..) = (prefix, which) {
                let more = self.tokens(name).slice([which - 1..which, 0..*count, 0..width]);
                own = Tensor::cat(vec![more.repeat_dim(0, pictures), own], 1);
            }
            let seen = own.dims()[1];
            own.reshape([pictures, seen, heads, size]).swap_dims(1, 2)
        };
        let near = part(0).matmul(part(1).transpose()).mul_scalar((size as f64).powf(-0.5));
        let mixed: Tensor<4> = softmax(near, 3).matmul(part(2));
        self.linear(output, mixed.swap_dims(1, 2).reshape([pictures, tokens, width]))
    }
}

/// A convolution with the zeros that it takes around this map.
fn convolve(own: &Convolution, x: Tensor<4>, kernel: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let [_, _, rows, columns] = x.dims();
    let zeros = [own.zeros(rows), own.zeros(columns)];
    let options = ConvOptions::new_with_padding([own.stride; 2], zeros, [1; 2], own.groups);
    convolution(x, kernel, bias, options)
}

impl Activation {
    /// Activations of several pictures, one behind the other, of this extent.
    pub fn new(values: Vec<f32>, extent: Extent, device: &Device) -> Self {
        let count = values.len() / extent.count().max(1);
        match extent {
            Extent::Map(channels, rows, columns) => {
                let data = TensorData::new(values, [count, channels, rows, columns]);
                Self::Map(Tensor::from_data(data, device))
            }
            Extent::Tokens(tokens, width) => {
                Self::Tokens(Tensor::from_data(TensorData::new(values, [count, tokens, width]), device))
            }
            Extent::Vector(width) => {
                Self::Vector(Tensor::from_data(TensorData::new(values, [count, width]), device))
            }
        }
    }

    /// All its numbers, picture by picture.
    pub fn into_numbers(self) -> Vec<f32> {
        numbers(match self {
            Self::Map(x) => x.into_data(),
            Self::Tokens(x) => x.into_data(),
            Self::Vector(x) => x.into_data(),
        })
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

    /// The means of at most `side` x `side` parts of a map, the mean of all tokens, or the vector itself.
    #[must_use]
    pub fn parts(self, side: usize) -> Self {
        match self {
            Self::Map(x) => {
                let [.., rows, columns] = x.dims();
                Self::Map(adaptive_avg_pool2d(x, [side.min(rows), side.min(columns)]))
            }
            Self::Tokens(x) => Self::Tokens(x.mean_dim(1)),
            Self::Vector(x) => Self::Vector(x),
        }
    }

    /// The means of windows side by side, so that about `target` numbers are left; what does not fill a window is dropped.
    #[must_use]
    pub fn pooled(self, target: usize) -> Self {
        match self {
            Self::Map(x) => {
                let [pictures, channels, rows, columns] = x.dims();
                let own = Extent::Map(channels, rows, columns);
                let side = own.pool(target);
                let [down, across] = [rows / side, columns / side];
                let whole = x.slice([0..pictures, 0..channels, 0..down * side, 0..across * side]);
                Self::Map(adaptive_avg_pool2d(whole, [down, across]))
            }
            Self::Tokens(x) => {
                let [pictures, tokens, width] = x.dims();
                let window = Extent::Tokens(tokens, width).pool(target);
                let count = tokens / window;
                let whole = x.slice([0..pictures, 0..count * window, 0..width]);
                let means: Tensor<4> = whole.reshape([pictures, count, window, width]).mean_dim(2);
                Self::Tokens(means.reshape([pictures, count, width]))
            }
            Self::Vector(x) => Self::Vector(x),
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

/// Zeros at random in training, the rest scaled to keep the mean.
fn dropout<const D: usize>(x: Tensor<D>, share: f64, mode: &mut Mode<'_>) -> Tensor<D> {
    let Mode::Training { rng, .. } = mode else { return x };
    let scale = (1.0 / (1.0 - share)) as f32;
    let draw = |_| if rng.random::<f64>() < share { 0.0 } else { scale };
    let kept: Vec<f32> = (0..x.shape().num_elements()).map(draw).collect();
    let kept = Tensor::from_data(TensorData::new(kept, x.shape()), &x.device());
    x * kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::stage;
    use crate::images::generator;
    use crate::layers::batch_norm;
    use crate::zoo::network;
    use juyi::context::Context;

    #[test]
    fn each_channel_goes_by_the_batch_or_by_running_statistics() {
        const CHANNELS: usize = 16;
        let mut own = network("resnet18").unwrap();
        own.stages = vec![stage("s", vec![batch_norm("n", CHANNELS, 1e-5)])];
        let device = Device::flex();
        let mut network = Network::from_chance(own, &Context::default(), &device);
        network.set("n.running_mean", (0..CHANNELS).map(|c| c as f32 / 10.0).collect());
        let numbers: Vec<f32> = (0..3 * CHANNELS * 4).map(|k| ((k * k) % 23) as f32).collect();
        let run = |running: f64| {
            let (mut rng, mut moved) = (generator(5, 0, 0), BTreeMap::new());
            let mode = &mut Mode::Training { rng: &mut rng, statistics: Some(&mut moved), running };
            let x = Activation::new(numbers.clone(), Extent::Map(CHANNELS, 2, 2), &device);
            let out = network.run(0..1, x, mode).into_numbers();
            let moved: Vec<f32> = moved["n.running_mean"].to_data().try_into_vec().unwrap();
            (out, moved)
        };
        let (by_batch, by_running, mixed) = (run(0.0), run(1.0), run(0.5));
        assert_eq!((&by_batch.1, &by_batch.1), (&by_running.1, &mixed.1)); // they move all the same
        // Mean 0 before; every place of the first channel by hand.
        let by_hand = |k: usize| numbers[k] / (1.0f32 + 1e-5).sqrt();
        (0..4).for_each(|k| assert!((by_running.0[k] - by_hand(k)).abs() < 1e-5));
        let from = |which: &[f32], channel: usize| {
            let places =
                |picture: usize| (picture * CHANNELS + channel) * 4..(picture * CHANNELS + channel + 1) * 4;
            (0..3).flat_map(places).all(|k| (mixed.0[k] - which[k]).abs() < 1e-5)
        };
        let running = (0..CHANNELS).filter(|&c| from(&by_running.0, c)).count();
        let batch = (0..CHANNELS).filter(|&c| from(&by_batch.0, c)).count();
        assert!(running + batch == CHANNELS && running > 3 && batch > 3, "{running} and {batch}");
    }
}
