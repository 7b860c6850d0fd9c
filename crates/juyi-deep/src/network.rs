//! A network with its tensors: from a checkpoint or from chance, changed in training, saved under the checkpoint's
//! names. [`crate::forward`] runs it.

use std::collections::BTreeMap;

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use juyi::context::Context;
use juyi::error::Result;
use rand::Rng;

use crate::architecture::{Architecture, BESIDE};
use crate::checkpoint::Stored;
use crate::extents::product;
use crate::layers::Parameter;
use crate::tensors::check;

/// A network with its tensors.
#[derive(Debug, Clone)]
pub struct Network {
    /// What it is made of.
    pub architecture: Architecture,
    /// The tensors that are learnt, by name.
    values: BTreeMap<String, Value>,
    /// Running means and variances of the normalisations `(channels)`.
    pub(crate) statistics: BTreeMap<String, Tensor<1>>,
    /// What is learnt beside tensors that stay as they are, until it is merged into them.
    beside: BTreeMap<String, Beside>,
    device: Device,
}

/// What is learnt beside a tensor.
#[derive(Debug, Clone)]
enum Beside {
    /// A product of two thin matrices, which is added times this.
    Product(f64),
    /// Factors of its last outputs, or of as many numbers at the end of a bias; named.
    Outputs(String),
    /// Factors of all its inputs; named.
    Inputs(String),
}

/// A tensor by its number of dimensions, which is what the framework tells types apart by.
#[derive(Debug, Clone)]
enum Value {
    Vector(Tensor<1>),
    Matrix(Tensor<2>),
    Tokens(Tensor<3>),
    Kernel(Tensor<4>),
}

/// What is done to a tensor of any number of dimensions.
macro_rules! each {
    ($value:expr, $tensor:ident => $result:expr) => {
        match $value {
            Value::Vector($tensor) => $result,
            Value::Matrix($tensor) => $result,
            Value::Tokens($tensor) => $result,
            Value::Kernel($tensor) => $result,
        }
    };
}

/// The same, ending in a tensor of as many dimensions.
macro_rules! each_to_value {
    ($value:expr, $tensor:ident => $result:expr) => {
        match $value {
            Value::Vector($tensor) => Value::Vector($result),
            Value::Matrix($tensor) => Value::Matrix($result),
            Value::Tokens($tensor) => Value::Tokens($result),
            Value::Kernel($tensor) => Value::Kernel($result),
        }
    };
}

impl Value {
    fn new(numbers: Vec<f32>, shape: &[usize], device: &Device) -> Self {
        let data = TensorData::new(numbers, shape.to_vec());
        match shape.len() {
            4 => Self::Kernel(Tensor::from_data(data, device)),
            3 => Self::Tokens(Tensor::from_data(data, device)),
            2 => Self::Matrix(Tensor::from_data(data, device)),
            _ => Self::Vector(Tensor::from_data(data, device)),
        }
    }
}

impl Network {
    /// The network with the tensors of a checkpoint. A head that the checkpoint lacks, or that tells other classes
    /// apart than `architecture`, is drawn by the seed, as are second heads that it lacks.
    ///
    /// # Errors
    /// Those of [`Architecture::check`]; [`juyi::error::Error::Input`] naming the tensors that are missing or misshapen in the trunk.
    pub fn from_tensors(
        architecture: Architecture,
        tensors: &BTreeMap<String, Stored>,
        context: &Context,
        device: &Device,
    ) -> Result<Self> {
        check(&architecture, false, tensors)?;
        let value = |own: &Parameter| match tensors.get(&own.name) {
            Some(stored) if stored.shape == own.shape => stored.values.clone(),
            _ => drawn(own, context),
        };
        Ok(Self::with_values(architecture, value, device))
    }

    /// The network with tensors drawn by the seed. The architecture has to be one that can be run.
    pub fn from_chance(architecture: Architecture, context: &Context, device: &Device) -> Self {
        Self::with_values(architecture, |own| drawn(own, context), device)
    }

    fn with_values(
        architecture: Architecture,
        value: impl Fn(&Parameter) -> Vec<f32>,
        device: &Device,
    ) -> Self {
        let (mut values, mut statistics) = (BTreeMap::new(), BTreeMap::new());
        for own in architecture.parameters() {
            let numbers = value(&own);
            if own.statistic {
                let data = TensorData::new(numbers, own.shape);
                statistics.insert(own.name, Tensor::from_data(data, device));
            } else {
                values.insert(own.name, Value::new(numbers, &own.shape, device));
            }
        }
        Self { architecture, values, statistics, beside: BTreeMap::new(), device: device.clone() }
    }

    /// The tensors of another network in an architecture that has more; the rest is drawn by the seed.
    pub(crate) fn extended(own: &Self, with: Architecture, context: &Context) -> Self {
        let known = |name: &String| own.values.contains_key(name) || own.statistics.contains_key(name);
        let value = |wanted: &Parameter| {
            if known(&wanted.name) { own.numbers(&wanted.name) } else { drawn(wanted, context) }
        };
        Self::with_values(with, value, &own.device)
    }

    /// Where it runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its tensors under the checkpoint's names.
    pub fn tensors(&self) -> BTreeMap<String, Stored> {
        let all = self.architecture.parameters().into_iter().map(|own| {
            let values = self.numbers(&own.name);
            (own.name, Stored { shape: own.shape, values })
        });
        all.collect()
    }

    /// The numbers of a tensor that is learnt, or of a running statistic.
    ///
    /// # Panics
    /// If the architecture has none of this name.
    pub fn numbers(&self, name: &str) -> Vec<f32> {
        match self.values.get(name) {
            Some(value) => each!(value, tensor => numbers(tensor.to_data())),
            None => numbers(self.statistics[name].to_data()),
        }
    }

    /// How many numbers a tensor that is learnt has, or a running statistic.
    pub(crate) fn count(&self, name: &str) -> usize {
        match self.values.get(name) {
            Some(value) => each!(value, tensor => tensor.shape().num_elements()),
            None => self.statistics[name].shape().num_elements(),
        }
    }

    /// How many dimensions a tensor that is learnt has.
    pub(crate) fn dimensions(&self, name: &str) -> usize {
        each!(&self.values[name], tensor => tensor.dims().len())
    }

    /// Puts other numbers into a tensor that is learnt, or into a running statistic.
    ///
    /// # Panics
    /// If there are not as many as the tensor has.
    pub fn set(&mut self, name: &str, numbers: Vec<f32>) {
        if let Some(value) = self.values.get_mut(name) {
            let shape: Vec<usize> = each!(&*value, tensor => tensor.dims().to_vec());
            *value = Value::new(numbers, &shape, &self.device);
        } else {
            let data = TensorData::new(numbers, self.statistics[name].dims());
            self.statistics.insert(name.into(), Tensor::from_data(data, &self.device));
        }
    }

    /// A view of the same tensors that remembers what is computed with those of these names, for one pass backwards.
    #[must_use]
    pub fn tracked<'a>(&self, names: impl Iterator<Item = &'a String>) -> Self {
        let mut view = self.clone();
        for name in names {
            if let Some(value) = view.values.get_mut(name) {
                *value = each_to_value!(&*value, tensor => tensor.clone().autodiff().require_grad());
            }
        }
        view
    }

    /// The derivatives by a tensor, zeros where nothing depends on it.
    pub fn gradient(&self, name: &str, gradients: &Gradients) -> Vec<f32> {
        each!(&self.values[name], tensor => match tensor.grad(gradients) {
            Some(gradient) => numbers(gradient.to_data()),
            None => vec![0.0; tensor.shape().num_elements()],
        })
    }

    /// Adds `scale * up down` to a weight, `up (outputs, rank)` zeros and `down (rank, inputs)` drawn by the seed, and
    /// returns the names of the two.
    pub(crate) fn add_low_rank(
        &mut self,
        name: &str,
        rank: usize,
        scale: f64,
        context: &Context,
    ) -> [String; 2] {
        let shape: Vec<usize> = each!(&self.values[name], tensor => tensor.dims().to_vec());
        let (outputs, inputs) = (shape[0], shape[1..].iter().product());
        let [up, down] = low_rank_names(name);
        let start =
            drawn(&Parameter { name: down.clone(), shape: vec![rank, inputs], statistic: false }, context);
        self.values.insert(down.clone(), Value::new(start, &[rank, inputs], &self.device));
        self.values.insert(up.clone(), Value::new(vec![0.0; outputs * rank], &[outputs, rank], &self.device));
        self.beside.insert(name.into(), Beside::Product(scale));
        [up, down]
    }

    /// Multiplies the last `count` outputs of a weight, and of its bias, by factors that are ones at first; returns their
    /// name.
    pub(crate) fn add_output_factors(&mut self, [weight, bias]: &[String; 2], count: usize) -> String {
        let factors = self.add_factors(weight, count);
        for own in [weight, bias] {
            self.beside.insert(own.clone(), Beside::Outputs(factors.clone()));
        }
        factors
    }

    /// Multiplies all inputs of a weight or kernel by factors that are ones at first; returns their name.
    pub(crate) fn add_input_factors(&mut self, name: &str) -> String {
        let shape: Vec<usize> = each!(&self.values[name], tensor => tensor.dims().to_vec());
        let factors = self.add_factors(name, shape[1]);
        self.beside.insert(name.into(), Beside::Inputs(factors.clone()));
        factors
    }

    fn add_factors(&mut self, name: &str, count: usize) -> String {
        let factors = factors_name(name);
        self.values.insert(factors.clone(), Value::new(vec![1.0; count], &[count], &self.device));
        factors
    }

    /// Writes what is learnt beside tensors into them.
    pub(crate) fn merge(&mut self) {
        let merged = self.beside.keys().map(|name| {
            let own = match &self.values[name] {
                Value::Kernel(_) => self.kernel(name).to_data(),
                Value::Vector(_) => self.vector(name).to_data(),
                _ => self.matrix(name).to_data(),
            };
            (name.clone(), numbers(own))
        });
        for (name, merged) in merged.collect::<Vec<_>>() {
            self.set(&name, merged);
        }
        for (name, beside) in std::mem::take(&mut self.beside) {
            let parts = match beside {
                Beside::Product(_) => low_rank_names(&name).to_vec(),
                Beside::Outputs(factors) | Beside::Inputs(factors) => vec![factors],
            };
            for part in parts {
                self.values.remove(&part);
            }
        }
    }

    /// What is added to a weight, `(outputs, inputs)`.
    fn product(&self, name: &str, scale: f64) -> Tensor<2> {
        let [up, down] = low_rank_names(name);
        self.matrix(&up).matmul(self.matrix(&down)).mul_scalar(scale)
    }

    /// Factors of all `outputs`, of which the first are ones.
    fn output_factors(&self, name: &str, outputs: usize) -> Tensor<1> {
        let own = self.vector(name);
        let before = Tensor::ones([outputs - own.dims()[0]], &own.device());
        Tensor::cat(vec![before, own], 0)
    }

    pub(crate) fn kernel(&self, name: &str) -> Tensor<4> {
        let Value::Kernel(own) = &self.values[name] else { unreachable!("`{name}` has four dimensions") };
        let (inputs, own) = (own.dims()[1], own.clone());
        match self.beside.get(name) {
            Some(Beside::Product(scale)) => own.clone() + self.product(name, *scale).reshape(own.dims()),
            Some(Beside::Inputs(factors)) => own * self.vector(factors).reshape([1, inputs, 1, 1]),
            _ => own,
        }
    }

    pub(crate) fn tokens(&self, name: &str) -> Tensor<3> {
        let Value::Tokens(own) = &self.values[name] else { unreachable!("`{name}` has three dimensions") };
        own.clone()
    }

    pub(crate) fn matrix(&self, name: &str) -> Tensor<2> {
        let Value::Matrix(own) = &self.values[name] else { unreachable!("`{name}` has two dimensions") };
        let [outputs, inputs] = own.dims();
        let own = own.clone();
        match self.beside.get(name) {
            Some(Beside::Product(scale)) => own + self.product(name, *scale),
            Some(Beside::Outputs(factors)) => {
                own * self.output_factors(factors, outputs).reshape([outputs, 1])
            }
            Some(Beside::Inputs(factors)) => own * self.vector(factors).reshape([1, inputs]),
            None => own,
        }
    }

    pub(crate) fn vector(&self, name: &str) -> Tensor<1> {
        let Value::Vector(own) = &self.values[name] else { unreachable!("`{name}` has one dimension") };
        match self.beside.get(name) {
            Some(Beside::Outputs(factors)) => own.clone() * self.output_factors(factors, own.dims()[0]),
            _ => own.clone(),
        }
    }
}

/// The two thin matrices beside a weight.
fn low_rank_names(name: &str) -> [String; 2] {
    let [up, down, _] = BESIDE;
    [up, down].map(|end| format!("{name}{end}"))
}

/// The factors beside a weight.
fn factors_name(name: &str) -> String {
    let [.., factors] = BESIDE;
    format!("{name}{factors}")
}

/// What a tensor holds.
pub(crate) fn numbers(data: TensorData) -> Vec<f32> {
    data.try_into_vec::<f32>().expect("all tensors are of 32 bits")
}

/// Drawn by seed and name: weights uniform with the variance `2 / inputs` of He et al. (ICCV 2015, equation 10) for
/// kernels, `1 / inputs` for matrices; 0.02 for tokens; scales and variances 1, the rest 0.
fn drawn(own: &Parameter, context: &Context) -> Vec<f32> {
    let count = own.count();
    let inputs = product(&own.shape[own.shape.len().min(1)..]).max(1);
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
